"""What do the numbers about factors and their weights say? Entries of `studies.glossary`."""

from __future__ import annotations

OWN = "this project"

ENTRIES: dict[str, tuple[str, str, str]] = {
    # -- weights ---------------------------------------------------------------------------------------------------
    "weight; weight_ref; weight_judge": (
        "How many log-odds of being preferred one unit more of the factor brings, all other factors held equal.",
        "It is an association: what goes along with the factor and is not in the model is part of it.",
        "McFadden 1974; Bradley and Terry 1952",
    ),
    "effect; importance": (
        "How often, in percent, an answer with one unit more of the factor would be preferred, all else equal; 50 is "
        "no effect.",
        "It is the weight in other words, on an otherwise even pair; on uneven pairs it does less.", "",
    ),
    "points": (
        "What the factor adds to the expected preference of this pair, in percentage points, averaged over all orders "
        "in which factors could be told.",
        "Of factors that go together only the sum is sure.", "Shapley 1953; Lundberg and Lee 2017",
    ),
    "ame_gap": (
        "By how many percentage points more than for the reference one unit changes the judge's expected preference, "
        "averaged over the shared pairs.",
        "A judge that is merely more decisive has larger ones.", "Bartus 2005",
    ),
    "vif": (
        "By how much the other factors held equal widen the variance of this one's weight.",
        "From 5 on weights of factors that go together trade places from sample to sample, and from 10 on they can "
        "hardly be told apart.", "Marquardt 1970",
    ),
    "above_0": (
        "The posterior probability that the weight is above 0.",
        "It takes judgments as independent, so with few prompts it is surer than it should be.", "Li and others 2024",
    ),
    "pooled|pooled weight": (
        "The weight in this scenario, drawn towards the mean of all scenarios as far as its own data are thin.",
        "A scenario unlike all others is drawn too far: read the raw weight beside it.", "Rubin 1981; Gelman 2006",
    ),
    "differs; differ": (
        "Pairs whose two answers differ in the factor.",
        "Only these say anything of its weight, whatever the number of judgments.", "",
    ),
    "smallest_1x; smallest_2x; smallest_4x": (
        "The smallest net gap that a single test at 5 % finds with a chance of 80 %, with so much data.",
        "It takes for granted that new prompts are like the old ones.", "Bloom 1995",
    ),
    "scale|one unit is": (
        "How much of the factor one unit is: the root mean square of its differences.",
        "It is that of these answers, so weights of other datasets are on other units.", "",
    ),
    # -- one pair --------------------------------------------------------------------------------------------------
    "a; b": (
        "What the response has of the factor.", "Words are found by lists, which miss some and hit others wrongly.",
        "",
    ),
    "difference": (
        "The first minus the second: what responses have of the factor, in units of the fit, or the two figures beside "
        "it.",
        "It says nothing of which of the two is right.", "",
    ),
    "log_odds": (
        "Weight times difference: what the factor adds to the log-odds of the pair.",
        "A small weight times a large difference is a guess beyond the usual pairs.", "McFadden 1974",
    ),
    "push": (
        "The gap of the factor's weights times the difference of the two answers: how far it moves the judge away from "
        "the reference.",
        "Pairs are shown because it is large there, so they are no fair sample.", OWN,
    ),
    "preference_ref; preference_judge": (
        "Mean preference for the first answer, in percent, a tie counting half.",
        "Of one or two votes it is next to nothing.", "",
    ),
    "predicted": (
        "How often the judge would prefer the first answer by the factors' weights, in percent.",
        "It knows nothing of what the answers say.", "McFadden 1974",
    ),
    # -- what can be believed --------------------------------------------------------------------------------------
    "reliability": (
        "How the weights of as many other prompts would correlate with these, over the factors.",
        "With few factors it is low on average even where weights are well known.", "Spearman 1910; Brown 1910",
    ),
    "analytic": (
        "Share of the variance between weights that is not sampling noise, from their standard errors.",
        "It is below 0 where more noise is expected than the weights differ.", "Spearman 1904",
    ),
    "interval|range of splits": (
        "The range of 95 % of the random halves of the prompts.",
        "It is no confidence interval: all halves share the data.", "Spearman 1910; Brown 1910",
    ),
    "accuracy": (
        "Share of verdicts that are predicted (or scored) right, a tie half right.",
        "Where verdicts on a pair differ nobody is always right: the best is to side with most of them, not 1.",
        "Stone 1974",
    ),
    "accuracy|right; accuracy|held out": (
        "Share of verdicts on prompts held out that are predicted right.",
        "It says that the factors predict, not that they are the reasons.", "Stone 1974",
    ),
    "optimistic": (
        "Accuracy where the penalty was chosen: the best of many tries.",
        "It flatters; read the accuracy held out.", "Varma and Simon 2006",
    ),
    "penalty": (
        "How strongly weights are drawn to 0.", "Of penalties that predict alike one is as good as another.",
        "Tibshirani 1996",
    ),
    "log_loss": (
        "Mean of minus the natural logarithm of the chance given to what happened; knowing nothing is .69.",
        "One very sure mistake weighs as much as many good guesses.", "Good 1952",
    ),
    "gain": (
        "Accuracy of all factors minus that of this row.",
        "Its interval takes the fitted weights as they are, without the variation between fits.", "Stone 1974",
    ),
    "precision": (
        "Of sentences in which the list of words finds something, the share labelled so by hand.",
        "The sentences were written for this project; expect other figures on your texts.", "van Rijsbergen 1979",
    ),
    "recall": (
        "Of sentences labelled so by hand, the share in which the list of words finds something.",
        "The sentences were written for this project; expect other figures on your texts.", "van Rijsbergen 1979",
    ),
    "range": ("The values that the factor can have.", "Most answers use a small part of it.", ""),
    # -- published ways of asking ----------------------------------------------------------------------------------
    "strength|kappa × relevance": (
        "Verdicts that go along with the factor less verdicts against it, as a share of all votes.",
        "Nothing is held equal: of two factors that go together both get the credit.", "Findeis and others 2025",
    ),
    "relevance": (
        "Share of votes in which the answers differ in the factor and one is preferred.",
        "A factor that is rarely there has a small strength however much it decides.", "Findeis and others 2025",
    ),
    "accuracy|agrees": (
        "Of these votes, the share for the answer with more of the factor.",
        "Nothing is held equal: of two factors that go together both get the credit.", "Findeis and others 2025",
    ),
    "published_interval": (
        "Percentiles of 100 resamples of pairs, as published.",
        "They forget that pairs share prompts and hold too seldom where they do.", "Findeis and others 2025",
    ),
    "tau": (
        "Verdicts for the answer with more of the factor less verdicts against it, as a share of those that decide.",
        "Nothing is held equal: of two factors that go together both get a tau.", "Kendall 1938; Oh and others 2024",
    ),
    "tau_b": (
        "The same with ties counted on both sides.",
        "Nothing is held equal: of two factors that go together both get a tau.", "Kendall 1945; Oh and others 2024",
    ),
    "amce": (
        "By how much more often, as a difference of shares, an answer with this level is preferred than one with the "
        "reference level.",
        "It is no cause: levels were not drawn by lot as in a conjoint experiment.",
        "Hainmueller, Hopkins and Yamamoto 2014",
    ),
    "mean|marginal mean": (
        "Share of the answers with this level that are preferred; one half over all answers.",
        "What goes along with the level is part of it.", "Leeper, Hobolt and Tilley 2020",
    ),
    "mean|mean of answers; sd": (
        "Mean (standard deviation) of the factor over the compared answers, by which it is standardised.",
        "New answers are scored by these numbers, however different they are.", "Go and others 2023",
    ),
    "share|part": (
        "The weight's part in the sum of the sizes of all weights.",
        "Of two factors that go together one may have it all.", "Go and others 2023",
    ),
    "lowest; highest": (
        "The lowest (highest) value when one part of the prompts is left out.",
        "It is no confidence interval, as penalised weights have none.", "Go and others 2023",
    ),
    "coefficient": (
        "The Lasso's weight: drawn to 0, and 0 for what it drops.",
        "A 0 is no finding: of two factors that go together it keeps one.", "Tibshirani 1996",
    ),
    "selected": (
        "Share of 200 draws of whole prompts in which the factor is kept.",
        "It depends on the penalty as much as on the data.", "Meinshausen and Bühlmann 2010",
    ),
    "lowest|5th percentile; highest|95th": (
        "Percentile of the coefficient over 200 draws of whole prompts.",
        "It is drawn to 0 with the coefficient, so it is no confidence interval.", "Efron 1979; Tibshirani 1996",
    ),
    "won|duels won; duels": (
        "Duels that this label won (or took part in), one for each label that only the other answer has.",
        "One comparison makes many duels, so they are no measure of certainty.", "Hu and others 2023",
    ),
    "strength|strength of the label": (
        "Log-odds of winning a duel against the average label.",
        "Of labels that come together each gets the credit of the other.", "Hu and others 2023; Bradley and Terry 1952",
    ),
    "shared": (
        "The part of the weight that all scenarios share.",
        "It is drawn to 0 and has no interval.", "Shared and own weights: arXiv 2505.20088 (2025)",
    ),
    "own": (
        "What the scenario adds to the shared weight.",
        "It is drawn to 0 and has no interval; a 0 is no finding.", "Shared and own weights: arXiv 2505.20088 (2025)",
    ),
    "statistic": (
        "The test's statistic: how far the groups' weights are from equal, against what noise makes of them.",
        "It grows with the data; the gaps say how large the difference is.", "Welch 1951; Hotelling 1931",
    ),
    "df_1": ("Degrees of freedom of the test: groups less one.", "It is what the statistic is read against.",
             "Welch 1951"),
    "per_sd": (
        "By how much the judges' figure changes with one standard deviation of their attribute.",
        "A few judges are a few points: one of them can make the slope.", "",
    ),
}  # fmt: skip
