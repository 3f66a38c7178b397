"""Which column of a foreign table is which field? The steps by which `data.recognise` comes to its Reading.

Order: columns with a field's own name; lists and numbered columns of rated responses; columns in pairs (two responses,
two models, two scores); columns of verdicts; single columns by their name; factors. What a name says counts only where
the values agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from data.fields import FIELDS, canonical, factor_columns
from data.recognise.judge_names import are_models
from data.recognise.names import PAIRS, Spoken, speak
from data.recognise.reading import Meaning
from data.recognise.samples import Sample
from data.recognise.values import MOST_WORDS, against, are_dates, verdict_kind
from data.recognise.verdict_words import ASK, GUESS, SURE

_OF_SIDES = {"response": "response", "model": "model", "score": "score", "count": "count", "p": "p"}
_VAGUE = {"context", "input", "conversation", "dialogue", "source text", "text", "type", "dataset", "goal",
          "problem", "request"}
NOT_VERDICTS = {"swapped", "count", "model", "scenario", "score", "rank", "confidence", "seconds", "repeat",
                "weight", "index",
                "prompt_id", "pair_id", "judgment_id", "judged_at", "criterion", "variant", "judge_kind"}  # fmt: skip
_VERDICTS = {"winner", "p_a", "count_a", "chosen", "score_a", "rating", "rank", "ranking", "rating_1", "rank_1"}
_ANSWERED = {"response_a", "model_a", "chosen", "response", "model", "response_1"}
_ABOUT_ORDER = {"first", "second", "shown", "order", "position", "cue", "expected", "left", "right"}

_ASKED = ("repeat", "weight", "variant")
"""Fields that other columns are often called like."""


class Columns:
    """Columns of one table and what was found out about them so far."""

    def __init__(self, columns: Sequence[str], samples: Mapping[str, Sample]) -> None:
        self.columns, self.samples = tuple(columns), samples
        self.said: dict[str, Spoken] = {column: self._speak(column) for column in columns}
        self.found: dict[str, Meaning] = {}
        self.by_field: dict[str, str] = {}
        self.notes: list[str] = []

    def _speak(self, column: str) -> Spoken:
        """What a name says; of a part of a column (`response_a.model`) the part says what, the column of whom."""
        parent, dot, key = column.rpartition(".")
        if not dot or parent not in self.samples:
            return speak(column)
        outer, inner = speak(parent), speak(key)
        if key == "assistant" or (inner.concept == "response" and outer.concept in ("chosen", "rejected")):
            return outer if outer.concept != "prompt" else Spoken("response", outer.side, outer.exact, outer.rest)
        if key == "user":
            return Spoken("prompt", None, True)
        if inner.concept is None:
            return Spoken(None, outer.side, False, (key,))
        return Spoken(inner.concept, inner.side or outer.side, inner.exact, inner.rest)

    def parents(self) -> None:
        """Columns whose parts stand beside them: the parts are what can be meant."""
        for parent in dict.fromkeys(column.rpartition(".")[0] for column in self.columns):
            if parent in self.samples:
                self.found[parent] = Meaning(parent, "unused", None, SURE, "its parts are columns of their own")

    # -- bookkeeping ----------------------------------------------------------------------------------------------

    def free(self) -> list[str]:
        return [column for column in self.columns if column not in self.found]

    def take(self, field: str, column: str, confidence: str, why: str, others: tuple[str, ...] = ()) -> None:
        self.found[column] = Meaning(column, "field", field, confidence, why, others)
        self.by_field[field] = column

    def ask(self, column: str, why: str, *others: str) -> None:
        """A column that could mean something, and nobody but the user knows what."""
        self.found[column] = Meaning(column, "unused", None, ASK, why, others)

    def models(self) -> set[str]:
        return {v for side in "ab" for v in self.values(self.by_field.get(f"model_{side}"))}

    def values(self, column: str | None) -> tuple[str, ...]:
        return self.samples[column].values if column is not None else ()

    # -- steps ----------------------------------------------------------------------------------------------------

    def own_names(self) -> None:
        """Columns called as a field is; where the values say something else, they are asked about."""
        for column in self.columns:
            field = canonical(column)
            if field not in FIELDS or field in self.by_field or column in self.found or self._of_three(column):
                continue
            reason = against(field, self.samples[column])
            if field == "annotator" and are_models(self.values(column)) and "judge" not in self._own():
                why = "is called annotator, but names language models"
                self.take("judge", column, GUESS, why, ("annotator",))
            elif reason is None:
                self.take(field, column, SURE, "carries the field's own name")
            elif field in ("chosen", "rejected") and verdict_kind(self.samples[column], ()):
                continue  # `chosen` with a, b in it is the winner: a column of verdicts
            elif field == "prompt":
                self.ask(column, f"is called as the field is, but {reason}", "prompt_id", "prompt")
            elif field in ("model_a", "model_b"):
                self.ask(column, f"is called as the field is, but {reason}", f"response_{field[-1]}", field)
            else:
                self.ask(column, f"is called as the field is, but {reason}", field)

    def _of_three(self, column: str) -> bool:
        """Whether a column of side a or b has a sibling of side c."""
        said = self.said[column]
        if said.side not in ("a", "b") or not said.exact:
            return False
        return any(other.concept == said.concept and other.side == "c" and other.exact for other in self.said.values())

    def _own(self) -> set[str]:
        return {canonical(column) for column in self.columns}

    def pairs(self) -> None:
        """Two columns of one kind: answer_1 and answer_2, Antwort A and Antwort B."""
        families: dict[tuple[str | None, tuple[str, ...]], dict[str, str]] = {}
        for column in self.free():
            said = self.said[column]
            if said.side is not None:
                families.setdefault((said.concept, () if said.exact else said.rest), {}).setdefault(said.side, column)
        for (concept, rest), sides in families.items():
            numbers = {side for side in sides if side.isdigit()}
            for left, right in PAIRS:
                if left in sides and right in sides and (not left.isdigit() or numbers == {left, right}):
                    self._pair(concept, rest, sides[left], sides[right], vague=left.isdigit() or left in ("x", "first"))
                    if concept == "count" and "tie" in sides and "count_tie" not in self.by_field:
                        self.take("count_tie", sides["tie"], GUESS, "how many votes were ties, by its name")
                    break

    def _pair(self, concept: str | None, rest: tuple[str, ...], a: str, b: str, *, vague: bool) -> None:
        sa, sb = self.samples[a], self.samples[b]
        texts = all(s.wordy or s.listed for s in (sa, sb))
        exact = not rest
        kind = _OF_SIDES.get(concept or "")
        if concept == "prompt" and texts:
            kind = "response"  # conversation_a and conversation_b: a prompt has no sides
        if concept is None and not rest and texts:
            kind, exact = "response", False
        if kind == "model" and texts:
            kind, exact = "response", False
        if kind is None or f"{kind}_a" in self.by_field or f"{kind}_b" in self.by_field:
            return
        if kind == "response" and not texts:
            few = sa.numeric and sb.numeric and sa.distinct <= 11
            if few or verdict_kind(sa, ()) or (concept is None):
                self.ask(a, "two columns of short values: responses, or scores of them?", "response_a", "score_a")
                self.ask(b, "two columns of short values: responses, or scores of them?", "response_b", "score_b")
                return
            exact = False
        if kind == "score" and not (sa.numeric and sb.numeric):
            return
        if kind == "p":
            if sa.numeric and (sa.low or 0) >= 0 and (sa.high or 0) <= 1:
                self.take("p_a", a, GUESS, "a share from 0 to 1, by its name that of response a")
            return
        if kind == "count" and not all(s.numeric and (s.low or 0) >= 0 and s.whole == s.numbers for s in (sa, sb)):
            return
        sure = exact and kind not in ("score", "count") and not (vague and kind == "model" and sa.numeric)
        confidence = SURE if sure else GUESS
        self.take(f"{kind}_a", a, confidence, f"the first of two columns that speak of a {kind}")
        self.take(f"{kind}_b", b, confidence, f"the second of two columns that speak of a {kind}")

    def chosen(self) -> None:
        """A chosen and a rejected text under other names."""
        for field in ("chosen", "rejected"):
            for column in self.free():
                sample = self.samples[column]
                said = self.said[column]
                if said.concept == field and field not in self.by_field and (sample.wordy or sample.listed):
                    self.take(field, column, SURE if said.exact else GUESS, f"the {field} text, by its name")
        better = [c for c in self.free() if self.said[c].concept == "winner" and self.samples[c].wordy]
        if "rejected" in self.by_field and "chosen" not in self.by_field and len(better) == 1:
            self.take("chosen", better[0], GUESS, f"the better text, by its name, beside {self.by_field['rejected']!r}")

    def singles(self) -> None:
        """What is left, by the name of each column, where the values agree."""
        texts = [c for c in self.free() if self.said[c].concept == "prompt"]
        for column in sorted(texts, key=lambda c: (not self.said[c].exact, self._vague(c))):
            self._prompt(column)
        for column in self.free():
            said, sample = self.said[column], self.samples[column]
            if said.concept is not None and sample.filled:
                self._single(column, said, sample)

    def _vague(self, column: str) -> bool:
        return canonical(column).replace("_", " ") in _VAGUE

    def _prompt(self, column: str) -> None:
        sample = self.samples[column]
        first = self.by_field.get("prompt")
        if first is not None and column.endswith(".user"):
            self.found[column] = Meaning(column, "unused", None, SURE, "what the user said, as the prompt says already")
        elif first is not None or self.said[column].side is not None:
            self.ask(column, f"reads like a prompt too, beside {first!r}" if first else "reads like a prompt", "prompt")
        elif sample.numeric:
            self.ask(column, "is called like a prompt, but holds numbers", "prompt_id", "prompt")
        else:
            clear = self.said[column].exact and not self._vague(column) and sample.mean_length > 4
            self.take("prompt", column, SURE if clear else GUESS, "the task, by its name")

    def _single(self, column: str, said: Spoken, sample: Sample) -> None:
        concept = str(said.concept)
        have = self.by_field
        pair = {"response_a", "model_a", "chosen", "count_a", "score_a"} & set(have)
        if concept in ("response", "model"):
            if {"response", "model"} & set(have) or (sample.numeric and not said.exact):
                return  # the responses are found, or it counts them
            others = ("response_a", "response_b") if concept == "response" else ("model_a", "model_b", "judge")
            self.ask(column, f"speaks of a {concept}, but not of which side", *others)
        elif concept in ("score", "rank"):
            likely = ["confidence", "judge"] if pair else ["rating"]
            self.ask(column, f"a {concept}, but not said of which response", *likely)
        elif concept in ("chosen", "rejected"):
            self.ask(column, f"speaks of what was {concept}, without texts", "winner")
        elif concept == "index":
            if sample.complete or sample.distinct < 0.9 * sample.filled:
                unique = sample.distinct >= sample.filled
                if not unique:
                    why = "an id that repeats: of the prompt, of the pair, or of neither?"
                    self.ask(column, why, "prompt_id", "pair_id")
        elif concept in ("judge", "rater", "annotator"):
            self._who(column, concept, said, sample)
        elif concept == "winner":
            self.ask(column, "is called like a verdict: is it one, and what do its values mean?", "winner", "p_a")
        elif concept == "p":
            self.ask(column, "a probability: of which response?", "p_a")
        elif concept in ("count", "ranking") and not pair - {"response_a", "model_a"}:
            self.ask(column, f"speaks of a {concept}, but not of whose", "count_a", "count_b")
        elif concept in FIELDS and concept not in have:
            self._plain(column, concept, said, sample)

    def _who(self, column: str, concept: str, said: Spoken, sample: Sample) -> None:
        if sample.wordy:
            return
        field = "judge" if concept == "judge" or are_models(sample.values) else "annotator"
        if field == "annotator" and "judge" not in self.by_field and concept == "rater":
            self.take("annotator", column, GUESS, "a single person inside the judge, by its name", ("judge",))
        elif field not in self.by_field:
            other = "annotator" if field == "judge" else "judge"
            why = "who judged, by its name" if field == "judge" else "a person, by its name"
            self.take(field, column, GUESS, why, (other,))
        else:
            self.ask(column, "speaks of who judged, as another column does", "annotator", "judge")

    def _plain(self, column: str, field: str, said: Spoken, sample: Sample) -> None:
        reason = against(field, sample)
        if field == "judged_at" and not are_dates(sample):
            reason = "holds no dates"
        if reason is not None:
            if said.exact and field in ("swapped", "confidence", "judged_at", "seconds", "weight"):
                self.ask(column, f"is called like {field}, but {reason}", field)
        elif not said.exact and field in ("seconds", "confidence", "judged_at", "criterion"):
            self.ask(column, f"speaks of {field} among other things: is it meant?", field)
        elif field in _ASKED or (field == "scenario" and (sample.wordy or sample.distinct > 60)):
            self.ask(column, f"is called like {field}: is it meant?", field)
        else:
            self.take(field, column, GUESS, f"{FIELDS[field]}, by its name")

    def texts(self) -> None:
        """Texts that nothing was said of, where a prompt or responses are still looked for."""
        lacks = [] if {"prompt", "prompt_id"} & set(self.by_field) else ["prompt"]
        if not _ANSWERED & set(self.by_field):
            lacks += ["response_a", "response_b"]
        for column in self.free() if lacks else ():
            if self.samples[column].wordy or self.samples[column].objects:
                self.ask(column, "a text: which?", *lacks)

    def looked_for(self) -> None:
        """Columns that nothing was said of, where the verdict, the responses or the judge are still looked for."""
        have = set(self.by_field)
        judges = any(m.role == "judge" for m in self.found.values())
        verdict = not judges and not have & _VERDICTS
        sides = not have & (_ANSWERED | {"pair_id"})
        for column in self.free():
            sample, said = self.samples[column], self.said[column]
            if said.concept in NOT_VERDICTS - {"model"} or sample.wordy or not sample.complete or sample.distinct < 2:
                continue
            repeated = 2 * sample.distinct <= sample.filled
            lacks = []
            if verdict and repeated and sample.distinct <= MOST_WORDS and not self.about_order(column):
                lacks.append("winner")
            if sides and repeated and not sample.numeric:
                lacks += ["model_a", "model_b"]
            if not judges and "judge" not in have and not sample.numeric and are_models(sample.values):
                lacks.append("judge")
            if lacks:
                self.ask(column, "its name does not tell, and something is still looked for", *lacks)

    def factors(self) -> None:
        """Pairs NAME_a, NAME_b that are no field are factors of the responses."""
        taken = dict.fromkeys(self.found, "taken")
        for name, a, b in factor_columns(self.columns, taken):
            for column in (a, b):
                self.found[column] = Meaning(column, "factor", None, SURE, f"the factor {name} of the responses")

    def about_order(self, column: str) -> bool:
        """Whether a column of sides rather says what was shown or right than who won."""
        said = self.said[column]
        return bool(_ABOUT_ORDER & ({*said.rest, said.side or ""}))
