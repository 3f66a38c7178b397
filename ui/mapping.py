"""What does a dropped file hold, what could its columns mean, and which words of the command line say so?

No Streamlit here. What a name or a value suggests is data/recognise's; here stands what the user's answers make of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from data import file_shapes
from data.factor_columns import KEYS, RESEMBLING, recognised, resolve_factor_mapping
from data.fields import canonical, resolve_mapping
from data.file_shapes import Shape
from data.importers import factors, judgments, registry
from data.importers.source import digest
from data.previews import first_values, value_counts
from data.rated import is_rated
from data.recognise import ASK, Judge, Reading, Sample, Word, explain, judge_of, recognise, take_samples
from data.recognise.verdict_words import plain
from data.store import Store
from errors import MappingError

UNUSED, JUDGE, FACTOR, LIST = "", "a judge's verdicts", "a factor", "a list of responses"
ABOUT = "about the "
"""Before annotator, judge, prompt, pair: the column is a fact about it."""

OUTCOMES = {"a": "a wins", "b": "b wins", "tie": "tie", "both_bad": "both bad", "none": "no verdict"}
REJECTED = "reject"
BOTH = "response a and which response b (or model a and model b)"
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
TWINS = (("chosen", "rejected"), ("score_a", "score_b"), ("count_a", "count_b"), ("response_a", "response_b"),
         ("model_a", "model_b"))  # fmt: skip
"""Fields of which one needs the other."""
ONE_JUDGE = ""
"""The key of the judge that no column names, among the kinds."""

PEOPLE = "people"
"""The judge whose annotators columns of people can be."""


@dataclass(frozen=True)
class Look:
    """What was seen of a file.

    first : column -> its first values; counts : column -> value -> rows, of columns with few different values
    reading : what a table of judgments was understood as, None of other formats; shape : see data/file_shapes.py
    sheets : of a workbook, those that hold anything, the one that was read first
    """

    format: str
    columns: tuple[str, ...]
    rows: int
    sha256: str
    size: int
    inferred: tuple[str, ...] = ()
    first: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    samples: Mapping[str, Sample] = field(default_factory=dict)
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    reading: Reading | None = None
    shape: str | None = None
    sheets: tuple[str, ...] = ()

    @property
    def own_format(self) -> bool:
        """It is a format that says by itself what each column means."""
        return self.format != judgments.NAME

    @property
    def of_factors(self) -> bool:
        """It adds factors to a dataset that is there."""
        return self.format == factors.NAME


def look(store: Store, path: Path, sheet: str | None = None) -> Look:
    """Recognise a file, of a workbook one sheet, and read its columns. Raises FileError with what is wrong with it."""
    sha, size = digest(path), path.stat().st_size
    with store.staging() as staging:
        importer = registry.choose(path)
        con = staging.connection
        raw = registry.load(importer, path, con, staging.scratch, lambda share, text: None, sheet)
        rows = raw.n_rows + len(raw.rejections)  # also those that cannot be read, as the import counts them
        if importer.NAME != judgments.NAME:
            return Look(importer.NAME, raw.columns, rows, sha, size, raw.inferred, sheets=raw.sheets)
        first = first_values(con, raw.columns)
        if recognised(raw.columns):
            inferred = (*raw.inferred, *resolve_factor_mapping(raw.columns).inferred)
            return Look(factors.NAME, raw.columns, rows, sha, size, inferred, first, sheets=raw.sheets)
        samples = take_samples(con, raw.columns)
        counts = value_counts(con, raw.columns, [c for c, s in samples.items() if s.complete])
    kinds = {c: "list" if s.listed else "number" if s.numeric else "text" for c, s in samples.items()}
    return Look(
        importer.NAME, raw.columns, rows, sha, size, raw.inferred, first, samples, counts,
        recognise(raw.columns, samples), file_shapes.digest(kinds), raw.sheets,
    )  # fmt: skip


def guess_keys(seen: Look) -> dict[str, str]:
    """Of a table of factors, key -> the column that carries its name or resembles it."""
    by_name = {canonical(c): c for c in reversed(seen.columns)}
    found = {key: by_name[key] for key in KEYS if key in by_name}
    for key in KEYS:
        likely = [by_name[n] for n in RESEMBLING.get(key, ()) if n in by_name and by_name[n] not in found.values()]
        if key not in found and likely:
            found[key] = likely[0]
    return found


def may_be_factors(seen: Look) -> bool:
    """Whether a table holds no verdicts, and something by which responses or pairs can be looked up."""
    if seen.reading is None:
        return False
    if any(m.confidence == ASK and "rating" in m.others for m in seen.reading.columns):
        return False
    means = first_means(seen.reading).values()
    verdicts = any(m in ("winner", "p_a", "chosen", "score_a", "count_a", JUDGE, LIST) or is_rated(m) for m in means)
    return not verdicts and bool(set(guess_keys(seen)) & {"pair_id", "response", "model"})


def first_means(reading: Reading) -> dict[str, str]:
    """Column -> what it was understood as: a field, or one of JUDGE, FACTOR, LIST, UNUSED."""
    roles = {"judge": JUDGE, "factor": FACTOR, "list": LIST, "unused": UNUSED}
    return {m.column: str(m.field) if m.role == "field" else roles[m.role] for m in reading.columns}


def numbered(names: Sequence[str]) -> bool:
    """Whether names differ in a number or a letter at their end alone: rater_1 and rater_2, but not Anna and Ben."""
    stems = {re.sub(r"(?:[\W_]*\d+|[\W_]+[a-z])$", "", name.strip().casefold()) for name in names}
    return len(names) > 1 and len(stems) == 1


@dataclass(frozen=True)
class Choices:
    """What the boxes say.

    means : column -> field, JUDGE, FACTOR, LIST, ABOUT + entity, or UNUSED
    judge : a name, where no column names the judges; kinds : judge -> kind, "" where it is not said yet
    words : word for a verdict -> outcome, REJECTED, or "" where it is not said; extra : further --set
    keys : of a table of factors, key -> column; paths : of a list of responses, field -> path
    sheet : of a workbook, where the reader chose one; pool : the columns of people are annotators of one judge, PEOPLE
    """

    dataset: str
    format: str = judgments.NAME
    means: Mapping[str, str] = field(default_factory=dict)
    judge: str = ""
    kinds: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)
    sheet: str = ""
    pool: bool = False

    # -- what follows ---------------------------------------------------------------------------------------------

    @property
    def judge_columns(self) -> list[str]:
        return [c for c, meaning in self.means.items() if meaning == JUDGE]

    @property
    def people(self) -> list[str]:
        """The columns of judges who are people."""
        return [c for c in self.judge_columns if self.kinds.get(c.strip()) == "human"]

    def may_pool(self) -> bool:
        """Whether columns of people can be annotators of one judge: nobody else is called so, no column names them."""
        others = {c.strip().casefold() for c in self.judge_columns if c not in self.people}
        return len(self.people) > 1 and PEOPLE not in others and self.column("annotator") is None

    def column(self, name: str) -> str | None:
        """The column that is this field."""
        return next((c for c, meaning in self.means.items() if meaning == name), None)

    def maps(self) -> list[tuple[str, str]]:
        special = (UNUSED, JUDGE, FACTOR, LIST)
        hidden = ("judge", "winner", "p_a") if self.judge_columns else ()
        fields = [(m, c) for c, m in self.means.items() if m not in special and not m.startswith(ABOUT)]
        out = [(f, c) for f, c in fields if f not in hidden]
        return out + (list(self.paths.items()) if LIST in self.means.values() else [])

    def attributes(self) -> list[tuple[str, str]]:
        about = [(meaning.removeprefix(ABOUT), c) for c, meaning in self.means.items() if meaning.startswith(ABOUT)]
        return [(f"{entity}.{canonical(c)}", c) for entity, c in about]

    def sets(self) -> list[tuple[str, str]]:
        fields = {f for f, _ in self.maps()}
        out: list[tuple[str, str]] = []
        if any(is_rated(f) for f in fields):
            out.append(("shape", "ratings" if any(f.startswith("rating") for f in fields) else "ranked"))
        out += [(f"winner.{word}", outcome) for word, outcome in self.words.items() if outcome not in ("", REJECTED)]
        if not self.judge_columns and "judge" not in fields and self.judge.strip():
            out.append(("judge", self.judge.strip()))
            if self.kinds.get(ONE_JUDGE):
                out.append(("judge_kind", self.kinds[ONE_JUDGE]))
        if self.pool and len(self.people) > 1:
            out.append(("judge", PEOPLE))
        if "judge" in fields and not self.judge_columns:
            out += [(f"judge_kind.{name}", kind) for name, kind in self.kinds.items() if kind and name]
        return [*out, *self.extra.items()]

    def factor_keys(self) -> list[tuple[str, str]]:
        """Of a table of factors: the columns that do not carry the name of the key they are."""
        return [(key, column) for key, column in self.keys.items() if canonical(column) != key]

    def missing(self, seen: Look, name: str) -> str | None:
        """What still has to be said, in a sentence; None when the import can begin."""
        if not self.dataset.strip():
            return "Say whose factors they are." if self.format == factors.NAME else "Give the dataset a name."
        if self.format == factors.NAME and not seen.own_format:
            return self._keys_missing(seen, name)
        if seen.own_format:
            return None
        twice = [f for f in dict.fromkeys(f for f, _ in self.maps()) if [m for m, _ in self.maps()].count(f) > 1]
        if twice:
            columns = " and ".join(f"“{c}”" for f, c in self.maps() if f == twice[0])
            return f"{columns} cannot both be {twice[0].replace('_', ' ')}."
        fields = {f for f, _ in self.maps()}
        alone = [both for both in TWINS if len(fields & set(both)) == 1]
        if alone:
            there, gone = sorted(alone[0], key=lambda f: f not in fields)
            return f"Still to be said: which column is {_plain(gone)}, as one is {_plain(there)}."
        wide = [(c, self.kinds.get(c.strip()) or None) for c in self.judge_columns]
        try:
            resolve_mapping(
                seen.columns, self.maps(), self.sets(), wide, self.attributes(), name=name, automatic=False
            )
        except MappingError as error:
            lacks = re.match(r".* lacks ([a-z_, ]+)\. ", str(error))
            return f"Still to be said: {_either(lacks[1])}." if lacks else str(error)
        undecided = [f"“{_short(name)}”" if name else "the judge" for name, kind in self.kinds.items() if not kind]
        if undecided:
            if len(undecided) == 1:
                return f"Say whether {undecided[0]} is a person or a model."
            return f"Say which of {_listed(undecided)} are people."
        unclear = [w.written for w in words_in(seen, self) if must_be_said(w.word) and not self.words.get(w.word.word)]
        if unclear:
            means = "verdict means" if len(unclear) == 1 else "verdicts mean"
            return f"Say what the {means}: {_listed([f'“{_short(w)}”' for w in unclear])}."
        return None

    def _keys_missing(self, seen: Look, name: str) -> str | None:
        try:
            resolve_factor_mapping(seen.columns, self.factor_keys(), name=name)
        except MappingError as error:
            if "names neither pairs nor responses" in str(error):
                return "Say which columns name the pair; or the prompt, and the response or its model."
            return str(error)
        return None

    def arguments(self, path: Path, *more: str) -> list[str]:
        """The words after `cli.py`."""
        words = ["import", str(path), f"--dataset={self.dataset.strip()}", f"--as={self.format}"]
        if self.format == judgments.NAME:
            words.append("--only-mapped")
            words += [f"--map={f}={c}" for f, c in self.maps()]
            words += [f"--set={f}={v}" for f, v in self.sets()]
            words += [f"--judge-column={c}={self.kinds.get(c.strip()) or 'llm'}" for c in self.judge_columns]
            words += [f"--attribute={target}={c}" for target, c in self.attributes()]
        if self.format == factors.NAME:
            words += [f"--map={key}={column}" for key, column in self.factor_keys()]
        if self.sheet:
            words.append(f"--set=sheet={self.sheet}")
        return [*words, *more]

    def kept(self) -> dict[str, Any]:
        """What is remembered for the next file of the same shape."""
        return {name: value for name, value in asdict(self).items() if name not in ("dataset", "paths", "sheet")}


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _either(lacks: str) -> str:
    names = lacks.split(", ")
    columns = [_plain(n) for n in names if n not in ("judge", "response_a", "response_b")]
    if {"response_a", "response_b"} & set(names):
        columns.append(BOTH)
    out = [f"which column is {columns[0]}", *(f"which is {c}" for c in columns[1:])] if columns else []
    return ", ".join([*out, *(["who judged"] if "judge" in names else [])])


def _short(name: str, most: int = 40) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"


def _listed(names: list[str], most: int = 4) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


# -- judges and words ---------------------------------------------------------------------------------------------


def judges_in(seen: Look, choices: Choices) -> list[tuple[Judge, int]] | None:
    """The judges that the columns name, each with its rows; None where there are more than can be asked about."""
    if choices.judge_columns:
        return [(judge_of(c.strip(), c), seen.samples[c].filled) for c in choices.judge_columns]
    column = choices.column("judge")
    if column is None:
        return []
    if column not in seen.counts:
        return None
    return [(judge_of(name), n) for name, n in seen.counts[column].items()]


@dataclass(frozen=True)
class Said:
    """A word that stands where verdicts stand. written : as the file has it; rows : how often"""

    word: Word
    written: str
    rows: int


def words_in(seen: Look, choices: Choices) -> list[Said]:
    """The words that stand where verdicts stand, those alike but for capitals as one.

    The most frequent first; numbers alone in their own order.
    """
    columns = choices.judge_columns or [c for c in [choices.column("winner")] if c is not None]
    totals: dict[str, int] = {}
    written: dict[str, str] = {}
    for column in columns:
        for value, n in seen.counts.get(column, {}).items():
            totals[plain(value)] = totals.get(plain(value), 0) + n
            written.setdefault(plain(value), value)
    ordered = sorted(totals, key=lambda word: (-totals[word], word))
    if all(_NUMBER.fullmatch(word) for word in ordered):
        ordered.sort(key=lambda word: float(word.replace(",", ".")))
    return [Said(w, written[w.word], totals[w.word]) for w in explain(ordered, models_in(seen, choices))]


def models_in(seen: Look, choices: Choices) -> set[str]:
    columns = [choices.column(name) for name in ("model_a", "model_b")]
    return {value for c in columns if c is not None for value in seen.counts.get(c, seen.samples[c].values)}


def must_be_said(word: Word) -> bool:
    """Whether an import has to wait for this word: numbers mean different things in different files."""
    return word.confidence == ASK and bool(_NUMBER.fullmatch(word.word))


def remembered_means(seen: Look, shape: Shape | None) -> dict[str, str] | None:
    """What the columns meant in the last file of this shape; None where it does not fit."""
    means = shape.choices.get("means") if shape is not None else None
    if not isinstance(means, dict) or set(means) != set(seen.columns):
        return None
    return {str(c): str(m) for c, m in means.items()}


def remembered(shape: Shape | None, part: str) -> dict[str, str]:
    """`kinds`, `words` or `extra` of the last file of this shape."""
    found = shape.choices.get(part) if shape is not None else None
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}
