"""What do the numbers about models, their order and what they rest on say? Entries of `studies.glossary`."""

from __future__ import annotations

OWN = "this project"

ENTRIES: dict[str, tuple[str, str, str]] = {
    # -- what everything rests on ----------------------------------------------------------------------------------
    "judgments": (
        "How many judgments the row rests on, after the choices of the sidebar.",
        "Many judgments of few prompts tell less than they seem to: what counts is the number of clusters.", "",
    ),
    "pairs; items": (
        "How many different pairs of responses the row rests on.",
        "Pairs of one prompt hang together, so a hundred pairs of one prompt are nearer to one than to a hundred.", "",
    ),
    "unlabelled|prompts without": (
        "Prompts that have no scenario here.", "They are left out wherever scenarios are asked about.", "",
    ),
    "prompts; clusters": (
        "How many independent parts the row rests on.",
        "Below 10 no interval can be believed far, and below 50 a jackknife with Student's t takes the place of the "
        "normal distribution.", "Cameron and Miller 2015",
    ),
    "comparisons; n; answers; texts; missing; models; scenarios; factors; annotators; groups": (
        "A count of what the row rests on.",
        "It is no measure of certainty by itself; the interval is.", "",
    ),
    "interval": (
        "A range made so that in 95 % of samples (or at the level chosen in the sidebar) it holds the true value, with "
        "judgments that share a prompt taken as hanging together.",
        "With few prompts, or after the row was picked for being extreme, it holds less often than that.",
        "Cameron and Miller 2015; MacKinnon, Nielsen and Webb 2023",
    ),
    "q; scaled_q; pooled_q": (
        "The share of false findings that is to be expected, at most, among all rows as clear as this one or clearer; "
        "below .05 it counts as beyond noise.",
        "A row that is not below is not shown to be nothing, and rows of other tables are not counted in.",
        "Benjamini and Hochberg 1995",
    ),
    "p": (
        "How often a difference at least as large as this one comes about by chance where there is none.",
        "Of many rows looked at some are below .05 by chance: read q where there is one.", "Fisher 1925",
    ),
    "p_holm": (
        "The p-value of the test that both are equally strong, held against all such tests of the table at once.",
        "It is strict: with many models true differences stay above .05.", "Holm 1979",
    ),
    "p_clustered": (
        "The p-value of the same test with pairs of one prompt taken as hanging together.",
        "Where it is above .05 and p is not, the finding rests on few prompts.", "Liang and Zeger 1986",
    ),
    "p_lower": (
        "The p-value of the test that this group is not below the others, held against all groups.",
        "The lowest group was looked for, which the plain p would not know.", "Bonferroni 1936; Dunn 1961",
    ),
    # -- strengths and orders --------------------------------------------------------------------------------------
    "strength; strength_ref; strength_judge; raw": (
        "Log-odds of winning against the average model.",
        "A judge with less noise has larger strengths without any other taste, so hold orders or net gaps against each "
        "other rather than strengths.", "Bradley and Terry 1952",
    ),
    "mean|mean strength": (
        "The model's mean strength over scenarios, each drawn towards the others as far as it is thin.",
        "Where strengths spread widely between scenarios it describes none of them.", "Rubin 1981; Gelman 2006",
    ),
    "rank; raw_rank; controlled_rank; pooled_rank; rank_half; rank_drop; rank_davidson; rank_rao_kupper": (
        "The model's place by strength, 1 for the strongest.",
        "Neighbours may change places by chance: read the interval of ranks beside it.", "Bradley and Terry 1952",
    ),
    "rank_interval": (
        "Places that the model can take: below every model that is better by more than noise, above every one that is "
        "worse by more.",
        "It holds for one model at a time, and for the very best of many that are all but equal too seldom: for all at "
        "once places are wider.",
        "Mogstad, Romano, Shaikh and Wilhelm 2024",
    ),
    "simultaneous_interval": (
        "Places such that the intervals of all models hold together in 95 % of samples.",
        "They are wide where models lie close; that is what the data say.", "Mogstad, Romano, Shaikh and Wilhelm 2024",
    ),
    "gap": (
        "The judge's strength (or weight) minus the reference's, in log-odds, on what both judged.",
        "A judge that is merely more decisive has gaps too: read the net gap.", OWN,
    ),
    "gap_scaled": (
        "The gap when both judges are brought to the same decisiveness.",
        "Where the common scale rests on few models or factors it is itself unsure, which the page then says.", OWN,
    ),
    "p_best": (
        "How often the model is the strongest in draws from what the data leave open.",
        "It is no chance that the model is best for you: prompts like these are taken for granted.",
        "Rubin 1981; Mogstad and others 2024",
    ),
    "p_above": (
        "How often the first model is above the second in draws from what the data leave open.",
        "Near .5 the order of the two is a coin's.", OWN,
    ),
    "p_flip": (
        "How often the two judges order these two models differently in draws from what the data leave open.",
        "The pairs listed were looked for among all, so some of the least sure are chance.", OWN,
    ),
    "win": (
        "Share of verdicts for the first model that the strengths expect.",
        "It comes from the model of all verdicts, not from the pairs of these two alone.", "Bradley and Terry 1952",
    ),
    "group|letters": (
        "Models that share a letter cannot be told apart.",
        "Sharing a letter does not show that they are equal.", "Piepho 2004",
    ),
    "naive_ratio": (
        "The standard error as a multiple of the one that takes all judgments as independent.",
        "Above 1 an interval that forgets the prompts is too short by this factor.", "Kish 1965",
    ),
    "pooled": (
        "The value in this scenario, drawn towards the mean of all scenarios as far as its own data are thin.",
        "A scenario unlike all others is drawn too far: read the raw value beside it.", "Rubin 1981; Gelman 2006",
    ),
    "value|alone; agreement|alone; weight|weight alone; weight|raw weight": (
        "The value from this scenario's judgments alone.",
        "Of a thin scenario it is mostly noise, and the most extreme scenario is extreme by chance too.", "",
    ),
    "tau|sd between scenarios": (
        "How far the true values in the scenarios spread, as a standard deviation.",
        "With few scenarios it is hardly known, and q tells whether it is beyond noise.", "Rubin 1981; Gelman 2006",
    ),
    "mean|mean": (
        "The mean over scenarios (of a factor's values where the table says so).",
        "Where scenarios differ beyond noise it describes none of them.", "Rubin 1981; Gelman 2006",
    ),
    "same_sign": (
        "In how many scenarios the weight has the sign of its mean.",
        "Signs of thin scenarios are near to coins.", "",
    ),
    "scenarios|of scenarios": ("How many scenarios there are a value of.", "Thin ones count as others do.", ""),
    # -- how alike two orders are ----------------------------------------------------------------------------------
    "spearman; order": (
        "Spearman's correlation of the two orders: 1 for the same, 0 for unrelated, −1 for reversed.",
        "Noise in either order pulls it towards 0, and with few models it is hardly known.", "Spearman 1904",
    ),
    "kendall": (
        "Kendall's tau-b of the two orders: pairs ordered alike less pairs ordered differently, as a share.",
        "Noise in either order pulls it towards 0.", "Kendall 1945",
    ),
    "pearson": (
        "Pearson's correlation of the two judges' strengths (or taus) as they stand.",
        "Noise in either pulls it towards 0: read the one net of noise.", "Pearson 1895",
    ),
    "corrected|net of noise": (
        "What the correlation would be if each judge had judged without end: sampling noise is taken out.",
        "It is refused where less than 30 % of the spread of either is beyond noise, and unsure not far above.",
        "Spearman 1904",
    ),
    "reliability_ref; reliability_judge": (
        "Share of the spread of this judge's strengths that is not sampling noise.",
        "It grows with the number of judgments and says nothing of whether the judge is right.", "Spearman 1904",
    ),
    "largest_move": (
        "The highest minus the lowest rank of the model under the four rules for ties.",
        "A move within the interval of ranks is noise.", OWN,
    ),
    # -- fit and what to judge next --------------------------------------------------------------------------------
    "observed": (
        "Share of their verdicts that the first model won over the second.",
        "Of few verdicts it is far from what the models are like.", "",
    ),
    "expected": (
        "Share that the strengths expect the first model to win.",
        "It takes for granted that one scale fits all verdicts, which this table puts to the test.",
        "Bradley and Terry 1952",
    ),
    "residual": (
        "Observed minus expected, in standard errors.",
        "Of many pairs of models some are beyond 2 by chance: read q.", "",
    ),
    "share_12; share_23; share_31": (
        "Share of verdicts that the model before it won over the model behind it.",
        "Circles of few verdicts come about by chance.", "Kendall and Babington Smith 1940",
    ),
    "ask": (
        "How many more judgments of these two models the plan asks for.",
        "The plan takes today's strengths for true, so plan anew once they are in.", "Fedorov 1972",
    ),
    "expected_shrink": (
        "What these judgments are expected to take off the summed variance of the strengths, in percent.",
        "It counts judgments of new prompts; of prompts already judged they take off less.", "Fedorov 1972",
    ),
    "have": (
        "Judgments of these two models that the judge has already given.", "Repeats of a pair are counted too.", "",
    ),
    "available; enough": (
        "Pairs of responses of these two models that the judge has not judged yet.",
        "More than there are cannot be asked for without new responses.", "",
    ),
    # -- length and style held equal, win rates --------------------------------------------------------------------
    "controlled": (
        "The model's strength with length and style of the answers held equal.",
        "What goes along with style and is no style, such as care, is held equal with it.",
        "Li, Angelopoulos and Chiang 2024",
    ),
    "change|change": (
        "Strength with length and style held equal, minus strength without that.",
        "A change is no proof of a bias: longer answers may be better ones.", "Li, Angelopoulos and Chiang 2024",
    ),
    "effect|wins of 100": (
        "Of 100 wins against an equal answer, how many more or fewer one unit more of the factor brings.",
        "It is an association: answers were not given their style at random.", "Li, Angelopoulos and Chiang 2024",
    ),
    "win_rate": (
        "How often the model is preferred to the baseline, in percent, a tie counting half.",
        "It depends on the baseline: two models close to each other may be far apart against a third.",
        "Dubois and others 2024",
    ),
    "lc_win_rate": (
        "How often the model would be preferred to the baseline if its answers were as long.",
        "It asks what no answer of the model shows where its length hardly varies.", "Dubois and others 2024",
    ),
    "length_coefficient": (
        "How much longer answers of this model raise its log-odds against the baseline.",
        "It also holds what goes along with length within the model's answers.", "Dubois and others 2024",
    ),
    # -- judges as a help to people's votes ------------------------------------------------------------------------
    "corrected": (
        "People's strengths (or win rates) from their own votes, with the judge's verdicts on many more pairs as a "
        "help, freed of the judge's own leaning.",
        "It needs people's pairs to be drawn like all pairs, which the table of the sample shows.",
        "Angelopoulos and others 2023",
    ),
    "classical": (
        "What people's votes alone say.", "With few votes it is wide, but it leans on nobody.",
        "Bradley and Terry 1952",
    ),
    "naive": (
        "What the judge's verdicts alone say.",
        "However narrow, it is about the judge and not about people.", "Angelopoulos and others 2023",
    ),
    "labelled; labelled|pairs with votes": (
        "Pairs on which people voted.", "Below some fifty clusters of them the correction is hardly known.", "",
    ),
    "labelled|with people's votes, %; unlabelled": (
        "Share of the pairs with (without) people's votes that are of this kind.",
        "Where the two differ beyond noise, people's pairs are not drawn like the others.", "",
    ),
    "share|share of pairs": ("The kind of pair that is counted.", "Kinds overlap, so shares do not add up to 1.", ""),
    "worth": (
        "As how many more pairs with people's votes the judge's verdicts count.",
        "It is known no better than the widths that it is made of.", "Angelopoulos and others 2023",
    ),
    "potential_gain": (
        "By how much the judge could multiply people's votes at most, if it judged without end.",
        "It depends on how well the judge goes along with people on these pairs.", "Angelopoulos and others 2023",
    ),
    "rmse": (
        "The typical distance from what all of people's votes say, over the draws in which a share of them was hidden.",
        "The truth that it is held against is itself an estimate.", OWN,
    ),
    "width": (
        "The mean width of the intervals in these draws.", "Narrow intervals that do not hold are worth nothing.", OWN,
    ),
    "coverage": (
        "How often the intervals hold what all of people's votes say, in percent.",
        "Draws share votes with what they are held against, so a little above the level is to be expected.", OWN,
    ),
}  # fmt: skip
