"""Writes awkward.csv: 200 pairs that real files resemble on a bad day. Run from the repository's root.

One column a judge, no models, no shown order; two cells of five empty; refusals; a scenario of three pairs and rows
without one; non-Latin scripts, 5,000-word texts, cells that begin like formulas, markup, emoji, line breaks, a word
without end and empty answers. All texts were written for this project.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
import sys
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from data.simulate.texts import SCENARIOS, Style, Topic, topics, write_response  # noqa: E402

TARGET = Path(__file__).with_name("awkward.csv")
LONG_NAME = "a-judge-whose-name-has-forty-characters!"
JUDGES = ("people", "owl judge é", LONG_NAME, "magpie_judge.v2")
N_PAIRS = 200
EMPTY_CELLS = 320  # 40 % of 200 x 4

# prompt, then three answers: every two of them make a pair.
FOREIGN = (
    (
        "为什么天空是蓝色的？",
        "因为空气把蓝光散射到四面八方。",
        "太阳光里有各种颜色，其中蓝光最容易被空气散射，所以我们看到的天空是蓝色的。傍晚光线走的路更长，天空就变红了。",
        "天空是蓝色的，因为海是蓝色的。",
    ),
    (
        "お茶とコーヒー、どちらが体に良いですか。",
        "どちらも適量なら問題ありません。",
        "お茶はカフェインが少なめで、コーヒーは目が覚めます。夜は麦茶がおすすめです。",
        "コーヒーです。理由は特にありません。",
    ),
    (
        "كيف أنام بشكل أفضل؟",
        "استيقظ في الوقت نفسه كل يوم.",
        "حاول أن تترك الهاتف خارج الغرفة، واجعل الغرفة باردة ومظلمة، ولا تشرب القهوة بعد الظهر.",
        "لا أعرف، ربما يساعدك كتاب ممل.",
    ),
    (
        "איך מכינים תה נענע?",
        "שמים נענע טרייה בכוס ומוזגים מים רותחים.",
        "מרתיחים מים, מוסיפים עלי נענע ומעט סוכר, ומחכים חמש דקות. מי שאוהב חזק מחכה עשר.",
        "קונים תה מוכן.",
    ),
    (
        "बारिश के बाद इंद्रधनुष क्यों दिखता है?",
        "पानी की बूँदें सूरज की रोशनी को रंगों में बाँट देती हैं।",
        "सूरज हमारे पीछे होता है और बारिश सामने। हर बूँद प्रकाश को मोड़ती है और सात रंग दिखाई देते हैं।",
        "क्योंकि आसमान खुश होता है।",
    ),
    (
        "Ποια είναι η πρωτεύουσα της Αυστραλίας;",
        "Η Καμπέρα.",
        "Η πρωτεύουσα είναι η Καμπέρα, μια πόλη που χτίστηκε ανάμεσα στο Σίδνεϊ και τη Μελβούρνη.",
        "Το Σίδνεϊ, νομίζω.",
    ),
    (
        "Как научиться играть на гитаре?",
        "Играйте каждый день по пятнадцать минут.",
        "Начните с трёх аккордов и песни, которую любите. Через месяц пальцы перестанут болеть.",
        "Купите гитару подороже.",
    ),
    (
        "ทำไมขนมปังถึงฟู",
        "เพราะยีสต์ทำให้เกิดแก๊สในแป้ง",
        "ยีสต์กินน้ำตาลแล้วปล่อยแก๊สออกมา กลูเตนช่วยเก็บแก๊สไว้ ขนมปังจึงฟูเมื่ออบ",
        "เพราะเตาร้อน",
    ),
)

# prompt, answer a, answer b
ODD = (
    ("=1+1 in a cell: what does a spreadsheet show?", "=1+1 is a formula, so the cell shows 2.", "It shows 11."),
    ("+49 or 0049: which prefix do I dial?", "+49 works from any mobile phone.", "-"),
    ("-5 + 3 = ?", "-2", "-8, because minus and plus give minus."),
    ("@home or at home: what is right in a letter?", "@home belongs into adverts only.", "Both."),
    ("How do I add up nine cells?", "=SUM(A1:A9)", '=HYPERLINK("http://example.org","click here")'),
    ("What does a tab at the start of a cell do?", "\tIt hides what follows.", "Nothing at all."),
    ("Show me a script tag.", "<script>alert('a')</script>", "<b>bold</b> &amp; <i>italic</i> <!-- and a comment"),
    ("What does $x$ mean in a text?", "It may be maths: $x^2 + y^2 = z^2$.", "It costs $5 to $10, I suppose."),
    ("Make a table of two rows.", "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |", "a;b\n1;2\n3;4"),
    ("Say hello with emoji.", "👋🏽 Hello! 😀🎉", "👩‍👩‍👧‍👦 and 🏳️‍🌈 and 🇺🇳: hello 👍🏿"),
    ("🤔?", "🙂", "🙃"),
    ("Name the longest word.", "Donau" + "dampfschifffahrt" * 20 + "skapitän", "Nobody knows; it can always grow."),
    ("Does “quoting” work, and 'this', and \"that\"?", 'She said: "It does, ""really""."', "«Oui», „ja“, ‘yes’."),
    ("What is a path in Windows?", "C:\\new\\table\\n, with backslashes.", "A way, on a map."),
    ("Combine letters: e + accent.", "e\u0301 looks like é but is two signs.", "é"),
    ("Write right to left inside left to right.", "The word שלום stands in the middle, السلام too.", "I cannot."),
    ("Repeat after me: nothing.", "", "Nothing."),
    ("Answer with silence.", "I am silent.", ""),
    ("null", "NULL", "None"),
    ("Is NaN a number?", "nan", "NaN stands for not a number."),
)
HAIKU = (
    "Write a haiku about a queue.",
    "Numbers on paper,\nforty-one is called again.\nI am forty-three.",
    "A long line of coats.\nSomeone laughs at the far end.\nNobody turns round.",
    "Queue, queue, queue, queue, queue,\nqueue, queue, queue, queue, queue, queue,\nqueue, and no door.",
)


def long_text(seed: int, words: int = 5000) -> str:
    """Answers on many topics, one after the other, until there are `words` words."""
    rng = Random(f"long {seed}")
    parts: list[str] = []
    while sum(len(part.split()) for part in parts) < words:
        topic = rng.choice([topic for topic in topics() if topic.scenario != "code"])
        parts.append(f"## On {topic.subject}\n\n{response(topic, rng.randrange(3), rng)}")
    text = "\n\n".join(parts)
    ends = [word.end() for word in re.finditer(r"\S+", text)]
    return text[: ends[words - 1]]


def response(topic: Topic, number: int, rng: Random) -> str:
    """An answer in a style drawn at random."""
    style = Style(
        words=rng.randrange(30, 200),
        items=rng.choice((0, 0, 2, 3, 4)),
        bold=rng.choice((0, 0, 1, 3)),
        hedges=rng.choice((0, 0, 1, 2)),
        first_person=rng.choice((0, 0, 1, 2)),
        question=rng.random() < 0.2,
        apology=rng.random() < 0.1,
        care=rng.random(),
    )
    return write_response(topic, number, style, rng)


def pairs(rng: Random) -> list[tuple[str, str, str, str]]:
    """scenario, prompt, response a, response b."""
    rows = []
    for prompt, *answers in FOREIGN:
        rows += [("other scripts", prompt, a, b) for a, b in itertools.combinations(answers, 2)]
    rows += [("haiku", HAIKU[0], a, b) for a, b in itertools.combinations(HAIKU[1:], 2)]
    rows += [("odd cells", *cells) for cells in ODD]
    rows += [("", "Write all you know.", long_text(k), long_text(k + 1)) for k in (0, 2)]
    rows += [("", "Write all you know, or be brief.", long_text(4), "I would rather be brief.")]
    usual = [topic for topic in topics() if topic.scenario in ("explain", "advice", "compare", "facts", "summarise")]
    while len(rows) < N_PAIRS:
        # Every topic in turn: its first prompt, then its second one and so on; several pairs share a prompt.
        place = len(rows) - 50
        topic = usual[place % len(usual)]
        number = (place // (2 * len(usual))) % 3
        rows.append(
            (
                SCENARIOS[topic.scenario],
                topic.prompts[number],
                response(topic, number, rng),
                response(topic, number, rng),
            )
        )
    return rows


def verdict(judge: int, a: str, b: str, rng: Random) -> str:
    """People often tie, the other judges like length, each to its own degree; all of them refuse now and then."""
    if rng.random() < (0.02, 0.04, 0.10, 0.01)[judge]:
        return "refused"
    if rng.random() < (0.25, 0.08, 0.0, 0.15)[judge]:
        return "tie"
    longer, other = ("a", "b") if len(a) > len(b) else ("b", "a")
    return longer if rng.random() < (0.55, 0.75, 0.65, 0.6)[judge] else other


def content() -> str:
    """The file's text; the same on every run."""
    rng = Random("awkward")
    rows = pairs(rng)
    # One cell of each row stays, so that every pair has at least one judgment.
    cells = [(r, j) for r in range(N_PAIRS) for j in rng.sample(range(len(JUDGES)), len(JUDGES) - 1)]
    empty = set(rng.sample(cells, EMPTY_CELLS))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["pair_id", "prompt", "scenario", "response_a", "response_b", *JUDGES])
    for r, (scenario, prompt, a, b) in enumerate(rows):
        verdicts = ["" if (r, j) in empty else verdict(j, a, b, rng) for j in range(len(JUDGES))]
        writer.writerow([f"w{r + 1:03d}", prompt, scenario, a, b, *verdicts])
    return out.getvalue()


if __name__ == "__main__":
    TARGET.write_text(content(), encoding="utf-8", newline="")
    print(f"{TARGET.name}: {TARGET.stat().st_size:,} bytes")
