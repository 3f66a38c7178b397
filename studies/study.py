"""What is a study? One question with all its options; running it on a store gives a result.

The command line, the page widgets, the address of a page, the replay line and the captions are all derived from the
fields of the dataclass, so a new analysis is written once. A field's metadata comes from `data.model.option`.
"""

from __future__ import annotations

import dataclasses
import shlex
import types
import typing
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Literal, Self

import pandas as pd

from charts import words
from charts.words import absent
from data import queries
from data.model import Progress, Selection, option, silent
from data.queries import Catalog, Con
from data.queries.labelings import OWN
from data.shown_names import AS_THEY_ARE, Display
from data.store import Store
from errors import EmptySelectionError, OptionError, unknown_name
from studies import naming, rated
from studies.overview import Line
from studies.registry import REGISTRY as REGISTRY
from studies.registry import register as register

VERSION = "1"
"""Part of every cache key: raised when a result of the same study on the same data would differ."""


@dataclass(frozen=True)
class Result:
    """The answer of a study, ready for a page, a terminal and a file.

    study : the resolved study; tables : tidy frames by name, undefined values missing (never NaN in the output)
    values : single quantities, numbers or {value, lower, upper}
    caption : what a figure's caption must say: n, clusters, method, interval
    taken : defaults that `resolve` filled in, in sentences; fingerprint : digest of the judgments it could read
    humans : which judges of the dataset are people, whom figures mark
    display : how judges and models are shown, and whether the names here are those
    kept_as : equal for answers that are alike in all of this, where somebody keeps them; None: nobody has said so
    """

    study: Study
    tables: Mapping[str, pd.DataFrame]
    values: Mapping[str, Any]
    settings: Mapping[str, Any]
    warnings: tuple[str, ...]
    caption: str
    fingerprint: str
    taken: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    humans: tuple[str, ...] = ()
    display: Display = AS_THEY_ARE
    kept_as: Hashable = field(default=None, compare=False)

    def table(self, name: str | None = None) -> pd.DataFrame:
        """The table called `name`, or the first one."""
        if name is None:
            return next(iter(self.tables.values()))
        if name not in self.tables:
            raise OptionError(f"--table {name}: there is no such table; there are " + ", ".join(self.tables))
        return self.tables[name]

    def as_json(self) -> dict[str, Any]:
        """Settings, quantities, tables as lists of objects, warnings. Undefined numbers are absent."""
        out: dict[str, Any] = {"settings": plain(self.settings)}
        out |= {name: plain(value) for name, value in self.values.items() if value is not None}
        out |= {name: folded(records(table), self.study.folded.get(name, ())) for name, table in self.tables.items()}
        out["warnings"] = list(self.warnings)
        out["caption"] = self.caption
        out["fingerprint"] = self.fingerprint
        return out


@dataclass(frozen=True)
class Finding:
    """One generated sentence, and how far it may be trusted.

    severity : 0 plain, 1 worth knowing, 2 a reason to distrust; remedy : what to do about it
    """

    text: str
    severity: int = 0
    remedy: str = ""


def plain(value: Any) -> Any:
    """A value as JSON can hold it: NumPy scalars unwrapped, undefined ones dropped from their container."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items() if not absent(v)}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value if not absent(v)]
    if hasattr(value, "item") and not isinstance(value, str):
        return value.item()
    return value


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as objects, without the cells that are undefined."""
    columns = list(table.columns)
    rows = zip(*(table[c].astype(object).tolist() for c in columns), strict=True) if columns else iter(())
    return [
        {c: v.item() if hasattr(v, "item") else v for c, v in zip(columns, row, strict=True) if not absent(v)}
        for row in rows
    ]


def folded(rows: list[dict[str, Any]], names: Iterable[str]) -> list[dict[str, Any]]:
    """NAME, NAME_lower and NAME_upper of these names as NAME: {value, lower, upper}, as a single quantity has it."""
    out = []
    for row in rows:
        row = dict(row)
        for name in names:
            ends = {end: row.pop(f"{name}_{end}") for end in ("lower", "upper") if f"{name}_{end}" in row}
            if name in row:
                row[name] = {"value": row[name]} | ends
        out.append(row)
    return out


@dataclass(frozen=True)
class Study(Selection):
    """A question with all its options. Subclasses add fields and `answer`."""

    command: ClassVar[str] = ""
    title: ClassVar[str] = ""
    # How judges enter: "any" (each alone), or "reference" (the first is what the others are held against).
    judges: ClassVar[Literal["any", "reference"]] = "any"
    # Columns of the first table that people are shown, with their headings; all others are in its file.
    shown: ClassVar[Mapping[str, str] | None] = None
    # Whether it reads judgments: of a dataset that has published weights alone it is then refused.
    reads_judgments: ClassVar[bool] = True
    # Whether its answer also rests on what judges say that are not chosen (scales over all pairs, who is right).
    reads_others: ClassVar[bool] = False
    # Tables whose intervals JSON holds as {value, lower, upper}, and the columns of which it does.
    folded: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    # Columns of wide tables that a terminal prints unless the table is asked for by its name.
    printed: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    # Whether judges and models that are not to be shown are left out of its tables.
    hides: ClassVar[bool] = True
    # How a terminal prints it unless told otherwise.
    output: ClassVar[str] = "table"

    def resolve(self, store: Store) -> Self:
        """The same study with every default filled in and every name checked.

        Raises UnknownNameError with the nearest names, OptionError, EmptySelectionError.
        """
        with store.reading(f"resolving {self.command}") as con:
            dataset = self.dataset if self.dataset is not None else queries.default_dataset(con)
            labeling = None if self.labeling == OWN else self.labeling
            names = queries.catalog(con, Selection(dataset=dataset, labeling=labeling))
        for each in fields(self):
            check_choice(each, getattr(self, each.name))
        if self.command and self.reads_judgments and not names.judges:
            raise EmptySelectionError(weights_alone(names))
        for kind, chosen, known in (
            ("judge", self.judge, names.judges),
            ("scenario", self.scenario, names.scenarios),
            ("model", self.model, names.models),
        ):
            for name in chosen:
                if name not in known:
                    raise unknown_name(f"{kind} in dataset {dataset!r}", name, known)
        if self.variant != "plain" and self.variant not in names.variants:
            raise unknown_name(f"variant in dataset {dataset!r}", self.variant, names.variants)
        return replace(
            self,
            dataset=dataset,
            labeling=labeling,
            judge=_unique(self.judge) or self.default_judges(names),
            criterion=_criterion(self.criterion, names),
            since=_date("since", self.since),
            until=_date("until", self.until),
        )

    def default_judges(self, names: Catalog) -> tuple[str, ...]:
        """All judges; where they are compared, the human one first."""
        if self.judges == "any":
            return tuple(names.judges)
        if len(names.judges) < 2:
            raise EmptySelectionError(
                f"dataset {names.dataset!r} has one judge only ({', '.join(names.judges)}): add another judge's "
                "verdicts on the same pairs to compare the two"
            )
        humans = names.humans
        if len(humans) != 1:
            why = "no judge that is human" if not humans else f"{len(humans)} human judges"
            raise EmptySelectionError(
                f"dataset {names.dataset!r} has {why}: choose the two that are compared with --judge, the reference "
                "first. There are " + ", ".join(repr(j) for j in names.judges)
            )
        return (humans[0], *(j for j in names.judges if j != humans[0]))

    def compared(self) -> tuple[str, tuple[str, ...]]:
        """The reference, and the judges held against it. Raises EmptySelectionError where there is none."""
        reference, *others = self.judge
        if not others:
            raise EmptySelectionError(
                f"{self.command} needs two judges, the reference first; only {reference!r} is chosen: add another "
                "with --judge"
            )
        return reference, tuple(others)

    def run(self, store: Store, progress: Progress = silent) -> Result:
        """Resolve and answer. The result carries the fingerprint of the judgments it could read."""
        with store.kept_open() as kept:
            with kept.reading(f"looking up the names of {self.command}") as con:
                display = queries.display(con, self.dataset)
            asked = naming.here(self, display)
            with words.decimals(display.decimals if store.shown else None):
                study = asked.resolve(kept)
                result = study.answer(kept, progress)
            with kept.reading("looking up who is a person") as con:
                names = queries.catalog(con, study)
                result = study.beware(con, names, result)
        return replace(result, taken=taken(asked, study), humans=tuple(names.humans), display=names.display)

    def beware(self, con: Con, names: Catalog, result: Result) -> Result:
        """The result with what must be said of how its judgments came about."""
        return result

    def answer(self, store: Store, progress: Progress) -> Result:
        """The work itself, on a resolved study."""
        raise NotImplementedError

    def stamp(self, con: Con, names: Catalog) -> str:
        """What an answer rests on beside the options: it may be kept as long as this stays the same."""
        return queries.fingerprint(con, names, self.judge)

    @classmethod
    def overview(cls, results: Sequence[Result]) -> Line | None:
        """What this study adds to the Overview; None for a study that adds nothing.

        results : where judges are compared, one for each judge held against the reference; else a single one
        """
        return None

    # -- what other layers derive ---------------------------------------------------------------------------------

    def parameters(self) -> dict[str, list[str]]:
        """The options that differ from their defaults, as words: for an address."""
        out = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if value == each.default:
                continue
            out[each.name] = [str(v) for v in value] if isinstance(value, tuple) else [_word(value)]
        return out

    @classmethod
    def from_parameters(cls, words: Mapping[str, Iterable[str]]) -> tuple[Self, list[str]]:
        """A study from the words of an address, and what of them was dropped (unknown names, impossible values)."""
        known = {f.name: f for f in fields(cls)}
        kinds = hints(cls)
        values: dict[str, Any] = {}
        dropped = []
        for name, given in words.items():
            listed = list(given)
            if name not in known or not listed:
                continue
            try:
                value = parse(kinds[name], listed)
                check_choice(known[name], value)
                values[name] = value
            except (ValueError, OptionError):
                dropped.append(f"{name}={', '.join(listed)}")
        return cls(**values), dropped

    def command_line(self, db: str | None = None) -> str:
        """The command that gives this result in a terminal."""
        words = ["python", "cli.py"]
        if db is not None:
            words += ["--db", db]
        words += self.command.split()
        last: list[str] = []
        for each in fields(self):
            value = getattr(self, each.name)
            if value == each.default:
                continue
            if each.name == "dataset" and self.command.startswith("datasets "):
                # Commands that look after datasets take its name as their argument.
                last = ["--", value] if value.startswith("-") else [value]
                continue
            flag = flag_of(each)
            if isinstance(value, bool):
                words.append(flag)
            else:
                for item in value if isinstance(value, tuple) else (value,):
                    words += [flag, _word(item)]
        return shlex.join([*words, *last])

    def settings(self) -> dict[str, Any]:
        """All options as they were used."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) not in (None, ())}


@dataclass(frozen=True)
class Fitted(Study):
    """A study that fits something: how ties count, what hangs together, how wide intervals are."""

    # Whether this study can fit ties as an outcome of their own.
    models_ties: ClassVar[bool] = False
    # Whether it can leave ties out.
    drops_ties: ClassVar[bool] = True
    # What can hang together here; a page that is asked for anything else takes the automatic choice.
    clusterings: ClassVar[tuple[str, ...]] = ("auto", "prompt", "pair", "annotator", "prompt+annotator", "none")

    ties: str = option(
        "half", "how ties enter: half a win for each side, left out, or an outcome of their own by the model of "
        "Davidson or of Rao and Kupper", label="Ties", choices=("half", "drop", "davidson", "rao-kupper"),
        advanced=True,
    )  # fmt: skip
    cluster: str = option(
        "auto",
        "what hangs together: auto is by prompt from 10 prompts on, else by pair; none takes all as independent",
        label="Intervals by",
        choices=("auto", "prompt", "pair", "annotator", "prompt+annotator", "none"),
        advanced=True,
    )
    level: float = option(0.95, "coverage of the intervals", label="Interval level", advanced=True)
    seed: int = option(0, "seed of everything random", label="Seed", advanced=True)

    def beware(self, con: Con, names: Catalog, result: Result) -> Result:
        """With what must be said where pairs were made of ratings or rankings."""
        made = rated.made(con, names, self.judge)
        if not made:
            return result
        said = rated.too_narrow(made, str(result.settings.get("cluster", self.cluster)), result.warnings)
        return replace(
            result, caption=result.caption + rated.in_caption(made),
            warnings=tuple(dict.fromkeys([*result.warnings, *said])),
        )  # fmt: skip

    def resolve(self, store: Store) -> Self:
        if not 0.5 <= self.level < 1:
            raise OptionError(f"--level {self.level}: a coverage from .5 up to but not 1, usually .95")
        if self.command and self.ties not in ("half", "drop") and not self.models_ties:
            raise OptionError(
                f"here ties count as half a win or are left out: --ties {self.ties} is for rankings and what compares "
                "them, so use --ties half or --ties drop"
            )
        return super().resolve(store)


# -- judges -------------------------------------------------------------------------------------------------------


def human_first(names: Catalog) -> tuple[str, ...]:
    """All judges, the human one first where there is one alone."""
    first = tuple(names.humans) if len(names.humans) == 1 else ()
    return (*first, *(judge for judge in names.judges if judge not in first))


def weights_alone(names: Catalog) -> str:
    """What a dataset without judgments holds, what answers that, and what to add for all else."""
    return (
        f"dataset {names.dataset!r} holds no judgments, only the published weights of "
        f"{words.plural(names.published, 'judge')}: similarity --from weights compares these with one another, "
        "and factors matrix shows them. Import judgments into it for anything else"
    )


# -- fields -------------------------------------------------------------------------------------------------------


def hints(cls: type[Any]) -> dict[str, Any]:
    """Field name -> type, with class variables left out."""
    names = {f.name for f in fields(cls)}
    return {k: v for k, v in typing.get_type_hints(cls).items() if k in names}


def bare(kind: Any) -> tuple[Callable[[str], Any], bool]:
    """(the type of one value, whether there may be several) of a field's annotation."""
    if typing.get_origin(kind) is tuple:
        return typing.get_args(kind)[0], True
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return next(k for k in typing.get_args(kind) if k is not type(None)), False
    return kind, False


def parse(kind: Any, words: list[str]) -> Any:
    """Words of an address as a field's value. Raises ValueError."""
    one, several = bare(kind)
    if several:
        return tuple(one(w) for w in words)
    word = words[-1]
    if one is bool:
        if word not in ("true", "false"):
            raise ValueError(word)
        return word == "true"
    return one(word)


def flag_of(each: dataclasses.Field[Any]) -> str:
    """How a field is spelt on the command line."""
    spelt: tuple[str, ...] = each.metadata.get("cli") or ("--" + each.name.replace("_", "-"),)
    return spelt[0]


def _word(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def check_choice(each: dataclasses.Field[Any], value: Any) -> None:
    """Raises OptionError with the choices there are."""
    choices = each.metadata.get("choices")
    if choices is None:
        return
    for item in value if isinstance(value, tuple) else (value,):
        if item not in choices:
            allowed = ", ".join(str(c) for c in choices if c is not None)
            raise OptionError(f"{flag_of(each)} {item}: one of {allowed}")


def _unique(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _criterion(asked: str | None, names: Catalog) -> str | None:
    if asked is not None:
        if asked not in names.criteria and (asked != "overall" or names.criteria):
            raise unknown_name(f"criterion in dataset {names.dataset!r}", asked, names.criteria)
        return asked
    if "overall" in names.criteria or not names.criteria:
        return "overall"
    if len(names.criteria) == 1:
        return next(iter(names.criteria))
    raise OptionError(
        f"dataset {names.dataset!r} has several criteria and none is called overall: choose with --criterion, one of "
        + ", ".join(repr(c) for c in names.criteria)
    )


def _date(name: str, value: str | None) -> str | None:
    if value is None:
        return None
    try:
        return pd.Timestamp(value).date().isoformat()
    except ValueError as error:
        raise OptionError(f"--{name} {value!r} is no date: write it as 2026-01-31") from error


def taken(asked: Study, resolved: Study) -> tuple[str, ...]:
    """Which defaults were filled in, in words."""
    said = []
    for each in fields(asked):
        before, after = getattr(asked, each.name), getattr(resolved, each.name)
        if before == after or before not in (None, (), each.default):
            continue
        shown = ", ".join(map(str, after)) if isinstance(after, tuple) else str(after)
        said.append(f"{each.name}: {shown}")
    return tuple(said)
