"""What do the words of an address mean in this store? Pure: no Streamlit, so that each rule can be tested alone.

A view is a resolved selection: the dataset is named, the reference judge comes first, and what the store does not
hold has been dropped, each with a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from data import queries
from data.queries import Catalog, Con, Facts
from data.queries.labelings import OWN
from data.remembered import known
from data.shown_names import AS_THEY_ARE, Display
from data.store import Store
from errors import OptionError
from studies import naming
from studies.study import Fitted

Words = dict[str, list[str]]

ONLY = "\x00only"
"""Stands among the other judges for "nobody but the reference"."""

SELECTION = tuple(f.name for f in fields(Fitted))
"""Fields that all pages share; other words belong to one page."""


@dataclass(frozen=True)
class View:
    """The selection of one run.

    datasets : names, the user's before the simulated ones; names, facts : of the chosen dataset, None in an empty store
    reference : the judge others are held against; None where nobody has said which (see `find_reference`)
    dropped : sentences about words that could not be kept; extra : the words that belong to one page
    """

    datasets: tuple[str, ...]
    names: Catalog | None = None
    facts: Facts | None = None
    study: Fitted = field(default_factory=Fitted)
    reference: str | None = None
    dropped: tuple[str, ...] = ()
    extra: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def judges(self) -> tuple[str, ...]:
        """The judges looked at, the reference first; all of them where there is no reference. Those that are not to be
        shown are looked at where they alone are chosen."""
        judges = self.study.judge or (tuple(self.names.judges) if self.names else ())
        left_out = naming.left_out(replace(self.study, judge=judges), self.display)["judge"]
        return tuple(judge for judge in judges if judge not in left_out)

    @property
    def others(self) -> tuple[str, ...]:
        return tuple(j for j in self.judges if j != self.reference)

    @property
    def display(self) -> Display:
        """How judges and models of the dataset are shown."""
        return self.names.display if self.names else AS_THEY_ARE

    def offered(self, kind: str) -> list[str]:
        """The judges or models that a reader can choose: without those that are not shown, unless they are chosen."""
        assert self.names is not None
        names, chosen = (self.names.judges, self.judges) if kind == "judge" else (self.names.models, self.study.model)
        return [name for name in names if name not in self.display.hidden(kind) or name in chosen]

    @property
    def humans(self) -> tuple[str, ...]:
        return tuple(self.names.humans) if self.names else ()

    def words(self) -> Words:
        """The selection as words of an address: what differs from the defaults, and what a choice was made of."""
        words = self.study.parameters()
        if self.names and len(self.names.criteria) < 2:
            words.pop("criterion", None)
        return words

    def address(self) -> Words:
        """The same without what goes without saying: all judges, held against the reference that is found unasked."""
        return {name: values for name, values in self.words().items() if not self.goes_without_saying(name, values)}

    def goes_without_saying(self, name: str, values: Sequence[str]) -> bool:
        """Whether a word of an address says no more than its absence."""
        if name == "judge":
            return self.names is not None and tuple(values) == default_judges(self.names)
        default = next((each.default for each in fields(self.study) if each.name == name), None)
        return list(values) == [str(default)]


def default_judges(names: Catalog) -> tuple[str, ...]:
    """All judges, the reference that is found unasked first; nobody where somebody has to say who that is."""
    reference = find_reference(names)
    return () if reference is None else (reference, *(j for j in names.judges if j != reference))


def find_reference(names: Catalog) -> str | None:
    """The only human judge, or the only judge; None when somebody has to say."""
    if len(names.judges) == 1:
        return next(iter(names.judges))
    return names.humans[0] if len(names.humans) == 1 else None


def read_view(
    words: Mapping[str, Sequence[str]], store: Store, page_words: Sequence[str] = (),
    recall: Callable[[Con, Store, int], Words] | None = None,
) -> View:  # fmt: skip
    """The view that an address means. page_words : names of words that the page understands beside the selection

    recall : where there is no address, what was chosen for the dataset last time

    Raises StoreError where the store cannot be read.
    """
    if not store.exists():
        return View(())
    with store.reading("reading the selection") as con:
        there = queries.dataset_names(con)
        datasets = tuple(name for name, _ in there)
        if not datasets:
            return View(())
        dropped: list[str] = []
        dataset = _dataset(words, there, dropped)
        names = queries.catalog(con, dataset)
        if recall is not None:
            words = {**words, **recall(con, store, names.dataset_id)}
        # An address has the names of the files, whatever people are shown.
        words = naming.shown_words(words, names.display)
        facts = known(("facts", names.dataset_id), lambda: queries.dataset_facts(con, names.dataset_id))
        moved = "dataset" in words and list(words["dataset"])[-1] != dataset
        study, gone = Fitted.from_parameters({k: v for k, v in words.items() if k in SELECTION})
        dropped += [f"“{word}” is no possible choice and was left out." for word in gone]
        study = replace(study, dataset=dataset)
        if moved:
            # The names in the address belong to the dataset that is gone.
            study = replace(study, judge=(), scenario=(), labeling=None, model=(), criterion=None, variant="plain")
        if study.labeling in names.labelings:
            names = queries.catalog(con, study)
        study = _keep_known(study, names, dropped)
        study, reference = _with_reference(study, names)
        study = _resolved(study, names, store, dropped)
    extra = {name: list(words[name]) for name in page_words if words.get(name)}
    return View(datasets, names, facts, study, reference, tuple(dropped), extra)


def _dataset(words: Mapping[str, Sequence[str]], known: list[tuple[str, bool]], dropped: list[str]) -> str:
    own = [name for name, simulated in known if not simulated]
    default = own[-1] if own else known[0][0]
    if not words.get("dataset"):
        return default
    asked = list(words["dataset"])[-1]
    if asked in dict(known):
        return asked
    dropped.append(f"There is no dataset “{asked}” here; this is “{default}”.")
    return default


def _keep_known(study: Fitted, names: Catalog, dropped: list[str]) -> Fitted:
    """Without the names that the dataset does not hold."""
    changes: dict[str, Any] = {}
    for name, there in (("judge", names.judges), ("scenario", names.scenarios), ("model", names.models)):
        asked = tuple(dict.fromkeys(getattr(study, name)))
        kept = tuple(one for one in asked if one in there)
        gone = [f"“{one}”" for one in asked if one not in there]
        if gone:
            dropped.append(f"{names.dataset} has no {name} {', '.join(gone)}: left out.")
        changes[name] = kept
    for name, there in (
        ("criterion", names.criteria), ("variant", names.variants), ("labeling", {OWN: 0, **names.labelings}),
    ):  # fmt: skip
        asked_one = getattr(study, name)
        default = "plain" if name == "variant" else None
        if asked_one not in (default, None) and asked_one not in there and asked_one != "overall":
            dropped.append(f"{names.dataset} has no {name} “{asked_one}”: left out.")
            changes[name] = default
    return replace(study, **changes)


def _with_reference(study: Fitted, names: Catalog) -> tuple[Fitted, str | None]:
    if study.judge:
        return study, study.judge[0]
    judges = default_judges(names)
    return (replace(study, judge=judges), judges[0]) if judges else (study, None)


def _resolved(study: Fitted, names: Catalog, store: Store, dropped: list[str]) -> Fitted:
    """With every default filled in but the judges; options that cannot be go back to their defaults."""
    if study.criterion not in names.criteria:
        fallback = "overall" if "overall" in names.criteria or not names.criteria else next(iter(names.criteria))
        study = replace(study, criterion=fallback)
    try:
        resolved = study.resolve(store)
    except OptionError as error:
        dropped.append(f"{str(error).lstrip('-')} Left out.")
        resolved = replace(study, level=Fitted.level, since=None, until=None).resolve(store)
    # Without a reference nobody is chosen yet: `resolve` would list all judges as if that were a choice.
    return replace(resolved, judge=study.judge)


def change(words: Mapping[str, Sequence[str]], name: str, value: Any) -> Words:
    """The words after a widget was changed. value : None, empty or the field's default takes the word out."""
    out = {k: list(v) for k, v in words.items()}
    listed = [str(v) for v in value] if isinstance(value, (list, tuple)) else [_word(value)]
    out.pop(name, None)
    if value not in (None, "", [], ()):
        out[name] = listed
    if name == "dataset":
        # Names belong to a dataset; how things are counted does not.
        for of_dataset in ("judge", "scenario", "labeling", "model", "criterion", "variant", "since", "until"):
            out.pop(of_dataset, None)
        out = {k: v for k, v in out.items() if k in SELECTION}
    if name == "labeling":
        out.pop("scenario", None)
    return out


def change_judges(view: View, reference: str | None, others: Sequence[str]) -> tuple[str, ...]:
    """The judges after a new choice, the reference first. others : as clicked; none means all, ONLY last means none"""
    assert view.names is not None
    if reference is None:
        return ()
    if others and others[-1] == ONLY:
        return (reference,)
    rest = [j for j in others if j not in (ONLY, reference)]
    if rest or reference in others:
        if view.reference not in (None, reference):
            # The judge that was the reference is now held against the new one.
            rest.insert(0, str(view.reference))
        return (reference, *rest)
    return (reference, *(j for j in view.names.judges if j != reference))


def _word(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


