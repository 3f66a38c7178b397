"""Where a factor counted: as many places as its value, apart, inside the text, and where the parser found them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from texts.markdown import _SIGNS, FILLED, apart, parse, plain
from texts.measure import measure_texts
from texts.reading import Reading
from texts.registry import factors

COUNTING = tuple(one for one in factors(of="text") if one.spans is not None)
NAMES = tuple(one.name for one in factors(of="text"))

AWKWARD = (
    "", " ", "one", "\n", "\r\n\r\n", "ärger\r\n\r\n- a\r\n- b **c**\r\n", "**unclosed and `open", "``` \nno end", "# \n#\n##",
    "> - 1. # **a** (b)\n>   > `c`", "| a | b \\| **c** |\n|---|---|\n| `d` | [e](f) (g) |", "مرحبا (بالعالم)؟ **نعم** 3.14!",
    "你好！请问（这里）？2020年。", "👩‍👩‍👧‍👦🇳🇴 ✓ ok!! **👍🏽**", "****a**** **b **c** d**", "[[1]](u) [2], [3-4] www.x.y http://z.w",
    "- • a\n\n    code\n\n\tcode\n* * * \n***", "Dr. No said: \"I can't help (with that).\" Really?! May I?", "a" * 5000,
    "Title\n===\nsub\n---\n<div>(x) 12</div>\n<!-- (y) 13 -->", "\0(\0)\0 1 **\0** `\0`", "İ may Ⱥ perhaps (ß)", "((((a)b)c) [x}", "&amp; (&lt;) 5",
    "-\ttab **b**\n\t- sub **c**\n-\t\tcode", "[r] and [r][r]\n\n[r]: http://b.c 'title (x)'", "1. 1\n2. 2\n   - 3", "see (May, 2020) (Smith, 2020)",
)  # fmt: skip

signs = st.text(alphabet="ab1.)(-+*_#[]<>`|~=\\&•◦!?\"' \t\r\n\0你！👍é:/", max_size=80)
pieces = st.lists(
    st.sampled_from(
        ["**", "__", "*", "`", "```\n", "- ", "1. ", "> ", "# ", "\n", "\n\n", "\r\n", "    ", "\t", "|", "\n|-|-|\n", "[", "](u)",
         "a", "b (c)", "http://x.y?z=1", "<b>", "![i](j)", "I may", "cannot help", "sorry", "5", "\\|", "\\*", "===", "<div>", "?!"]
    ),
    max_size=25,
).map("".join)  # fmt: skip


def check(body: str) -> None:
    reading = Reading(body)
    values = measure_texts([body], [one.name for one in COUNTING])[0]
    for one, value in zip(COUNTING, values, strict=True):
        assert one.spans is not None
        spans = one.spans(reading)
        assert len(spans) == value, (one.name, spans)
        ends = [0]
        for start, end in spans:
            assert ends[-1] <= start < end <= len(body), (one.name, spans)
            ends.append(end)


@pytest.mark.parametrize("body", AWKWARD)
def test_as_many_places_as_counted(body: str) -> None:
    check(body)


@settings(max_examples=300, deadline=None)
@given(st.one_of(signs, pieces, st.text(max_size=60)))
def test_as_many_places_as_counted_in_any_text(body: str) -> None:
    check(body)


@settings(max_examples=300, deadline=None)
@given(st.one_of(signs, pieces))
def test_as_many_as_the_parser_alone_finds(body: str) -> None:
    """The places are found by rules put around the parser's own; its tokens by themselves say how many there are."""
    tokens = MarkdownIt("commonmark").enable("table").parse(body)
    phrases = [child.type for token in tokens for child in token.children or []]
    blocks = [token.type for token in tokens]
    found = parse(body)
    assert len(found.bold) == phrases.count("strong_open")
    assert len(found.links) == phrases.count("link_open")
    assert len(found.inline_code) == phrases.count("code_inline")
    assert len(found.headings) == blocks.count("heading_open")
    assert len(found.items) >= blocks.count("list_item_open")
    assert len(found.code) == blocks.count("fence") + blocks.count("code_block")
    assert len(found.tables) == blocks.count("table_open")
    assert len(found.prose) == len(body)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab1.)-+*_#[]<>`|~=\\&•◦ \t\n(", max_size=60))
def test_what_is_read_without_a_parser_has_no_markup(body: str) -> None:
    """The short cut for plain texts takes none that the parser would find something in."""
    if _SIGNS.search(body) is None:
        found, short = parse(body), plain(body)
        assert not any((found.items, found.headings, found.bold, found.links, found.code, found.tables))
        assert found.prose.split() == short.prose.split()
        assert [body[a:b].split() for a, b in found.blocks] == [body[a:b].split() for a, b in short.blocks]


@pytest.mark.parametrize(
    ("name", "body", "marked"),
    [
        ("lists", "- a\n  1. b\n• c", ["-", "1.", "•"]),
        ("headers", "# a b\n\nc\n===\n#", ["a b", "c", "#"]),
        ("bold", "x **a *b*** and __c__\nand **d\ne**", ["**a *b***", "__c__", "**d\ne**"]),
        ("bold", "| **a** | a **a** |\n|-|-|\n| b \\| **c** | |", ["**a**", "**a**", "**c**"]),
        ("code_blocks", "a\n```py\nb\n```\n\n    c\nd", ["```py\nb\n```", "c"]),
        ("tables", "a\n\n| b |\n|---|\n| c |\n\nd", ["| b |\n|---|\n| c |"]),
        ("citations", "[a](b) at http://c.d, e [1] (Wu, 2019; Li, 2020)", ["[a](b)", "http://c.d,", "[1]", "(Wu, 2019"]),
        ("brackets", "a (b (c)) [d] (e\n\nf) {g}", ["(b (c))", "[d]", "{g}"]),
        ("questions", "a? b?! c ¿d", ["?", "?!"]),
        ("hedges", "It **may well** be; perhaps.\nI\nthink so.", ["may", "perhaps", "I\nthink"]),
        ("refusals", "As an AI language model, I can’t help.", ["As an AI language model", "I can’t help"]),
        ("first_person", "I'm in the US, let us see: we", ["I'm", "us", "we"]),
        ("sentences", "Dr. No left. He ran!\n- and\n- so on", ["Dr. No left.", "He ran!", "and", "so on"]),
        ("paragraphs", "a\nb\n\n \nc\r\n\r\nd", ["a\nb", "c", "d"]),
        ("emoji", "👩‍👩‍👧 and 🇳🇴🇸🇪 ✓", ["👩‍👩‍👧", "🇳🇴", "🇸🇪", "✓"]),
        ("numbers", "1. **2,5** and 2020-01-02 (3%)", ["2,5", "2020-01-02", "3"]),
    ],
)  # fmt: skip
def test_places_by_hand(name: str, body: str, marked: list[str]) -> None:
    (one,) = factors([name])
    assert one.spans is not None
    assert [body[start:end] for start, end in one.spans(Reading(body))] == marked


def test_prose_leaves_out_code_and_addresses_and_keeps_places() -> None:
    body = "# A *b* `c` [d](e)\n\n    f\n\ng http://h.i <u>j</u> ![k](l) m"
    prose = Reading(body).prose
    assert len(prose) == len(body)
    assert prose.replace(FILLED, "").split() == ["A", "b", "d", "g", "j", "m"]
    assert all(prose[at] in (body[at], " ", FILLED) for at in range(len(body)))


def test_one_place_within_another_ends_it() -> None:
    assert apart([(3, 9), (0, 12), (20, 21)]) == [(0, 3), (3, 9), (20, 21)]
    assert apart([]) == []


HOSTILE = (
    "(", "[", "*", "a", " ", "\n", "- ", "#", "`", "http://", "![", "*a ", "_a", "` ", "<", "<a ", ">", "[a](", "a](", "**x** ", "&", "\\",
    "[1", "(A", "【", "www.", "•", "|", "|-|\n", "I ", "I cannot ", "as an ", "1,", "a.", "!", "你", "👍", "a'", "Dr. ", "\t", "\r", "~", "1. ", "> ", "=\n", "a?b ", "<!--", "[^",
)  # fmt: skip


@pytest.mark.parametrize("sign", HOSTILE)
def test_no_text_takes_long(sign: str) -> None:
    """What a quadratic pattern needs for so much of one sign is a minute."""
    begun = time.process_time()
    measure_texts([sign * (30_000 // len(sign))], NAMES)
    assert time.process_time() - begun < 3


@pytest.mark.slow
@pytest.mark.every(3, "sign")
@pytest.mark.parametrize("sign", ["(", "[", "*", "a", " ", "\n", "- ", "#", "`", "http://", "你", "I cannot "])
def test_a_quarter_of_a_megabyte_takes_seconds(sign: str) -> None:
    begun = time.process_time()
    measure_texts([sign * (250_000 // len(sign))], NAMES)
    assert time.process_time() - begun < 10  # .2 to 3 s; a quadratic pattern needs an hour
