"""Do generated sentences claim what their tests show, and no more?"""

import re

import pandas as pd
import pytest

from studies.overview import (
    Line,
    beyond_noise,
    compare_line,
    escape,
    most_different,
    question,
    rank_line,
    with_code,
)

NA = pd.NA
NAMES = {"people": (1, "human"), "owl": (2, "llm"), "jay": (3, "llm")}


def judges(rho=0.8, lower=0.6, upper=0.9, models=4, **more):
    row = {"judge": "owl", "spearman": rho, "spearman_lower": lower, "spearman_upper": upper, "models": models,
           "judgments": 1234, "pairs": 600, "prompts": 40, "intervals": "clustered by 40 prompts"}  # fmt: skip
    return pd.DataFrame([row | more])


def models(scaled=(1.0, -1.0, 0.1, -0.1), q=(0.01, 0.04, 0.5, 0.06), judge="owl"):
    frame = pd.DataFrame({"judge": judge, "model": ["a", "b", "c", "d"], "gap": [1.0, -2.0, 0.5, 0.2]})
    return frame.assign(gap_scaled=pd.array(scaled, dtype="Float64"), scaled_q=pd.array(q, dtype="Float64"))


def line(j=None, m=None) -> Line:
    return compare_line("people", judges() if j is None else j, models() if m is None else m, 0.95, "half")


def test_a_difference_is_named_with_its_direction():
    said = line()
    assert said.finding == "owl orders the 4 models much as people do (ρ = .80 [.60, .90])."
    assert said.more == "Beyond noise, and its decisiveness aside, owl places a higher and b lower."
    assert said.trust.startswith("1,234 judgments on 600 shared pairs, 40 prompts · ties count half · 95 % intervals")
    assert [(t.label, t.value) for t in said.tiles] == [("Rank correlation", ".80"), ("Models that differ", "2 of 4")]


def test_no_difference_is_claimed_at_or_above_the_bound():
    said = line(m=models(q=(0.05, 0.2, 0.5, NA)))
    assert said.more == "No single model's place differs beyond noise."
    assert beyond_noise(models(q=(0.05, 0.2, 0.5, NA))).empty
    assert said.tiles[-1].value == "0 of 4"


def test_without_a_scale_no_model_is_named():
    said = line(m=models(scaled=(NA,) * 4, q=(NA,) * 4))
    assert "taste cannot be told from decisiveness" in said.more
    assert said.tiles[-1].value == "–"


@pytest.mark.parametrize(
    ("rho", "lower", "upper", "said"),
    [
        (1.0, 0.94, 1.0, "owl orders the 4 models exactly as people do"),
        (0.95, 0.9, 0.98, "owl orders the 4 models almost exactly as people do"),
        (0.5, 0.1, 0.8, "owl orders the 4 models partly as people do"),
        (0.2, 0.01, 0.5, "owl orders the 4 models only loosely as people do"),
        (-0.6, -0.9, -0.1, "owl tends to order the 4 models the other way round from people (ρ = −.60 [−.90, −.10])"),
        (0.7, -0.1, 0.9, "Whether owl orders the 4 models as people do cannot be told"),
        (-0.3, -0.8, 0.4, "Whether owl orders the 4 models as people do cannot be told"),
        (0.7, NA, NA, "owl and people order the 4 models with a correlation of ρ = .70; how sure that is cannot be said"),
        (NA, NA, NA, "The orders of owl and people cannot be correlated on 4 models."),
    ],
)
def test_an_order_is_claimed_only_where_the_interval_leaves_out_zero(rho, lower, upper, said):
    assert line(judges(rho, lower, upper)).finding.startswith(said)


def test_too_little_data_is_counted_as_it_is():
    said = line(judges(NA, NA, NA, models=2, judgments=3, pairs=1, prompts=1))
    assert said.finding == "The orders of owl and people cannot be correlated on 2 models."
    assert said.trust.startswith("3 judgments on 1 shared pair, 1 prompt ·")
    assert said.tiles[0].value == "–"
    assert "no interval" in said.tiles[0].note


def test_nothing_is_called_significant_and_no_number_has_three_decimals():
    for one in (line(), line(judges(-0.61234, -0.91234, -0.11234)), line(m=models(q=(0.9,) * 4))):
        text = " ".join([one.finding, one.more, one.trust, *(t.value + t.note for t in one.tiles)])
        assert "significant" not in text
        assert not re.search(r"\.\d{3}", text)


def test_several_judges_have_a_sentence_each():
    both = pd.concat([judges(), judges(0.1, -0.4, 0.6).assign(judge="jay")], ignore_index=True)
    two = pd.concat([models(), models(q=(0.9,) * 4, judge="jay")], ignore_index=True)
    said = line(both, two)
    assert said.finding.startswith("owl orders")
    assert "Whether jay orders" in said.more
    assert said.more.endswith("No single model's place differs beyond noise for jay.")
    assert said.tiles[-1].note == "owl; jay: 0 of 4 · q < .05, net of decisiveness"


def test_what_differs_most_begins_with_what_is_beyond_noise():
    assert list(most_different(models(scaled=(0.2, -0.3, 2.0, 0.1)), 3)["model"]) == ["b", "a", "c"]
    assert list(most_different(models(scaled=(NA,) * 4, q=(NA,) * 4), 2)["model"]) == ["b", "a"]


def ranking(rank=(1, 2, 3), lower=(1, 2, 2), judge="people"):
    frame = pd.DataFrame({"judge": judge, "model": ["x", "y", "z"], "strength": [1.0, 0.0, -1.0]})
    return frame.assign(rank=pd.array(rank, dtype="Int64"), rank_lower=pd.array(lower, dtype="Int64"))


def test_one_judge_alone_says_who_is_first_and_whether_that_is_sure():
    own = pd.DataFrame([{"judge": "people", "judgments": 60, "models": 3, "intervals": "by prompt"}])
    assert rank_line(ranking(), own, 0.95, "half").finding == "people put x first of 3 models, beyond noise."
    said = rank_line(ranking(lower=(1, 1, 1)), own, 0.95, "drop")
    assert said.finding == "people put x first of 3 models, but it cannot be told from 2 others."
    assert "ties left out" in said.trust
    said = rank_line(ranking(lower=(1, 1, 3), judge="bot"), own.assign(judge="bot"), 0.95, "half")
    assert said.finding == "bot puts x first of 3 models, but it cannot be told from one other."
    said = rank_line(ranking(rank=(1, 1, 3)), own, 0.95, "half")
    assert said.finding == "people put x and y level at the top of 3 models."
    unbeaten = ranking().assign(strength=[None, 0.5, -0.5])
    assert rank_line(unbeaten, own, 0.95, "half").finding == (
        "people put x at the top of 3 models, unbeaten by the ranked ones: how far ahead cannot be told."
    )


def test_the_question_knows_who_is_asked_about():
    assert question(NAMES, "people", ("people", "owl")) == "Does owl prefer what people prefer?"
    assert question(NAMES, "people", ("people", "owl", "jay")) == "Do owl and jay prefer what people prefer?"
    assert question(NAMES, "owl", ("owl", "jay")) == "Does jay prefer what owl prefers?"
    assert question(NAMES, "people", ("people",)) == "What do people prefer?"
    assert question(NAMES, "owl", ("owl",)) == "What does owl prefer?"
    assert question(NAMES, None, ()) == "Who prefers what?"


def test_names_are_shown_as_they_are():
    assert escape("a*b_[c](d)$e$") == r"a\*b\_\[c\]\(d\)\$e\$"
    assert escape("two\nlines") == "two lines"
    assert escape("in 70 % [62 %, 78 %] of 9 days") == "in 70\u00a0% \\[62\u00a0%, 78\u00a0%\\] of 9 days"
    assert len(escape("x" * 10_000)) <= 60


def test_what_a_sentence_sets_as_code_stays_code():
    assert with_code("Add a column `swapped`, or `--set a=b`.") == "Add a column `swapped`, or `--set a=b`\\."
    assert with_code("no *code*") == "no \\*code\\*"
    assert with_code("one ` alone") == "one \\` alone"


def test_code_in_a_sentence_cannot_be_left_by_a_line_break():
    # Of two paragraphs neither backquote would have its other.
    assert with_code("the column `a\n\n![x](http://x.y)` is new") == "the column `a ![x](http://x.y)` is new"
    assert with_code("3 rows *here*, `--a b`") == r"3 rows \*here\*, `--a b`"
