"""The value of each factor of a text by hand, awkward texts among them; five more stand in test_texts.py."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from texts import english
from texts.factors.tone import score
from texts.factors.wording import syllables
from texts.measure import measure_answers, measure_texts, measuring
from texts.reading import Reading
from texts.registry import factors

LONG = " ".join(f"w{k % 60}" for k in range(200))  # every run of 50 words differs within itself


def value(name: str, body: str) -> float:
    return float(measure_texts([body], [name])[0, 0])


TABLE: dict[str, list[tuple[str, float]]] = {
    "characters": [("", 0), (" a\n", 3), ("你好", 2), ("👍🏽", 2), ("é", 1)],
    "empty": [("", 1), (" \n\t", 1), (".", 0), ("one", 0)],
    "sentences": [
        ("", 0), ("one", 1), ("...", 0), ("A b. C d! E?", 3), ("Dr. No met Mr. J. Smith, e.g. in Oslo.", 1), ("Cats, dogs etc. bark. I said no. Why? See no. 5.", 4), ("Plan B.", 1), ("3.14 is pi.", 1),
        ("你好。再见！", 2), ("مرحبا. كيف حالك؟", 2), ("He said \"Go!\" and went.", 2), ("- a\n- b\n\n# c\n\nd e", 4),
        ("```\na. b. c.\n```", 0), ("Wait… what?!", 2), ("See www.a.b/c. Then d.", 1), ("a\nb", 1),
    ],
    "sentence_length": [("", 0), ("one", 1), ("A b c. D.", 2), ("你好。", 2), ("- a b\n- c d e f", 3), ("`x`", 0)],
    "paragraphs": [("", 0), ("a", 1), ("a\nb\n\nc", 2), ("a\r\n \r\n\r\nb", 2), ("\n\n a \n\n", 1), ("a\rb\r\rc", 2)],
    "reading_grade": [
        ("", 0), ("你好", 0), ("The cat sat.", 0),  # .39 · 3 + 11.8 − 15.59 < 0
        # 6 words of 3 + 5 + 2 + 3 + 2 + 3 syllables
        ("Several universities offer computing degrees nowadays", 0.39 * 6 + 11.8 * 18 / 6 - 15.59),
        ("antidisestablishmentarianism", 30), ("word " * 1000, 30),
    ],
    "lexical_diversity": [("", 0), ("one", 1), ("a a a a", 0.25), ("The the", 0.5), ("a b a c", 0.75), (LONG, 1), ("a " * 100, 0.02),
                          ("你好你", 2 / 3)],
    "repetition": [("", 0), ("a b c", 0), ("a b c d", 0), ("a a a a a", 0.5), ("a b c d a b c d", 0.2), ("x" * 9, 0)],
    "code_blocks": [("", 0), ("```\na\n```", 1), ("```\na", 1), ("    a\n\n    b", 1), ("`a`", 0), ("~~~\na\n~~~\n\n```\nb\n```", 2),
                    ("- a\n\n      b", 1)],
    "code_share": [("", 0), ("a", 0), ("`a`b", 0.75), ("```\nab\n```", 1), ("ab `c d`", 4 / 6)],
    "tables": [("", 0), ("|a|\n|-|\n|b|", 1), ("a | b", 0), ("|a|\n|-|\n\n|b|\n|-|\n|c|", 2), ("```\n|a|\n|-|\n```", 0)],
    "brackets": [("", 0), ("(a)", 1), ("(a (b) c) [d]", 2), ("(a", 0), ("a) b :)", 0), ("（你）", 1), ("`(a)` [b](c)", 0), ("(a\n\nb)", 0),
                 ("{a[b}c]", 1), ("((((", 0)],
    "emoji": [("", 0), ("👍", 1), ("👍🏽👍", 2), ("👩‍👩‍👧‍👦", 1), ("🇳🇴🇸🇪", 2), ("✓ done ★", 2), ("1️⃣ 2", 1), ("`👍`", 0), (":)", 0), ("你", 0)],
    "numbers": [("", 0), ("3.14, 1,000 and 10:30", 3), ("GPT-4 H2O v1.2", 0), ("50% $5 2nd", 3), ("٣ apples", 1), ("1. a\n2. b", 0),
                ("2020-01-02", 1), ("`7` http://a.b/7", 0), ("-5 x=6", 2), ("你2020年", 0), ("1,2,3,", 1)],
    "questions": [("", 0), ("a? b?? c?!", 3), ("什么？", 1), ("كيف؟", 1), ("http://a.b?c=d", 0), ("`a?`", 0), ("¿a", 0)],
    "exclamations": [("", 0), ("a! b!!! c?!", 2), ("好！", 1), ("a != b", 0), ("![a](b)", 0), ("`!`", 0)],
    "hedges": [("", 0), ("maybe", 1), ("Perhaps it may rain.", 2), ("In May it rained.", 0), ("I guess, probably.", 2), ("`maybe`", 0),
               ("Il pleut peut-être", 0), ("MAYBE", 1), ("It seems\nto work", 1), ("possibly possible", 2)],
    "assertive": [("", 0), ("It is certainly so.", 1), ("This is not always so.", 0), ("Of course! Never.", 2), ("in fact", 1),
                  ("it isn't clearly so, obviously", 1)],
    "first_person": [("", 0), ("I think we should, said my aunt", 3), ("the US, i.e. us", 1), ("I’m", 1), ("Let's go", 1), ("iii", 0)],
    "politeness": [("", 0), ("Please help. Thank you!", 2), ("Thanks a lot", 1), ("pleased", 0), ("I'd be happy to help", 1)],
    "apologies": [("", 0), ("I'm sorry. I apologise!", 2), ("sorrow", 0), ("My apologies", 1)],
    "refusals": [("", 0), ("I cannot help you", 1), ("I can't wait", 0), ("As an AI, I’m unable to answer", 2), ("you cannot help", 0)],
    "informal": [("", 0), ("don't", 1), ("Yeah, it's gonna rain", 3), ("the dog's bone", 0), ("John's", 0), ("we'll we’re", 2), ("books' 'a'", 0)],
    "sentiment": [("", 0), ("The train leaves.", 0), ("你好", 0), ("`good`", 0)],
    "not_english": [
        ("", 0), ("4", 0), ("Das ist ein langer Satz auf Deutsch, nicht wahr?", 1), ("This is a sentence in English, is it not?", 0),
        ("这是一个中文句子，对不对？", 1), ("هذه جملة طويلة باللغة العربية", 1), ("Bonjour", 0), ("```\nfor each x in range do print x end\n```", 0),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("name", "body", "expected"), [(name, *case) for name, cases in TABLE.items() for case in cases])
def test_by_hand(name: str, body: str, expected: float) -> None:
    assert value(name, body) == pytest.approx(expected, abs=1e-12)


def test_every_factor_has_a_case_by_hand() -> None:
    elsewhere = {"words", "lists", "headers", "bold", "citations"}  # test_texts.py
    assert {one.name for one in factors(of="text")} == set(TABLE) | elsewhere


def test_sentiment_is_the_mean_of_its_sentences() -> None:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    score = SentimentIntensityAnalyzer().polarity_scores
    good, bad = (score(text)["compound"] for text in ("I love it.", "This is terrible!"))
    assert good > 0 > bad
    assert value("sentiment", "I love it. This is terrible! The train leaves.") == pytest.approx((good + bad) / 3)
    assert -1 <= value("sentiment", "horrible " * 10_000) < 0


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["good", "BAD!", ":)", ":-(", "the", "kind of", "hate.", "(love)", "not", "table", "but", "great!!", "'ugly'", "x", "😀",
                                 "n't", "sucks", "the shit", "least", "é", "GREAT", "no", "cut the mustard"]), max_size=8).map(" ".join))  # fmt: skip
def test_a_sentence_without_a_word_of_the_list_is_not_asked_about(sentence: str) -> None:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    assert score(sentence) == SentimentIntensityAnalyzer().polarity_scores(sentence)["compound"]


words = st.lists(st.sampled_from("abcdefgh"), max_size=130)


@settings(max_examples=50, deadline=None)
@given(words)
def test_diversity_and_repetition_by_their_definitions(found: list[str]) -> None:
    n = min(50, len(found))
    windows = [len(set(found[k : k + n])) / n for k in range(len(found) - n + 1)] if n else [0]
    assert value("lexical_diversity", " ".join(found)) == pytest.approx(np.mean(windows))
    grams = [tuple(found[k : k + 4]) for k in range(len(found) - 3)]
    again = sum(gram in grams[:k] for k, gram in enumerate(grams))
    assert value("repetition", " ".join(found)) == pytest.approx(again / len(grams) if grams else 0)


ANSWERS: dict[str, list[tuple[str, str | None, float]]] = {
    "prompt_overlap": [
        ("", "", 0), ("cats sleep", None, math.nan), ("cats sleep", "Why do cats sleep?", 1), ("dogs", "Why do cats sleep?", 0),
        ("CATS run", "cats sleep", 0.5), ("anything", "what is it?", 0), ("你", "你好", 0.5), ("`cats`", "cats", 0),
    ],
    "other_language": [
        ("This is a sentence in English.", "This is another English sentence.", 0), ("", "This is another English sentence.", 0),
        ("Das ist ein ganzer Satz auf Deutsch.", "This is another English sentence.", 1), ("Das ist ein Satz auf Deutsch.", None, math.nan),
        ("4", "This is another English sentence.", 0), ("这是一个中文句子，对不对？", "这是另一个中文句子，好吗？", 0),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("name", "case"), [(name, case) for name, cases in ANSWERS.items() for case in cases])
def test_answers_by_hand(name: str, case: tuple[str, str | None, float]) -> None:
    body, prompt, expected = case
    assert measure_answers([body], [prompt], [name])[0, 0] == pytest.approx(expected, nan_ok=True)


def test_every_factor_of_an_answer_has_a_case() -> None:
    assert {one.name for one in factors(of="answer")} == set(ANSWERS)


def test_a_factor_is_measured_from_what_it_is_of() -> None:
    with pytest.raises(ValueError, match="'prompt_overlap' is a factor of answer, not of text"):
        measure_texts([""], ["prompt_overlap"])
    with pytest.raises(ValueError, match="'words' is a factor of text, not of answer"):
        measure_answers([""], [""], ["words"])
    with pytest.raises(ValueError, match="'prompt_similarity' is a factor of meaning, not of text"):
        measure_texts([""], ["prompt_similarity"])
    assert [one.name for one in factors(of="meaning")] == ["prompt_similarity"]
    assert factors(["words", "bold"], of="answer") == ()


def test_two_processes_measure_answers_as_one_does() -> None:
    rng = np.random.default_rng(0)
    words = [f"word{k}" for k in range(50)]
    bodies = [" ".join(rng.choice(words, int(rng.integers(0, 300)))) for _ in range(300)]
    prompts = [None if k % 7 == 0 else " ".join(rng.choice(words, 6)) for k in range(300)]
    names = ["prompt_overlap", "other_language"]
    with measuring(0) as alone:
        one = np.vstack(list(alone(bodies, names, prompts=prompts)))
    with measuring(0, workers=2) as together:
        two = np.vstack(list(together(bodies, names, prompts=prompts)))
    np.testing.assert_array_equal(one, two)
    assert np.isnan(one[::7]).all()
    assert not np.isnan(one[1::7]).any()


@pytest.mark.parametrize(
    ("word", "n"),
    [("the", 1), ("cat", 1), ("table", 2), ("walked", 1), ("wanted", 2), ("university", 5), ("being", 2),
     ("reliable", 4), ("houses", 2), ("makes", 1), ("rhythm", 2), ("didn't", 2), ("you", 1), ("computing", 3), ("7", 1), ("straße", 1)],
)  # fmt: skip
def test_syllables(word: str, n: int) -> None:
    assert syllables(word) == n


def test_every_value_of_an_empty_text_is_0_but_the_flag() -> None:
    names = [one.name for one in factors(of="text")]
    values = dict(zip(names, measure_texts([""], names)[0], strict=True))
    assert {name for name, one in values.items() if one} == {"empty"}


AWKWARD = ("", "\0", "a" * 100_000, "你" * 20_000, "مرحبا بالعالم " * 500, "👩‍👩‍👧‍👦" * 500, "**# [(`" * 200, "\ud800 lone", "a\u202eb", "Ǆ İ ß ﬁ" * 50,
           "> " * 500 + "a", "| a " * 300 + "|\n" + "|-" * 300 + "|\n" + "| b " * 300)  # fmt: skip


@pytest.mark.parametrize("body", AWKWARD, ids=range(len(AWKWARD)))
def test_values_lie_in_their_ranges(body: str) -> None:
    found = factors(of="text")
    for one, x in zip(found, measure_texts([body], [one.name for one in found])[0], strict=True):
        assert one.low is None or x >= one.low, one.name
        assert one.high is None or x <= one.high, one.name
        assert math.isfinite(x), one.name
    for one, x in zip(factors(of="answer"), measure_answers([body], [body], [one.name for one in factors(of="answer")])[0], strict=True):
        assert 0 <= x <= 1, one.name


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The library opens at nine and closes at five in the afternoon.", "en"), ("Die Bibliothek öffnet um neun Uhr morgens.", "de"),
        ("La bibliothèque ouvre à neuf heures du matin.", "fr"), ("La biblioteca abre a las nueve de la mañana.", "es"),
        ("Библиотека открывается в девять часов утра.", "ru"), ("図書館は朝九時に開きます。", "ja"), ("도서관은 아침 아홉 시에 문을 엽니다.", "ko"),
        ("المكتبة تفتح أبوابها في التاسعة صباحا", "ar"), ("पुस्तकालय सुबह नौ बजे खुलता है और शाम को बंद होता है", "hi"), ("Short one", None), ("", None), ("12345 67890", None),
        ("De bibliotheek is in de winter niet over acht uur open, dat is voor mij te laat.", "nl"),
        ("Il a dit que the end est proche, mais les enfants ne veulent pas le croire du tout.", "fr"),
    ],
)  # fmt: skip
def test_languages(text: str, code: str | None) -> None:
    assert Reading(text).language == code


def test_phrases_of_a_line() -> None:
    assert list(english.expand("a {b|c} {|d}")) == [("a", "b"), ("a", "b", "d"), ("a", "c"), ("a", "c", "d")]
    assert list(english.expand("seem{|s}")) == [("seem",), ("seems",)]


def test_lists_are_lower_case_words_that_a_text_can_hold() -> None:
    for name, lines in english.LISTS.items():
        for line in lines.strip().splitlines():
            for phrase in english.expand(line):
                assert tuple(Reading(" ".join(phrase)).words.text) == phrase, (name, phrase)


def test_the_longest_phrase_counts_and_none_within_another() -> None:
    words = ["as", "an", "ai", "language", "model", "i", "am", "not", "sure"]
    found = english.find_phrases(words, [True] * 8 + [False])
    assert found["refusals"] == [(0, 4)]
    assert found["hedges"] == [(5, 8)]
    apart = english.find_phrases(words, [False] * 9)
    assert apart["refusals"] == apart["hedges"] == []
