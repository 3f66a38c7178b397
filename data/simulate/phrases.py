"""The small change of an answer: openings, hedges, questions and closing remarks, for any subject."""

OPENINGS = ("Good question.", "Sure.", "Happy to help.", "Here is a short answer.", "Gladly.")
APOLOGIES = (
    "Sorry, this can only be a general answer.",
    "I apologise in advance if some of this is known to you.",
    "I am sorry that there is no simpler answer.",
)
FIRST_PERSON_BEFORE = (
    "I would put it like this.",
    "I have thought about this for a moment.",
    "Let me tell you how I see it.",
)
FIRST_PERSON_AFTER = (
    "I hope this helps.",
    "I would begin with what seems easiest to you.",
    "That is how I see it, and I may have left something out.",
    "I will gladly go on from here.",
)
HEDGED_STARTS = ("In general,", "It seems that", "As far as one can tell,", "Apparently,", "In most cases")
HEDGED_ENDS = (
    "at least in most cases",
    "as far as one can tell",
    "though this may vary",
    "or so it seems",
    "in all likelihood",
)
PROPOSALS_HEDGED = ("perhaps", "as a rule", "at least at first", "at least in most cases")
IDEAS_HEDGED = ("perhaps", "or something of the kind", "at least in a first draft", "one might say")
HEDGES = (
    "There may well be exceptions.",
    "Opinions on this vary somewhat.",
    "It is perhaps not quite as simple as that.",
)
QUESTIONS = (
    "Would you like to hear more about {subject}?",
    "Shall I go into more detail on any of this?",
    "Is this what you had in mind?",
    "Which of these points matters most to you?",
)
VAGUE = (
    "There is more to say about {subject}, but this should do.",
    "Many things play a part in {subject}.",
    "As so often, it all depends.",
    "This is an important topic with many sides.",
)
BEFORE_LIST = ("The main points:", "In detail:", "What matters here:", "Worth knowing:", "One by one:")
SUMMING_UP = ("To sum up:", "In short:", "In one sentence:", "Put briefly:")
WIDER = {
    "explain": (
        "Once this picture is clear, most of the details fall into place by themselves.",
        "A small drawing helps more than many words here, so a pencil is worth having at hand.",
        "The same idea turns up in many other places as soon as one looks for it.",
    ),
    "code": (
        "A small test that fails before the change and passes after it is the best proof.",
        "Change one thing at a time, so that it is clear what helped.",
        "The official documentation has a page on this that is worth ten minutes.",
    ),
    "summarise": (
        "Everything else in the text is background to these points.",
        "The order above follows the text, so that single points are easy to find again.",
        "Dates and figures are taken over unchanged from the text.",
    ),
    "advice": (
        "Begin with one of these points today and leave the others for next week.",
        "Small steps that last are worth more than a grand plan that does not.",
        "Talking it over with a person who knows you is never wasted time.",
    ),
    "creative": (
        "Any two of these can be combined without much effort.",
        "The plainest of them often turns out to be the one that lasts.",
        "Sleep on it for a night and see which one is still there in the morning.",
    ),
    "compare": (
        "Write down what matters most to you before you look at the rest.",
        "Both choices are sound, so a mistake here is not a disaster.",
        "If you can, try both for a week before you decide.",
    ),
    "plan": (
        "Leave some room in the plan, since something always takes longer than expected.",
        "Put the dates into a calendar now, while you still feel like it.",
        "If a step has to go, drop the last one rather than hurry through all of them.",
    ),
    "facts": (
        "Figures in older books may differ slightly from those given here.",
        "A good encyclopaedia gives the sources for each of these statements.",
        "Several of these details are often told the wrong way round.",
    ),
}
