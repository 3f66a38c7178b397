"""What do the numbers about judges, their agreement and their biases say? Entries of `studies.glossary`."""

from __future__ import annotations

OWN = "this project"

ENTRIES: dict[str, tuple[str, str, str]] = {
    # -- agreement -------------------------------------------------------------------------------------------------
    "agreement; same": (
        "Share of comparisons with the same label.",
        "Part of it is chance, and people do not agree with one another either: read it against their own.",
        "",
    ),
    "pooled|agreement, pooled; pooled|drawn to the others": (
        "Share of comparisons with the same label, drawn to the others where the heading says so.",
        "Part of it is chance, and people do not agree with one another either: read it against their own.",
        "Rubin 1981; Gelman 2006",
    ),
    "people": (
        "How often two votes of people on one pair are the same, on the pairs of this judge.",
        "It falls with every careless annotator, and a low one is easily reached.", "",
    ),
    "kappa": (
        "Agreement beyond chance: 0 where two judges agree as often as if each said a, b and tie at random as often as "
        "it does, 1 for the same label always.",
        "It hangs on which response the file calls a: where that is always the winner, it is 0 whatever the agreement.",
        "Cohen 1960",
    ),
    "ac1": (
        "Agreement beyond chance, with chance taken to be small where one label is said far more often than others.",
        "Where one label is rare it is higher than kappa, neither is the truth: both hang on what the file calls a.",
        "Gwet 2008",
    ),
    "fleiss": (
        "Agreement beyond chance of all votes on a pair, the judge's among them.",
        "It mixes people's agreement with the judge's, and hangs on which response the file calls a.", "Fleiss 1971",
    ),
    "alpha": (
        "Agreement beyond chance of all votes on a pair, whatever their number; labels are names (nominal), so that a "
        "tie is as far from a as b is.",
        "Where one label is rare few disagreements make it small, and it hangs on which response the file calls a.",
        "Krippendorff 2004",
    ),
    "ceiling": (
        "How often one of the people agrees with the plurality of the others: what a judge is read against.",
        "With two or three votes a pair the plurality is itself mostly noise, and the ceiling low.", OWN,
    ),
    "against_others": (
        "How often the judge agrees with the same plurality on the same comparisons.",
        "It is only to be read beside the ceiling.", OWN,
    ),
    "advantage": (
        "How much more often than one of the people the judge agrees with the plurality of the others.",
        "To be better than a person among people who agree little is no proof of being right.", OWN,
    ),
    "share|share of all; share_of_reference": (
        "Share of the comparisons in this cell.", "It depends on how often either side says each label.",
        "",
    ),
    # -- in an annotator's place -----------------------------------------------------------------------------------
    "advantage_probability; advantage|judge as good": (
        "How often the judge agrees with the other annotators at least as well as the one it would replace.",
        "Among annotators who agree little nearly any judge reaches it.", "Calderon, Reichart and Dror 2025",
    ),
    "human_advantage": (
        "How often the annotator agrees with the others at least as well as the judge.",
        "Both count where they are equal, so the two do not add up to 1.", "Calderon, Reichart and Dror 2025",
    ),
    "winning_rate": (
        "Share of the annotators that the judge wins; from .5 on it passes.",
        "Pairs that share prompts count as independent here, as published: look at p by prompt.",
        "Calderon, Reichart and Dror 2025",
    ),
    # -- biases ----------------------------------------------------------------------------------------------------
    "rate": (
        "How often the judge does what the row names.",
        "It is no bias by itself: read it against what a judge without the bias would do.", "Koo and others 2024",
    ),
    "null": (
        "What a judge without the bias would have.",
        "Where it comes from people's votes, people's own bias is in it.", OWN,
    ),
    "excess": (
        "Rate minus what a judge without the bias would have, in percentage points.",
        "It is a share of verdicts, not of wrong verdicts.", OWN,
    ),
    "towards; away": (
        "Verdicts that move towards (away from) the cued side, beside their plain twin.",
        "A judge that merely wavers moves as often either way: the difference of the two counts.", "McNemar 1947",
    ),
    "accuracy_plain; accuracy|with it": (
        "Share of verdicts that are the reference's label, without and with the circumstance.",
        "A reference of single votes errs too.", "",
    ),
    "change|change of accuracy": (
        "Accuracy with the circumstance minus without.",
        "A cue that is right by chance more often than not raises it.", "",
    ),
    "robustness": (
        "Share of verdicts that stay the same under the circumstance.",
        "A judge that wavers anyway has a low one without any bias: read it beside its plain repeats.",
        "Ye and others 2024",
    ),
    "consistency": (
        "Share of plain repeats that stay the same.", "It is 1 for a judge without chance, right or wrong.",
        "Ye and others 2024",
    ),
    "own_rate; reference_rate": (
        "How often the judge (the reference) prefers the judge's own models to others.",
        "Own models may truly be better: what counts is the difference of the two.", "",
    ),
    "dbg": (
        "How much more often the judge prefers its own models than the reference does.",
        "With single votes as reference a decisive judge seems to have more of it.", "Chen and others 2025",
    ),
    "equal_opportunity": (
        "How much more often the judge sides with its own models where these are truly the better ones, than with "
        "others where those are.",
        "What is truly better is the reference's word.", "Wataoka and others 2024",
    ),
    # -- calibration -----------------------------------------------------------------------------------------------
    "sureness": (
        "Mean probability that the judge gives its own side.",
        "Of labels alone it cannot be had, and of few labels it is 1 by construction.", "Guo and others 2017",
    ),
    "right": (
        "How often people say the same as the judge's side.",
        "People who disagree make every judge seem too sure.", "Guo and others 2017",
    ),
    "ece_10": (
        "Mean distance between how sure the judge is and how often it is right, over bins of like sureness.",
        "With few comparisons a bin it is too large by chance: read the interval beside it, which is freed of that.",
        "Naeini, Cooper and Hauskrecht 2015; Guo and others 2017",
    ),
    "ece_10_interval": (
        "Interval of the calibration error, freed of what chance adds.",
        "Errors near 0 are known least.", "Kumar, Liang and Ma 2019",
    ),
    "ece_10_by_chance": (
        "The error that a perfectly calibrated judge would show by chance.",
        "An error not above it is no finding.", "Kumar, Liang and Ma 2019",
    ),
    "brier": (
        "Mean squared distance between stated preference and verdict; .25 for a judge that always says .5.",
        "It mixes calibration with how well the judge tells answers apart.", "Brier 1950",
    ),
    "temperature": (
        "By what log-odds would have to be divided to fit best; above 1 the judge is too sure.",
        "One number for all pairs: a judge can be too sure here and not sure enough there.", "Guo and others 2017",
    ),
    # -- people's disagreement -------------------------------------------------------------------------------------
    "slope": (
        "Extremity: slope of the judge's log-odds on people's; above 1 it is of one mind more than people are.",
        "With few votes a pair people's log-odds are mostly noise, and it is withheld or too large.",
        "Gart and Zweifel 1967",
    ),
    "slope_binomial": (
        "The same on what people are expected to lean towards, given their votes.",
        "With 5 votes a pair and people of two camps its interval is too short.",
        "Kiefer and Wolfowitz 1956; Carroll and others 2006",
    ),
    "parting_people; parting_judge": (
        "The chance that two votes on one pair part.",
        "A judge without chance never parts from itself, however unsure it would be.", "Simpson 1949",
    ),
    "entropy_people; entropy_judge": (
        "Mean entropy of the votes on a pair, in bits.",
        "That of few votes is too small: compare it only where both have as many.", "Shannon 1948; Miller 1955",
    ),
    "divergence": (
        "Mean Jensen-Shannon divergence of people's and the judge's shares, in bits from 0 to 1.",
        "It is the larger the fewer votes there are.", "Lin 1991",
    ),
    "distance": (
        "Mean absolute difference of people's and the judge's share for an answer.",
        "It is the larger the fewer votes there are.", OWN,
    ),
    # -- criteria --------------------------------------------------------------------------------------------------
    "correlation; correlation_ref": (
        "Correlation of two verdicts of one judge on the same pairs, about 0.",
        "One impression that colours all answers correlates criteria too, and errors of criteria pull it to 0.",
        "Thorndike 1920",
    ),
    "weight|weight of the criterion": (
        "Log-odds of the overall verdict going to the answer that the criterion speaks for, the others held equal.",
        "It is what goes along with the overall verdict, whichever of the two came first.", "McFadden 1974",
    ),
    "effect|preferred, %": (
        "How often the answer that this criterion alone speaks for gets the overall verdict, in percent; 50 is none.",
        "It is the weight in other words.", "",
    ),
    # -- scores ----------------------------------------------------------------------------------------------------
    "macro": (
        "Mean accuracy over scenarios, each weighing alike.",
        "Thin scenarios weigh as much as others and make it wide.", "Satterthwaite 1946",
    ),
    "worst_accuracy": (
        "Accuracy in the scenario where it is lowest.",
        "It was picked for being lowest: with many small scenarios one is low by chance.", "",
    ),
    "drop": (
        "Mean accuracy over the scenarios named as known to the model, minus that over all others.",
        "Other scenarios may simply be harder: hold it against other models.", "",
    ),
    "low; high": (
        "The margins that the band reaches from and to: score of the preferred answer less that of the other.",
        "Bands are fifths of these pairs, whatever their margins are.", "Wang and others 2024",
    ),
    "sd|sd": (
        "How far reward models part on a pair's margin.",
        "Models trained on like data err together; a small one is no proof.", "Wang and others 2024",
    ),
    "against|scores against": (
        "Share of pairs whose mean margin speaks against the label.",
        "The bands are made of the same scores, so it is high in the lowest by construction.", "Wang and others 2024",
    ),
    # -- judges against judges -------------------------------------------------------------------------------------
    "similarity": (
        "How alike two judges are: 1 for the same, 0 for unrelated, by the measure chosen above.",
        "Noise of either pulls it towards 0, so careful judges look more alike than careless ones.", OWN,
    ),
    "share": (
        "Share of the judge's disagreement with people that this part makes.",
        "A part below 0 predicts worse than nothing, and without repeats a judge's own noise stays in the rest.",
        "Shapley 1953",
    ),
    "value|of the squared difference": (
        "The part in units of the mean squared difference between the judge's verdict and a person's.",
        "It cannot be read beside that of a judge of other pairs.", OWN,
    ),
}  # fmt: skip
