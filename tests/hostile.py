"""A dataset whose names and texts try to be more than text: HTML, links, images from elsewhere, SQL, formulas."""

from __future__ import annotations

import csv
import io

ELSEWHERE = "http://elsewhere.invalid"
MARKDOWN = f"![seen]({ELSEWHERE}/seen.png) [click](javascript:window.hacked=1) <{ELSEWHERE}/auto>"
HTML = f"<img src={ELSEWHERE}/x.png onerror=window.hacked=1><script>window.hacked=1</script><b>bold</b>"
LINK = '<a href="javascript:window.hacked=1">link</a>'
SQL = "x'; DROP TABLE judgment; --"
FORMULA = '=HYPERLINK("http://elsewhere.invalid","x")'

JUDGES = (("people <b>who</b> " + SQL, "human"), (LINK, "llm"), (FORMULA, "llm"))
MODELS = (HTML[:60], MARKDOWN[:40], FORMULA + "2", SQL)
SCENARIOS = ("<i>one</i>" + MARKDOWN[:30], SQL)
FACTOR = "f<b>'; DROP"


def rows() -> str:
    """A CSV of 144 judgments on 48 pairs, three judges, factors, scenarios and reasons, each name a trap."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["prompt", "model_a", "model_b", "response_a", "response_b", "judge", "judge_kind", "winner", "scenario",
                    "annotator", "reason", f"{FACTOR}_a", f"{FACTOR}_b", "swapped"])  # fmt: skip
    pairs = [(a, b) for a in range(4) for b in range(a)]
    for k in range(48):
        a, b = pairs[k % 6]
        for j, (judge, kind) in enumerate(JUDGES):
            table.writerow([
                f"{MARKDOWN} {HTML} {SQL} prompt {k}", MODELS[a], MODELS[b], f"{HTML} answer {k} " + "long " * (k % 7),
                f"{MARKDOWN} {LINK} answer {k} " + "- item\n" * (k % 5), judge, kind,
                "tie" if (k + j) % 11 == 0 else "ab"[(k * 7 + k // 6 + j * (k % 3)) % 3 % 2], SCENARIOS[k % 2],
                f"{LINK}{k % 5}" if kind == "human" else "", f"{HTML} {FORMULA}", (k * 13) % 10, (k * 7) % 10,
                ("true", "false")[k % 2],
            ])  # fmt: skip
    return out.getvalue()
