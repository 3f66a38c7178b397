"""Do the written responses look as their style says, and can a stranger read them?"""

import re
from random import Random

import pytest

from data.simulate.texts import SCENARIOS, Style, topics, write_response

PLAIN = Style(words=110, items=0, bold=0, hedges=0, first_person=0, question=False, apology=False, care=1.0)


def written(**style):
    """One response to every first prompt in a style that departs from plain prose of 110 words."""
    return [
        (topic, write_response(topic, 0, Style(**(vars(PLAIN) | style)), Random(k))) for k, topic in enumerate(topics())
    ]


def test_every_topic_is_complete():
    assert len(topics()) == 8 * 13
    for topic in topics():
        assert len(topic.prompts) == 3, topic.subject
        assert len(topic.leads) == 2, topic.subject
        assert len(topic.points) == 5, topic.subject
        assert topic.caveat.endswith("."), topic.subject
        assert all(p.sentence[-1] in ".?" and p.detail[-1] in ".?" for p in topic.points), topic.subject
        assert (topic.scenario == "code") == bool(topic.code), topic.subject
    assert len({prompt for topic in topics() for prompt in topic.prompts}) == 312


@pytest.mark.parametrize("aim", [80, 110, 140])
def test_the_length_is_near_the_aim(aim):
    counts = [len(text.split()) for topic, text in written(words=aim) if topic.scenario != "code"]
    # Whole sentences of about ten words: half of one on either side, and a code block cannot be shortened.
    assert sum(counts) / len(counts) == pytest.approx(aim, abs=6)
    assert max(abs(count - aim) for count in counts) <= 30


@pytest.mark.parametrize("items", [2, 4])
def test_lists_have_as_many_items_as_planted(items):
    for _, text in written(items=items):
        assert len(re.findall(r"^(?:-|\d\.) ", text, flags=re.MULTILINE)) == items


def test_plain_responses_have_no_list_bold_hedge_question_or_apology():
    for topic, text in written():
        prose = text.replace(topic.code, "")
        assert not re.search(r"^(?:-|\d\.) ", prose, flags=re.MULTILINE)
        assert "**" not in prose
        assert not re.search(r"Sorry|apologise|in all likelihood|It seems that", prose)
        assert not prose.endswith("?")


def test_knobs_show():
    assert all(text.count("**") == 4 for _, text in written(bold=2, items=3))
    assert all(text.rstrip().endswith("?") for _, text in written(question=True))
    assert all(re.match(r"Sorry|I ap|I am sorry", text) for _, text in written(apology=True))
    assert all("## In short" in text for _, text in written(bold=3, words=180))
    changed = [a != b for (_, a), (_, b) in zip(written(hedges=3), written(), strict=True)]
    assert all(changed)
    assert all(re.search(r"\b(I|me)\b", text) for _, text in written(first_person=2))


def test_a_careful_model_attends_to_what_was_asked():
    moon = next(topic for topic in topics() if topic.subject == "the seasons")
    asked = next(k for k, prompt in enumerate(moon.prompts) if "Australia" in prompt)
    short = dict(vars(PLAIN), words=60)

    def share(care):
        style = Style(**(short | {"care": care}))
        return sum("Sydney" in write_response(moon, asked, style, Random(k)) for k in range(60)) / 60

    # Two or three of five points fit: chance alone gives about a half.
    assert share(1.0) > share(0.0) + 0.2


def test_texts_are_well_formed():
    for items, bold, hedges in ((0, 0, 2), (3, 1, 3), (5, 4, 0)):
        for topic, text in written(items=items, bold=bold, hedges=hedges, first_person=1):
            prose = re.sub(r"`[^`]*`", "code", text.replace(topic.code, ""))
            assert not re.search(r"\{\w+\}|  |\.\.|,,| \.|\n\n\n", prose), text
            assert text == text.strip()
            assert text.count("```") in (0, 2)


def test_the_same_random_state_writes_the_same():
    topic = topics()[5]
    assert write_response(topic, 1, PLAIN, Random(3)) == write_response(topic, 1, PLAIN, Random(3))
    careless = Style(**(vars(PLAIN) | {"care": 0.0}))
    # The plainest style of all leaves only the choice of lead and points: still two in three differ.
    assert len({write_response(topic, 1, careless, Random(k)) for k in range(50)}) > 33


def test_scenarios_have_readable_names():
    assert len(set(SCENARIOS.values())) == 8
