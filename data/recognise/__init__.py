"""What does a foreign table mean: its shape, the field of each column, the judges, the words for verdicts?

`recognise(columns, samples)` is pure: names and samples in, a `Reading` out. Nothing is decided silently: each finding
is `sure`, a `guess` (to be shown as one) or `ask` (nothing is prefilled; the user has to say: `Reading.questions`). The
words of the command line follow from a Reading by `maps()`, `sets()` and `judge_columns()`, so that what a page shows,
what a command does and what is remembered are the same.

    samples = take_samples(staging.connection, raw.columns)     # after importer.load(...)
    reading = recognise(raw.columns, samples)
    reading.shape, reading.columns, reading.judges, reading.words, reading.presets, reading.questions

Afterwards the user's answers stand beside the Reading: columns by field, kinds of judges, outcomes of words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from data.recognise.assemble import assemble
from data.recognise.judge_names import Judge, judge_of
from data.recognise.reading import SHAPES, Meaning, Question, Reading
from data.recognise.samples import Sample, take_samples
from data.recognise.verdict_words import ASK, GUESS, SURE, Preset, Word, explain, presets

__all__ = [
    "ASK", "GUESS", "SHAPES", "SURE", "Judge", "Meaning", "Preset", "Question", "Reading", "Sample", "Word", "explain",
    "judge_of", "presets", "recognise", "take_samples",
]  # fmt: skip


def recognise(columns: Sequence[str], samples: Mapping[str, Sample]) -> Reading:
    """Read a table of judgments by the names of its columns and by what stands in them."""
    return assemble(columns, samples)
