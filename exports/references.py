"""Whose methods does a study use? Its sources as BibTeX for a paper and as sentences for a reader.

The entries stand in references.bib beside this module, one a source, in the order of their keys. A study names the
sources of what it always does; where an option chooses another method (how ties enter, an estimator), that has its
own.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("references.bib")

_CLUSTERED = ("liang1986", "bell2002", "mackinnon2023")
_STRENGTHS = ("bradley1952", "ford1957", *_CLUSTERED)
_WEIGHTS = ("papke1996", "albert1984", *_CLUSTERED)
_Q = ("benjamini1995",)
_GAPS = (*_WEIGHTS, "allison1999", "williams2009", "schuirmann1987", *_Q)
_POOLED = ("rubin1981", "gelman2006", "welch1951")

SOURCES: Mapping[str, tuple[str, ...]] = {
    "agreement": ("cohen1960", "gwet2008", "fleiss1971", "krippendorff2011", *_CLUSTERED, *_Q),
    "alt-test": ("calderon2025alt", "benjamini2001", *_CLUSTERED),
    "audit": ("koo2024", "ye2024", "wang2025", "chen2025", "wataoka2024", "mcnemar1947", "anderson1949", *_Q,
              *_CLUSTERED),
    "calibration": ("naeini2015", "guo2017", "brier1950", *_CLUSTERED),
    "compare": (*_STRENGTHS, "allison1999", "williams2009", "schuirmann1987", "spearman1904", "kendall1945",
                "efron1982", *_Q),
    "control": (*_STRENGTHS, "li2024style", *_Q),
    "correct": ("angelopoulos2023", "boyeau2024", *_STRENGTHS),
    "criteria": ("thorndike1920", *_WEIGHTS, *_Q),
    "datasets coverage": (),
    "datasets health": ("ford1957",),
    "disagreement": ("shapley1953", "lipovetsky2001", "efron1982"),
    "examples": (),
    "factors amce": ("hainmueller2014", "leeper2020", *_CLUSTERED, *_Q),
    "factors bayes": ("li2024dissecting", "sharma2023", "minka2001", "seeger2008"),
    "factors cpm": ("go2023",),
    "factors decided": _WEIGHTS,
    "factors explain": ("shapley1953", "lundberg2017", "owen1972", *_WEIGHTS),
    "factors fit": (*_WEIGHTS, *_Q),
    "factors gap": (*_GAPS, "mood2010", "bloom1995"),
    "factors groups": (*_GAPS,),
    "factors hierarchical": ("calderon2025multi",),
    "factors labels": ("hu2023", *_STRENGTHS),
    "factors lasso": ("hosking2024", "meinshausen2010"),
    "factors list": (),
    "factors matrix": ("li2024dissecting", "sokal1958", "barjoseph2001", *_WEIGHTS, *_Q),
    "factors pooled": (*_POOLED, *_GAPS),
    "factors properties": ("li2024dissecting",),
    "factors scenarios": _GAPS,
    "factors sheet": (),
    "factors strength": ("findeis2025", *_CLUSTERED),
    "factors table": (),
    "factors tau": ("oh2024", "kendall1945", *_CLUSTERED),
    "factors trust": ("spearman1910", "brown1910", *_WEIGHTS),
    "factors try": _WEIGHTS,
    "factors variants": _GAPS,
    "fit-check": ("kendall1940", "jiang2011", "kline2012", "canay2017", "smyth2004", *_STRENGTHS, *_Q),
    "judge-again": ("mcnemar1947",),
    "next-pairs": ("fedorov1972", *_STRENGTHS),
    "places": ("mogstad2024", "holm1979", "piepho2004", *_STRENGTHS),
    "rank": (*_STRENGTHS, "mogstad2024"),
    "reliability": ("spearman1904", "spearman1910", "brown1910", *_STRENGTHS),
    "reward-models": ("wang2024", "satterthwaite1946", *_CLUSTERED, *_Q),
    "scenario-agreement": (*_POOLED, *_CLUSTERED),
    "scenario-matrix": (*_POOLED, "hedges1985", "spearman1904", *_GAPS),
    "scenario-orders": ("spearman1904", "kendall1945", "efron1982", *_STRENGTHS),
    "scenarios": (*_POOLED, "smyth2004", "minka2001", *_STRENGTHS, *_Q),
    "shares": ("fuller1987", "carroll2006", "lin1991", *_CLUSTERED),
    "similarity": ("li2024dissecting", "webber2010", "torgerson1952", "gower1966", "sokal1958", "barjoseph2001"),
    "stand-in": _CLUSTERED,
    "tie-policies": ("davidson1970", "rao1967", "papke1996", *_STRENGTHS, "mogstad2024"),
    "winrate": ("dubois2024", "bock1981", "bradley1952", *_CLUSTERED),
}
"""Command of a study -> the keys of its sources, those of its own method first. Empty: it counts or lists."""

_CHOSEN = {
    ("ties", "davidson"): ("davidson1970",), ("ties", "rao-kupper"): ("rao1967",), ("ties", "half"): ("papke1996",),
    ("cluster", "prompt+annotator"): ("cameron2011",), ("estimator", "laplace"): ("li2024dissecting", "minka2001"),
}  # fmt: skip
"""(option, value) -> what it adds."""


def cite_keys(command: str, settings: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """The keys of a study's sources, those of its own method first.

    settings : how it was asked, which may add some. Raises KeyError for no registered study.
    """
    keys = list(SOURCES[command])
    fitted = "bradley1952" in keys or "papke1996" in keys
    for choice, more in _CHOSEN.items():
        if settings is not None and settings.get(choice[0]) == choice[1] and (choice[0] == "estimator" or fitted):
            keys += more
    return tuple(dict.fromkeys(keys))


def bibtex(command: str, settings: Mapping[str, Any] | None = None) -> str:
    """The sources of a study as a BibTeX file; empty for a study that counts or lists. settings : see `cite_keys`"""
    return entries(cite_keys(command, settings))


def entries(keys: Iterable[str]) -> str:
    """The BibTeX of these sources, one each."""
    return "\n".join(library()[key] for key in dict.fromkeys(keys))


@functools.cache
def library() -> dict[str, str]:
    """Key -> entry, of every source there is."""
    found = re.finditer(r"^@\w+\{(\w+),\n.*?^\}\n", _FILE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return {entry[1]: entry[0] for entry in found}


def sentence(key: str) -> str:
    """A source as a reader finds it in a list: authors (year). Title. Where."""
    told = {name: _plain(value) for name, value in re.findall(r"^  (\w+) = \{(.*)\},$", library()[key], re.MULTILINE)}
    where = told.get("journal") or told.get("booktitle") or told.get("howpublished") or ""
    where = where or ", ".join(told[k] for k in ("institution", "publisher") if k in told)
    if "volume" in told:
        where += f" {told['volume']}" + (f"({told['number']})" if "number" in told else "")
    if "pages" in told:
        where += f", {told['pages']}"
    stop = "" if told["title"].endswith("?") else "."
    return f"{_authors(told['author'])} ({told['year']}). {told['title']}{stop} {where}."


def _authors(names: str) -> str:
    people = names.split(" and ")
    if people[-1] == "others":
        return people[0] + " et al."
    return people[0] if len(people) == 1 else ", ".join(people[:-1]) + " and " + people[-1]


_MARKS = {r"{\O}": "Ø", r"{\'a}": "á", r'{\"u}': "ü", r"\&": "&", "--": "–"}


def _plain(text: str) -> str:
    for written, read in _MARKS.items():
        text = text.replace(written, read)
    return text.replace("{", "").replace("}", "")
