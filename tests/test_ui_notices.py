"""Do pages speak of their controls where a study speaks of an option of the command line?"""

from __future__ import annotations

import pytest

import studies  # noqa: F401  (registers the studies)
from errors import JurylensError, OptionError
from studies.audit import Audit
from studies.controls import Controls
from studies.fit_check import CheckFit
from studies.places import Places
from studies.rank import Rank
from studies.study import Fitted, Result
from studies.winrate import WinRate
from ui import notices
from ui.notices import by_label
from ui.overview import warnings_of


@pytest.mark.parametrize(
    ("text", "cls", "said"),
    [
        ("here ties count half: --ties davidson is for rank", CheckFit,
         "here ties count half: “Ties: modelled (Davidson)” is for rank"),
        ("use --ties half or --ties drop", None, "use “Ties: half a win each” or “Ties: left out”"),
        ("--position: the file does not say", Controls, "“Position term”: the file does not say"),
        ("use --normalisation rms", Controls, "use “Method: one scale, nothing shrunk”"),
        ("--cluster prompt+annotator: nobody is named", None, "“Intervals by: prompt and annotator”: nobody is named"),
        ("--replicates 20000: between 0 and 10,000", Places, "“Replicates: 20000”: between 0 and 10,000"),
        ("--level .4: a coverage", None, "“Interval level: .4”: a coverage"),
        ("choose with --factor, one of 'tone'", Controls, "choose with “Hold equal”, one of 'tone'"),
        ("--factor tone: its values are labels", Controls, "“Hold equal” tone: its values are labels"),
        ("add --length-controlled", WinRate, "add “Hold length equal”"),
        # What is done elsewhere on the pages.
        ("shown without a test; choose one with --reference", Audit,
         "shown without a test; choose one with “Reference”"),
        ("guessed for gpt (table own_models): say it once for all (cli.py datasets own)", Audit,
         "guessed for gpt (table own_models): say it once for all under “Which are its own models?”"),
        ("answers of models of the family of gpt (a) (--own gpt (a)=MODEL) beside others", Audit,
         "answers of models of the family of gpt (a) beside others"),
        ("import labels of its prompts (import FILE --as labels), or group them (labelings cluster)", None,
         "import labels of its prompts on the page Data, or group them on the page Scenarios, under “Where do these "
         "scenarios come from?”"),
        # What no page has, what is a command, and dashes that are no option.
        ("assert it with --set swapped=false", None, "assert it with --set swapped=false"),
        ("not measured: run python cli.py factors extract --dataset d", None,
         "not measured: run python cli.py factors extract --dataset d"),
        # A page has a button for this one.
        ("texts have not been measured yet: run python cli.py factors extract --dataset d; they are left out", None,
         "texts have not been measured yet: the page Factors has a button for it; they are left out"),
        ("a -- b, m--n 3, '--model'", None, "a -- b, m--n 3, '--model'"),
    ],
)  # fmt: skip
def test_options_are_called_as_their_controls(text: str, cls: type[Fitted] | None, said: str) -> None:
    label = Places.__dataclass_fields__["replicates"].metadata["label"] or "Replicates"
    assert by_label(text, cls) == said.replace("Replicates:", f"{label}:")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("'brackets' and 'emoji' are left out: of each, 'words' fixes it",
         "Bracketed phrases and Emoji are left out: of each, Length (words) fixes it"),
        ("no judgment of people has prompt_similarity, which is left out",
         "no judgment of people has Closeness to prompt, which is left out"),
        ("people: first_position moves it", "people: Shown first moves it"),
        ("'text:words' and 'words=long'", "Length (words) and 'words=long'"),
        # Words of the language, names of others that only begin alike, and commands stay.
        ("16 responses are empty texts of 0 words", "16 responses are empty texts of 0 words"),
        ("my-first_person and first_persons, my_first_person", "my-first_person and first_persons, my_first_person"),
        ("run python cli.py factors fit --factor first_person", "run python cli.py factors fit --factor first_person"),
    ],
)  # fmt: skip
def test_measured_factors_are_called_as_on_charts(text: str, said: str) -> None:
    assert by_label(text) == said


def test_a_study_s_own_sentence_needs_no_command_line() -> None:
    with pytest.raises(OptionError) as refused:
        CheckFit(level=0.3).resolve(None)  # type: ignore[arg-type]
    assert by_label(str(refused.value), CheckFit) == "“Interval level: 0.3”: a coverage from .5 up to but not 1, usually .95"


def test_the_overview_says_a_study_s_warnings_as_the_pages_do() -> None:
    told = ("corrected for noise, it cannot be told from perfect; use --ties drop",)
    result = Result(Rank(judge=("people", "gpt-4")), {}, {}, {}, told, "", "")
    said = "orrected for noise, it cannot be told from perfect; use “Ties: left out”"
    assert warnings_of(result, many=False) == ["C" + said]
    assert warnings_of(result, many=True) == ["gpt-4: c" + said]


def test_a_column_named_in_a_refusal_is_set_as_code_and_names_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(notices.st, "warning", lambda text, icon: told.append(text))
    notices.notice(JurylensError("dataset 'a*b' knows no scenarios: they come with the column `scenario`"))
    assert told == ["Dataset 'a\\*b' knows no scenarios\\: they come with the column `scenario`"]
