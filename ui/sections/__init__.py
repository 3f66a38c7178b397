"""Which further questions does a page answer below its first chart? Each is shut until somebody opens it.

A section is a module of this package with `draw(seen: View, judge: str | None) -> None`, imported when it is opened.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """One question.

    word : its name in the address (`open=word`) and of its module; studies : commands whose figures it shows
    words : address words of its own (fields of its studies that it asks for, choices of what is drawn)
    needs : what a dataset must have for it to say anything, of `ui.sections.lacking`
    """

    word: str
    question: str
    studies: tuple[str, ...]
    words: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


RANKINGS: tuple[Section, ...] = (
    Section("agreement", "How alike are the orders, net of noise?", ("reliability",), needs=("judges",)),
    Section("places", "How sure is each place?", ("places",), ("places_of", "places_all", "replicates")),
    Section("controls", "Would the order change with length and style held equal?", ("control", "factors list"),
            ("controls_of", "controls_all", "factor", "normalisation")),
    Section("scenarios", "Does the order change with the scenario?", ("scenarios",),
            ("scenarios_of", "scenarios_all", "scenarios_kind"), needs=("models", "scenarios")),
    Section("ties", "Does the rule for ties change the order?", ("tie-policies",)),
    Section("winrate", "How often does each model win against a baseline?", ("winrate",),
            ("winrate_of", "winrate_all", "baseline", "length_controlled", "verbose_twin", "concise_twin")),
    Section("correct", "What if people had judged everything?", ("correct",), ("correct_all", "mask_human"),
            needs=("judges", "models")),
    Section("fit", "Does one scale fit these verdicts?", ("fit-check",), ("fit_of",)),
    Section("ask_next", "What should be judged next?", ("next-pairs",),
            ("next_of", "n", "optimality", "blind")),
)

FACTORS: tuple[Section, ...] = (
    Section("decided", "What is a factor, and on which pairs did it decide?", ("factors decided",), ("of",),
            needs=("judges",)),
    Section("by_scenario", "In which scenarios do reasons part?", ("factors scenarios",), ("by_scenario_all",),
            needs=("judges", "scenarios")),
    Section("otherwise", "Does it hold with models held equal, and without empty texts?", ("factors variants",),
            ("otherwise_of",)),
    Section("one_pair", "Why would it prefer this answer to that one?", ("factors explain",), ("pair",)),
    Section("try_it", "What would the judges prefer of two texts of mine?", ()),
    Section("claim", "What can be claimed with this much data?", ("factors gap",), needs=("judges",)),
    Section("trust", "May the weights be believed?", ("factors trust",)),
    Section("strength", "How often does each factor agree with the verdict?", ("factors strength",)),
)

METHODS: tuple[Section, ...] = (
    Section("bayes", "What do the published Bayesian weights say?", ("factors bayes",), ("prior_scale", "bayes_of")),
    Section("tau", "How far do verdicts go along with each factor, and are the two moved alike?", ("factors tau",),
            ("tau_kind", "align_on")),
    Section("labels", "Which labels of answers win?", ("factors labels",), ("numbers",)),
    Section("cpm", "Which weighted sum of factors predicts verdicts best?", ("factors cpm",)),
    Section("lasso", "Which flags does a Lasso keep?", ("factors lasso",), ("rating", "penalty", "choose_penalty")),
    Section("amce", "How much more often is an answer preferred with each level?", ("factors amce",), ("amce_kind",)),
    Section("pooled", "Which weights hold in every scenario?", ("factors pooled",),
            ("pooled_kind", "pooled_factor", "pooled_all"), needs=("scenarios",)),
    Section("hierarchical", "What is shared, what is a scenario's own?", ("factors hierarchical",),
            ("hierarchical_of", "penalties", "loss"), needs=("scenarios",)),
    Section("groups", "Do groups of people weigh differently?", ("factors groups",),
            ("group_by", "groups_of", "groups_all", "parts", "judge_attribute")),
    Section("properties", "Which published properties does this dataset have?",
            ("factors properties", "factors sheet")),
)
"""Published ways of asking what the gap of the page Factors asks, below its heading "Further methods"."""

SCENARIOS: tuple[Section, ...] = (
    Section("orders_by_scenario", "Do both order the models alike in each scenario?", ("scenario-orders",),
            needs=("judges", "models", "scenarios")),
    *(section for section in FACTORS if section.word == "by_scenario"),
    Section("weight_matrix", "How does each judge weigh each factor in each scenario?", ("factors matrix",),
            ("matrix_kind",)),
    *(section for section in METHODS if section.word in ("pooled", "hierarchical")),
    *(section for section in RANKINGS if section.word == "scenarios"),
    Section("labelings", "Where do these scenarios come from?", ()),
)
"""Where scenarios are what is asked about; some sections stand on another page too."""

JUDGES: tuple[Section, ...] = (
    Section("with_people", "How often does it agree with people, and people with one another?", ("agreement",),
            ("people_all", "people_ties", "people_view", "level_of", "period"), needs=("judges",)),
    Section("alt_test", "May it take an annotator's place?", ("alt-test",), ("annotators_all", "epsilon", "score"),
            needs=("judges",)),
    Section("kept_shares", "Does it keep people's disagreement?", ("shares",), ("shares_show", "shares_all"),
            needs=("judges",)),
    Section("calibrated", "Do its preferences and its confidence mean what they say?", ("calibration",),
            ("calibrated_show", "calibrated_all", "of", "certain", "bins"), needs=("judges",)),
    Section("criteria", "Which criteria make its overall verdict?", ("criteria",), ("criteria_all",),
            needs=("criteria",)),
    Section("reward_models", "Where do scores fail as judgments?", ("reward-models",),
            ("scores_all", "in_distribution"), needs=("scores",)),
    Section("judge_again", "Which pairs should it judge again?", ("judge-again",),
            ("again_of", "purpose", "excess", "n", "blind")),
    *(section for section in RANKINGS if section.word == "correct"),
)
"""Below the verdicts, the biases and the disagreement of the page Judges."""

SECTIONS = {"rankings": RANKINGS, "factors": (*FACTORS, *METHODS), "scenarios": SCENARIOS, "judges": JUDGES}
"""The sections of each page, by the page's name in the address, in their order."""
