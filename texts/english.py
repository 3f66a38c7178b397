"""Which English words and phrases do the factors look for? Lists by factor, matched in one pass over a text's words.

A line is a phrase, {one|other} stands for either word. Case and the kind of apostrophe do not matter; a phrase is found
where its words follow each other with nothing but spaces or hyphens between. Where two phrases of a list begin alike,
the longest counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from typing import Any

# After Hyland (2005), Metadiscourse, appendix: its hedges, without words that more often do something else
# (about, around, could, should, feel, suppose to, quite, rather, would).
HEDGES = """
almost
apparently
appear{|s|ed} {that|to be|to have}
approximately
arguably
as far as {i know|we know|i am aware|i'm aware|i can tell}
{is|are|was|were} attributed to
broadly
could {well|also|be|have}
may
might
conceivably
{it|that|this|which|results|the results|findings|evidence|the evidence|studies|data|the data} suggest{|s|ed}
doubtful
essentially
fairly
for the most part
frequently
from {my|our|this} perspective
generally
{i'd|i would|i|my} guess
hypothetically
i am not {sure|certain|entirely sure}
i'm not {sure|certain|entirely sure|quite sure}
i {believe|assume|suspect|suppose|reckon|think|feel}
in {general|most cases|my opinion|my view|our opinion|our view|some cases|theory}
it depends
largely
likely
mainly
maybe
more or less
mostly
not {always|necessarily}
often
on the whole
one {would|might|could} {expect|think|argue}
perhaps
plausibl{y|e}
possibl{y|e}
potentially
presumably
probabl{y|e}
relatively
roughly
seem{|s|ed} {to|that|as if|as though|like|likely|unlikely|plausible}
seemingly
sometimes
somewhat
sort of
kind of
supposedly
tend{|s|ed} to
there is a chance
to {some|a certain|a large|my} {extent|degree|knowledge}
to the best of my knowledge
typically
usually
uncertain
unclear
unlikely
"""

# After Hyland (2005), Metadiscourse, appendix: its boosters, with further words of certainty and without words that
# more often do something else (actually, find, know, show, think, really, sure).
ASSERTIVE = """
absolutely
always
assuredly
beyond {|any|all} {doubt|question|dispute}
beyond {|a} {reasonable doubt|shadow of a doubt}
certainly
i {am|know} {|absolutely|quite|completely|for} {certain|sure}
i'm {|absolutely|quite|completely} {certain|sure|positive}
clearly
conclusively
decidedly
definitely
demonstrably
doubtless
entirely
evidently
every single
i guarantee
guaranteed
in fact
incontestably
incontrovertibl{y|e}
indeed
indisputabl{y|e}
inevitabl{y|e}
invariably
make no mistake
must
needless to say
never
no {doubt|question}
obviously
of course
plainly
prove{|s|d}
surely
totally
trust me
unarguably
undeniabl{y|e}
undisputedly
undoubtedly
unequivocal{|ly}
unmistakabl{y|e}
unquestionabl{y|e}
well known fact
without {|a|any} {doubt|question|exception}
"""

# After the politeness strategies of Danescu-Niculescu-Mizil et al. (2013): gratitude, deference, greeting, please,
# indirect requests, good wishes; apologies are a factor of their own.
POLITENESS = """
best {regards|wishes}
kind regards
congratulations
{could|would|can|may} {you|i} {please|kindly|perhaps}
dear {mr|mrs|ms|sir|madam|dr|professor|friend|all|team|customer|reader}
do not hesitate
don't hesitate
feel free
{glad|happy|pleased|delighted} {to|i could|i can} {help|assist|be of|explain|answer|share|provide}
good {morning|afternoon|evening|day}
grateful
{great|good|excellent|interesting|fantastic|wonderful} question
have a {nice|great|good|lovely|wonderful} {day|evening|weekend|time|one}
hello
hi
hope {this|that|it} helps
hope you're {well|doing well}
how {can|may} i {help|assist}
i appreciate
i would appreciate
i'd appreciate
i'm {happy|glad|pleased|delighted} to
{i'd|i would|we'd|we would} be {happy|glad|pleased|delighted} to
much appreciated
thank you
thank {him|her|them} {|very|so} much
many thanks
thanks
thanks {a lot|again|in advance|so much}
my pleasure
please
sincerely
{would|do} you mind
with pleasure
yours {truly|faithfully|sincerely}
you are {very|most} welcome
you're {|very|most} welcome
"""

# Apologies by their set phrases (the strategy "apologizing" of Danescu-Niculescu-Mizil et al. 2013, with further ones).
APOLOGIES = """
apolog{ise|ize}
apolog{ised|ized}
apolog{ising|izing}
apology
apologies
forgive me
i beg your pardon
i regret
my bad
my {mistake|fault}
my regrets
oops
pardon me
excuse me
sorry
whoops
"""

# Refusals as chat models word them; after the lists of refusal phrases by which attacks on models are scored
# (Zou et al. 2023), as phrases in the first person with a verb of helping, so that "I can't wait" is none.
CANNOT = (
    "{i cannot|i can't|i can not|i won't|i will not|i am unable to|i am not able to|i'm unable to|i'm not able to} "
    "{|directly|actually|really|currently}"
)
DOING = (
    "{help|assist|provide|answer|give|offer|write|create|generate|produce|share|support|fulfill|fulfil|comply|complete|"
    "do|engage|discuss|recommend|promote|access|browse|open|view|see|search|take part|participate|continue|respond|"
    "comment|predict|speculate|endorse|describe|tell you|advise|encourage|condone}"
)
REFUSALS = f"""
{CANNOT} {DOING}
i'm {{unable|not able}} to
i am {{unable|not able}} to
as {{a|an}} {{ai|artificial intelligence|assistant|language model|large language model|machine}}
as an ai {{language model|assistant|model}}
i am {{|just|only}} {{a|an}} {{ai|language model|large language model|ai language model|machine}}
i'm {{|just|only}} {{a|an}} {{ai|language model|large language model|ai language model|machine}}
i {{do not|don't}} have {{access to|personal|the ability|feelings|opinions|real time|information about}}
i {{must|have to}} {{decline|refuse}}
i {{refuse|decline}} to
{{i would|i'd}} rather not
i'm not comfortable
i am not comfortable
against {{my|our}} {{guidelines|policy|policies|programming|principles}}
{{violate|violates}} {{my|our|the}} {{|usage|content}} {{guidelines|policy|policies}}
not {{appropriate|ethical|possible}} for me to
my {{programming|guidelines}} {{do not|don't|does not|doesn't}} allow
"""

# Words of talk rather than of writing; contractions are found by their form.
INFORMAL = """
ain't
anyways
awesome
btw
buck{|s}
cool
crap
cuz
damn
dude{|s}
dunno
folks
freak{|s|ed|ing} out
fyi
gonna
gotta
grab
gimme
guy{|s}
haha
heck
hell yeah
hey
huh
imho
imo
kid{|s}
kinda
a bit of a
lemme
lol
lot{|s} of
no {way|worries|problem|biggie}
nah
nope
oh
ok
okay
omg
oops
ouch
outta
pretty {much|good|bad|cool|sure|nice}
screw{|ed} up
see {ya|you} later
sorta
stuff
sucks
super
thx
tons of
tbh
wanna
whoa
wow
y'all
ya
yay
yeah
yep
yup
"""

FIRST_PERSON = """
i
i'm
i'll
i've
i'd
me
my
mine
myself
we
we're
we'll
we've
we'd
us
our
ours
ourselves
let's
"""

_FUNCTION_WORDS = """
    a about above after again all also am an and any are as at be because been before being below between both but by
    can could did do does doing down during each few for from further had has have having he her here hers him his how
    i if in into is it its itself just me more most my no nor not of off on once only or other our out over own same
    she should so some such than that the their them then there these they this those through to too under until up
    very was we were what when where which while who whom why will with would you your yours i'm it's don't
"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
"""English words that say nothing about what a text is about."""

LISTS: Mapping[str, str] = {
    "hedges": HEDGES, "assertive": ASSERTIVE, "politeness": POLITENESS, "apologies": APOLOGIES, "refusals": REFUSALS,
    "informal": INFORMAL, "first_person": FIRST_PERSON,
}  # fmt: skip

_CHOICE = re.compile(r"\{([^{}]*)\}")


def expand(line: str) -> Iterator[tuple[str, ...]]:
    """The phrases of a line, each as its words in lower case."""
    parts = _CHOICE.split(line)
    choices = [part.split("|") if k % 2 else [part] for k, part in enumerate(parts)]
    for chosen in product(*choices):
        yield tuple("".join(chosen).split())


END = ""
"""Key of a trie's node: the lists that have a phrase ending there."""


@cache
def trie() -> dict[str, Any]:
    """The phrases of all lists, word by word."""
    root: dict[str, Any] = {}
    for name, lines in LISTS.items():
        for line in lines.strip().splitlines():
            for phrase in expand(line):
                node = root
                for word in phrase:
                    node = node.setdefault(word, {})
                node.setdefault(END, []).append(name)
    return root


def find_phrases(words: Sequence[str], joined: Sequence[bool]) -> dict[str, list[tuple[int, int]]]:
    """By list, the first and the last word of each phrase found, the longest at its place, none within another.

    words : in lower case, with ' as apostrophe; joined : whether nothing but space parts a word from the next
    """
    root = trie()
    found: dict[str, list[tuple[int, int]]] = {name: [] for name in LISTS}
    for at, word in enumerate(words):
        node = root.get(word)
        last = at
        longest: dict[str, int] = {}
        while node is not None:
            longest |= dict.fromkeys(node.get(END, ()), last)
            node = node.get(words[last + 1]) if joined[last] else None
            last += 1
        for name, end in longest.items():
            if not found[name] or found[name][-1][1] < at:
                found[name].append((at, end))
    return found
