"""Is one pair written so that texts stay texts and each judge leans to the side it prefers?"""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

import pytest

from charts.theme import LIGHT, marks
from ui.pair_card import BARS, CUT, LINES, card, every_verdict, safe, sides, turned


def pair(**more: object) -> dict[str, object]:
    return {"pair": 7, "key": None, "prompt_id": None, "prompt": "why?", "scenario": None, "model_a": "heron",
            "model_b": "wren", "response_a": "one", "response_b": "two"} | more  # fmt: skip


def judge(name: str = "people", a: int = 2, b: int = 1, tie: int = 1, **more: object) -> dict[str, object]:
    votes = a + b + tie
    majority = None if not votes else "a" if a > max(b, tie) else "b" if b > max(a, tie) else "tie" if tie > max(a, b) else "split"
    return {"judge": name, "kind": "human", "counted": True, "judgments": votes, "a": a, "b": b, "tie": tie,
            "both_bad": 0, "none": 0, "share_a": (a + tie / 2) / votes if votes else None, "majority": majority} | more  # fmt: skip


def verdict(**more: object) -> dict[str, object]:
    return {"judge": "people", "kind": "human", "counted": True, "annotator": None, "outcome": "a", "p_a": 1.0,
            "shown": None, "repeat": 1, "weight": 1.0, "criterion": "overall", "variant": "plain", "score_a": None,
            "score_b": None, "confidence": None, "reason": None, "n": 1} | more  # fmt: skip


def drawn(row: dict[str, object], *judges: dict[str, object], **more: bool) -> str:
    names = [str(one["judge"]) for one in judges]
    return card(row, judges, marks(names, ["people"], LIGHT), LIGHT, **more)


class Tags(HTMLParser):
    """The tags of a page, and what stands between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


HOSTILE = "</div></article><script>x()</script><img src=x onerror=x()>&amp;\"'`${x} [a](javascript:x)\x00\x1b[31m"


def test_a_hostile_text_is_nothing_but_text() -> None:
    plain = Tags(drawn(pair(), judge(), judge("gpt", 0, 1, 0)))
    row = pair(prompt=HOSTILE, response_a=HOSTILE, response_b=HOSTILE, model_a=HOSTILE, model_b="x" + HOSTILE,
               scenario=HOSTILE, key=HOSTILE, prompt_id=HOSTILE)  # fmt: skip
    found = Tags(drawn(row, judge(HOSTILE), judge("gpt", 0, 1, 0)))
    assert set(found.tags) == set(plain.tags) | {"bdi"}
    assert found.open == []
    assert found.text.count("<script>x()</script>") >= 3
    assert "␀␛[31m" in found.text
    said = Tags(every_verdict(pair(), [verdict(judge=HOSTILE, annotator=HOSTILE, reason=HOSTILE, variant=HOSTILE)],
                              marks([HOSTILE], [], LIGHT), LIGHT))  # fmt: skip
    assert {"script", "img", "a"}.isdisjoint(said.tags)


@pytest.mark.parametrize("text", ["a  b\n\n\tc ", "𝕊 مرحبا\r\n", "<b>&lt;</b>"])
def test_whitespace_and_letters_are_kept(text: str) -> None:
    assert html.unescape(safe(text)) == text
    assert safe(text) in drawn(pair(response_a=text), judge())


def test_long_texts_are_cut_until_the_whole_is_asked_for() -> None:
    row = pair(response_b="x" * CUT + "END")
    assert "END" not in drawn(row, judge())
    assert "… and 3 more characters" in drawn(row, judge())
    assert "END" in drawn(row, judge(), whole=True)


def widths(page: str) -> list[tuple[str, float]]:
    """(side on the screen, share of the bar's half) of every filled bar."""
    bars = re.findall(r'class="half (left|right)[^>]*>(?:<span class="fill" style="width: ([\d.]+)%">)?', page)
    return [(where, float(width or 0) / 76) for where, width in bars]


def test_bars_lean_to_the_side_that_is_preferred() -> None:
    assert widths(drawn(pair(), judge(a=3, b=1, tie=0))) == [("left", pytest.approx(0.75)), ("right", pytest.approx(0.25))]
    assert widths(drawn(pair(), judge(a=3, b=1, tie=0), turn=True)) == [("left", pytest.approx(0.25)), ("right", pytest.approx(0.75))]
    # A soft verdict is drawn as strong as it is.
    assert widths(drawn(pair(), judge("gpt", 1, 0, 0, share_a=0.7))) == [("left", pytest.approx(0.7)), ("right", pytest.approx(0.3))]
    assert widths(drawn(pair(), judge("gpt", 0, 0, 0, none=1))) == [("left", 0), ("right", 0)]


def test_the_answer_names_who_prefers_it() -> None:
    page = drawn(pair(), judge(a=3, b=1, tie=1), judge("gpt", 0, 1, 0), judge("gemma", 0, 1, 0, counted=False))
    left, right = page.split("<article>")[1:]
    assert "people</bdi> 3 of 5" in left
    assert "gpt" in right
    assert "gemma" not in right
    assert "not counted" in page


def test_a_model_asked_for_stands_on_the_left() -> None:
    assert turned(pair(), "wren")
    assert not turned(pair(), "heron")
    assert not turned(pair(), None)
    page = drawn(pair(), judge(), turn=True)
    assert page.index("two</div>") < page.index("one</div>")


@pytest.mark.parametrize("models", [(None, None), ("heron", "heron"), ("heron", None)])
def test_answers_without_two_models_are_a_and_b(models: tuple[str | None, str | None]) -> None:
    assert sides(pair(model_a=models[0], model_b=models[1])) == ("Answer A", "Answer B")


def test_many_judges_and_many_votes_fold() -> None:
    judges = [judge(f"judge {k}", 1, 0, 0) for k in range(65)]
    page = drawn(pair(), *judges)
    assert f"{65 - BARS} more judges" in page
    assert f"{65 - BARS} more</span>" in page
    votes = [verdict(annotator=f"person {k}") for k in range(100)]
    listed = every_verdict(pair(), votes, marks(["people"], ["people"], LIGHT), LIGHT)
    assert f"{100 - LINES} more" in listed
    assert Tags(listed).open == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (verdict(annotator="ann", shown="b"), "ann · prefers heron · wren shown first"),
        (verdict(outcome="b", p_a=0.2, repeat=2), "prefers wren (.80) · repeat 2"),
        (verdict(outcome="tie", p_a=0.5, n=3), "3 × a tie"),
        (verdict(outcome="both_bad", p_a=0.5, criterion="tone", variant="pirate"), "both bad · criterion tone · variant pirate"),
        (verdict(outcome="none", p_a=None, reason="because"), "no verdict (refused or invalid)because"),
        (verdict(weight=2.0, score_a=1.25, score_b=-3.0, confidence=0.9),
         "prefers heron · weight 2.00 · scores: heron 1.25, wren −3.00 · confidence .90"),
    ],
)  # fmt: skip
def test_a_verdict_is_a_line(row: dict[str, object], said: str) -> None:
    page = every_verdict(pair(), [row], marks(["people"], ["people"], LIGHT), LIGHT)
    item = page.split("<li>")[1].split("</li>")[0]
    assert Tags(item).text == said
