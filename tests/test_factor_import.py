"""Tables of factors for pairs and responses that are there: every key, every kind of value, everything that may be wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from data import datasets, queries
from data.factor_columns import recognised, resolve_factor_mapping
from data.imports import ImportOptions, ImportReport, import_path
from data.queries import texts
from data.store import Store
from errors import FileError, MappingError, NothingAcceptedError, OptionError, UnknownNameError
from studies.factors_list import FactorsList

# m1 and m2 meet twice, the second time the other way round; m3 has two texts for p2.
JUDGMENTS = """prompt_id,prompt,pair_id,model_a,model_b,response_a,response_b,judge,annotator,winner
p1,Say hi,k1,m1,m2,hi,hello,people,ann,a
p1,Say hi,k1,m1,m2,hi,hello,people,bob,b
p1,Say hi,k1,m1,m2,hi,hello,gpt,,a
p2,Say bye,k2,m2,m1,bye,see you,people,ann,a
p2,Say bye,k3,m3,m1,ciao,see you,people,bob,a
p2,Say bye,k4,m3,m2,tschüss,bye,people,bob,tie
"""


@pytest.fixture(scope="module")
def judgments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the judgments, made once."""
    folder = tmp_path_factory.mktemp("judgments")
    path = folder / "judgments.csv"
    path.write_text(JUDGMENTS)
    store = Store(folder / "s.duckdb")
    assert import_path(store, path, "d").accepted == 6
    return store.path


@pytest.fixture
def store(judgments: Path, tmp_path: Path) -> Store:
    return Store(shutil.copy(judgments, tmp_path / "s.duckdb"))


def load(store: Store, text: str, name: str = "factors.csv", **options: object) -> ImportReport:
    path = store.path.parent / name
    path.write_text(text, encoding="utf-8")
    keys = {k: options.pop(k) for k in ("strict", "dry_run", "rejects") if k in options}
    return import_path(store, path, "d", ImportOptions(format="factors", **options), **keys)  # type: ignore[arg-type]


def values(store: Store, factor: str) -> dict[tuple[str, str, str], object]:
    """(prompt, model, text) -> what the response itself has."""
    with store.reading() as con:
        found = con.execute(
            """SELECT p.external_id, m.name, t.body, v.value, v.label FROM response_value v JOIN factor f USING (factor_id)
            JOIN response r USING (response_id) JOIN prompt p USING (prompt_id) JOIN text t ON t.text_id = r.text_id
            JOIN model m USING (model_id) WHERE f.name = $f ORDER BY ALL""",
            {"f": factor},
        ).fetchall()
    return {(p, m, t): value if value is not None else label for p, m, t, value, label in found}


def judged(store: Store, factor: str) -> list[tuple[object, ...]]:
    """(pair, judge, annotator, value of a, of b) of every judgment, as models read them."""
    with store.reading() as con:
        names = queries.catalog(con, "d")
        source = texts.sources(con, names, {})[factor]
        rows, a, b = texts.judged_values(
            con, names, f"dataset_id = {names.dataset_id}", [source], texts.pair_values(con, names, [source]),
            ["judge_id", "annotator_id"],
        )  # fmt: skip
        judges = dict(con.execute("SELECT judge_id, name FROM judge").fetchall())
        people = dict(con.execute("SELECT annotator_id, name FROM annotator").fetchall())
    frame = rows.to_pandas().assign(a=a[factor], b=b[factor])
    return [
        (f"k{int(r.pair_id)}", judges[r.judge_id], people.get(r.annotator_id), *(None if pd.isna(v) else v for v in (r.a, r.b)))
        for r in frame.itertuples()
    ]  # fmt: skip


def only(report: ImportReport) -> tuple[object, object, object, str]:
    """(line, column, value, reason) of the one rejection."""
    assert len(report.rejections) == 1, report.rejections
    row = report.rejections.iloc[0]
    return row["line"], row["column"], row["value"], row["reason"]


# -- keys -----------------------------------------------------------------------------------------------------------


def test_by_pair_id_in_the_datasets_own_order(store: Store) -> None:
    report = load(store, "pair_id,tone_a,tone_b\nk1,1,2\nk2,3,4\n")
    assert (report.read, report.accepted, report.rejected, report.duplicates) == (2, 2, 0, 0)
    assert values(store, "tone") == {
        ("p1", "m1", "hi"): 1, ("p1", "m2", "hello"): 2, ("p2", "m2", "bye"): 3, ("p2", "m1", "see you"): 4,
    }  # fmt: skip
    assert report.factors == [{"factor": "tone", "kind": "number", "values": 4}]
    assert report.inferred[0] == "pairs are looked up by pair_id"


@pytest.mark.parametrize("prompt", ["prompt_id", "prompt"])
def test_by_prompt_and_models_turned_to_the_datasets_order(store: Store, prompt: str) -> None:
    one, two = ("p1", "p2") if prompt == "prompt_id" else ("Say hi", "Say bye")
    report = load(store, f"{prompt},model_a,model_b,tone_a,tone_b\n{one},m1,m2,1,2\n{two},m1,m2,4,3\n")
    assert report.accepted == 2
    assert values(store, "tone")["p2", "m1", "see you"] == 4
    assert "listed the other way round than in the dataset, and turned: 1 rows" in report.inferred


def test_by_prompt_and_both_texts(store: Store) -> None:
    load(store, "prompt,response_a,response_b,tone_a,tone_b\nSay bye,see you,ciao,1,2\n")
    assert values(store, "tone") == {("p2", "m1", "see you"): 1, ("p2", "m3", "ciao"): 2}


def test_texts_tell_apart_what_models_do_not(store: Store) -> None:
    head = "prompt_id,model_a,response_a,model_b,response_b,tone_a,tone_b\n"
    load(store, head + "p2,m2,bye,m3,tschüss,1,2\n")
    assert values(store, "tone") == {("p2", "m2", "bye"): 1, ("p2", "m3", "tschüss"): 2}


def test_a_pair_id_with_models_is_turned_by_them(store: Store) -> None:
    load(store, "pair_id,model_a,model_b,tone_a,tone_b\nk2,m1,m2,4,3\n")
    assert values(store, "tone") == {("p2", "m1", "see you"): 4, ("p2", "m2", "bye"): 3}


def test_by_prompt_and_model(store: Store) -> None:
    report = load(store, "prompt_id,model,tone,length\np1,m1,5,\np2,m2,,7\n")
    assert report.accepted == 2
    assert values(store, "tone") == {("p1", "m1", "hi"): 5}
    assert values(store, "length") == {("p2", "m2", "bye"): 7}


def test_by_prompt_and_text_of_the_response(store: Store) -> None:
    load(store, "prompt,response,tone\nSay bye,tschüss,5\nSay hi,hello,2\n")
    assert values(store, "tone") == {("p1", "m2", "hello"): 2, ("p2", "m3", "tschüss"): 5}


def test_a_model_with_two_texts_needs_the_text(store: Store) -> None:
    report = load(store, "prompt_id,model,tone\np2,m3,5\np1,m1,1\n")
    assert only(report) == (
        2, "model", "m3", "has 2 responses to this prompt: a column response with the text says which is meant",
    )  # fmt: skip
    load(store, "prompt_id,model,response,tone\np2,m3,ciao,5\n", "two.csv")
    assert values(store, "tone") == {("p1", "m1", "hi"): 1, ("p2", "m3", "ciao"): 5}


def test_a_text_that_several_models_wrote_has_the_value_of_each(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.duckdb")
    (tmp_path / "j.csv").write_text(
        "prompt_id,model_a,model_b,response_a,response_b,judge,winner\np,x,y,same,same,g,tie\np,x,z,same,other,g,a\n"
    )
    import_path(store, tmp_path / "j.csv", "d")
    report = load(store, "prompt_id,response,tone\np,same,3\n")
    assert values(store, "tone") == {("p", "x", "same"): 3, ("p", "y", "same"): 3}
    said = "naming a text that several responses to the prompt have, so that the values are those of all: 1 rows"
    assert said in report.inferred


def test_a_dataset_without_texts_is_met_by_models(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.duckdb")
    (tmp_path / "j.csv").write_text("prompt_id,model_a,model_b,judge,winner\np,x,y,g,a\n")
    import_path(store, tmp_path / "j.csv", "d")
    assert load(store, "prompt_id,model,response,tone\np,x,what it said,3\np,y,,1\n").accepted == 2
    assert judged(store, "tone") == [("k1", "g", None, 3, 1)]


def test_columns_are_mapped_and_renamed(store: Store) -> None:
    text = "frage,system,Punkte,rest\np1,m1,5,9\n"
    with pytest.raises(MappingError, match=r"names neither pairs nor responses.*Perhaps: .*--map model='system'"):
        load(store, text)
    report = load(store, text, maps=(("prompt_id", "frage"), ("model", "system"), ("score", "Punkte")))
    assert [f["factor"] for f in report.factors or []] == ["score", "rest"]
    only_mapped = load(
        store, text.replace("5", "5.0"), "b.csv", maps=(("prompt_id", "frage"), ("model", "system"), ("other", "Punkte")),
        automatic=False,
    )  # fmt: skip
    assert [f["factor"] for f in only_mapped.factors or []] == ["other"]
    paired = load(
        store, "id,left,right\nk1,1,2\n", "c.csv", maps=(("pair_id", "id"), ("side_a", "left"), ("side_b", "right"))
    )
    assert [f["factor"] for f in paired.factors or []] == ["side"]
    assert values(store, "side") == {("p1", "m1", "hi"): 1, ("p1", "m2", "hello"): 2}


def test_constants_stand_for_columns(store: Store) -> None:
    load(store, "model,care\nm1,1\nm2,2\n", sets=(("prompt_id", "p1"), ("annotator", "ann")))
    assert values(store, "care") == {("p1", "m1", "hi"): 1, ("p1", "m2", "hello"): 2}


# -- values by annotator ----------------------------------------------------------------------------------------------


def test_values_that_differ_by_annotator_belong_to_their_judgments(store: Store) -> None:
    report = load(store, "pair_id,annotator,care_a,care_b\nk1,ann,5,1\nk1,bob,3,1\nk1,eve,1,1\n")
    assert report.accepted == 3
    assert judged(store, "care")[:3] == [
        ("k1", "people", "ann", 5, 1), ("k1", "people", "bob", 3, 1), ("k1", "gpt", None, 3, 1),
    ]  # fmt: skip
    assert values(store, "care") == {("p1", "m1", "hi"): 3, ("p1", "m2", "hello"): 1}
    assert (
        "responses with values of care that differ: 1; their mean counts; judgments that keep their own annotator's or "
        "judge's: 2"
    ) in report.inferred
    assert (
        "of an annotator or judge who gave no verdict on that response, and so counting for the response alone: 1 rows"
        in report.inferred
    )


def test_an_annotators_values_of_a_response_go_with_all_judgments_on_it(store: Store) -> None:
    load(store, "prompt_id,model,annotator,care\np2,m1,bob,4\np2,m1,ann,2\n")
    assert [row for row in judged(store, "care") if row[0] in ("k2", "k3")] == [
        ("k2", "people", "ann", None, 2), ("k3", "people", "bob", None, 4),
    ]  # fmt: skip


def test_a_judges_own_values(store: Store) -> None:
    load(store, "pair_id,judge,care_a,care_b\nk1,gpt,5,1\nk1,people,3,1\n")
    assert judged(store, "care")[:3] == [
        ("k1", "people", "ann", 3, 1), ("k1", "people", "bob", 3, 1), ("k1", "gpt", None, 5, 1),
    ]  # fmt: skip


def test_the_fingerprint_knows_whose_value_it_is(store: Store, judgments: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Store(shutil.copy(judgments, tmp_path / "other" / "s.duckdb"))
    load(store, "pair_id,annotator,care_a,care_b\nk1,ann,5,1\nk1,bob,3,1\n")
    load(other, "pair_id,annotator,care_a,care_b\nk1,ann,3,1\nk1,bob,5,1\n")
    assert values(store, "care") == values(other, "care")
    assert fingerprint(store, "care") != fingerprint(other, "care")


def fingerprint(store: Store, factor: str) -> str:
    with store.reading() as con:
        names = queries.catalog(con, "d")
        return texts.fingerprint(con, names, [texts.sources(con, names, {})[factor]])


def test_where_annotators_agree_the_response_has_the_value(store: Store) -> None:
    load(store, "pair_id,annotator,care_a,care_b\nk1,ann,5,1\nk1,bob,5,1\n")
    with store.reading() as con:
        assert con.execute("SELECT count(*) FROM judgment_value").fetchall() == [(0,)]
        assert not texts.sources(con, queries.catalog(con, "d"), {})["care"].by_judgment
    assert values(store, "care") == {("p1", "m1", "hi"): 5, ("p1", "m2", "hello"): 1}


def test_raters_may_come_one_file_after_the_other(store: Store) -> None:
    load(store, "pair_id,care_a,care_b\nk1,5,1\n", "ann.csv", sets=(("annotator", "ann"),))
    assert load(store, "pair_id,care_a,care_b\nk1,3,1\n", "bob.csv", sets=(("annotator", "bob"),)).accepted == 1
    assert judged(store, "care")[:2] == [("k1", "people", "ann", 5, 1), ("k1", "people", "bob", 3, 1)]
    datasets.undo(store, "d")
    assert judged(store, "care")[:2] == [("k1", "people", "ann", 5, 1), ("k1", "people", "bob", 5, 1)]


def test_several_unnamed_raters_are_averaged_and_words_counted(store: Store) -> None:
    rows = ["p1,m1,1,warm", "p1,m1,4,cold", "p1,m1,4,warm", "p1,m2,2,warm", "p1,m2,2,cold"]
    report = load(store, "prompt_id,model,score,kind\n" + "\n".join(rows) + "\n")
    assert report.accepted == 5
    assert values(store, "score") == {("p1", "m1", "hi"): 3, ("p1", "m2", "hello"): 2}
    assert values(store, "kind") == {("p1", "m1", "hi"): "warm"}
    assert "responses with values of score that differ: 1; their mean counts" in report.inferred
    assert (
        "responses with values of kind that differ: 2; the most frequent one counts, none for 1 with equally frequent ones"
    ) in report.inferred


# -- kinds of values --------------------------------------------------------------------------------------------------


def test_numbers_flags_words_and_sets_are_told_apart(store: Store) -> None:
    rows = [("3", "yes", "warm", "truth;care", "1"), ("3.50", "No", "cold", "care", "0"), ("n/a", "TRUE", "2", ";", "yes")]
    keys = ("p1,m1", "p1,m2", "p2,m2")
    report = load(
        store,
        "prompt_id,model,score,flag,kind,said,bit\n"
        + "".join(f"{k},{','.join(row)}\n" for k, row in zip(keys, rows, strict=True)),
    )
    kinds = {f["factor"]: f["kind"] for f in report.factors or []}
    assert kinds == {"score": "number", "flag": "flag", "kind": "label", "said": "set", "bit": "flag"}
    assert list(values(store, "score").values()) == [3, 3.5]
    assert list(values(store, "flag").values()) == [1, 0, 1]
    assert list(values(store, "kind").values()) == ["warm", "cold", "2"]
    assert list(values(store, "said").values()) == ["care;truth", "care;", ";"]
    assert "read as yes (1) or no (0): bit, flag" in report.inferred
    assert "values of score that are no numbers (such as 'n/a') and count as none: 1" in report.inferred
    assert "said=truth" in sources(store)
    assert not sources(store)["flag"].labels


def sources(store: Store) -> dict[str, texts.Source]:
    with store.reading() as con:
        return texts.sources(con, queries.catalog(con, "d"), {})


def test_what_the_dataset_holds_decides_what_a_word_is(store: Store) -> None:
    load(store, "prompt_id,model,kind,score\np1,m1,warm,1\n")
    report = load(store, "prompt_id,model,kind,score\np1,m2,7,many\np2,m2,8,2\n", "b.csv")
    assert {f["factor"]: f["kind"] for f in report.factors or []} == {"kind": "label", "score": "number"}
    assert values(store, "kind") == {("p1", "m1", "hi"): "warm", ("p1", "m2", "hello"): "7", ("p2", "m2", "bye"): "8"}
    assert values(store, "score") == {("p1", "m1", "hi"): 1, ("p2", "m2", "bye"): 2}


@pytest.mark.parametrize("word", ["nan", "inf", "-Infinity", "1e400"])
def test_what_is_no_finite_number_is_no_value(store: Store, word: str) -> None:
    report = load(store, f"prompt_id,model,score\np1,m1,1\np1,m2,2\np2,m2,{word}\n")
    assert list(values(store, "score").values()) == [1, 2]
    assert only(report) == (4, "score", word, "is no number, and the row has no other value")


def test_awkward_words_stay_as_they_are(store: Store) -> None:
    words = ["it's \"so\"", "=SUM(A1)", "naïve 🎉\u200f שלום", "a\nb", "' OR 1=1 --"]
    keys = [("p1", "m1"), ("p1", "m2"), ("p2", "m1"), ("p2", "m2")]
    rows = [{"prompt_id": p, "model": m, "kind": w} for (p, m), w in zip(keys, words, strict=False)]
    load(store, "".join(json.dumps(row) + "\n" for row in rows), "f.jsonl")
    assert set(values(store, "kind").values()) == set(words[:4])
    found = sources(store)
    assert set(found) == {"kind", *(f"kind={w}" for w in sorted(words[:4])[1:])}
    with store.reading() as con:
        names = queries.catalog(con, "d")
        source = found["kind=it's \"so\""]
        assert texts.pair_values(con, names, [source]).a[source.name].tolist()[:2] == [1, 0]


def test_a_cell_of_a_megabyte(store: Store) -> None:
    report = load(store, f"prompt_id,model,note,score\np1,m1,{'x' * 1_000_000},1\np1,m2,short,2\n")
    assert report.accepted == 2
    assert any("note holds 2 different words of up to 1,000,000 characters" in text for text in report.inferred)
    assert set(sources(store)) == {"note", "score"}


def test_the_list_of_factors_tells_the_reference_and_what_is_free_text(store: Store) -> None:
    load(store, f"prompt_id,model,note,kind\np1,m1,{'x' * 101},warm\np1,m2,short,cold\np2,m2,short,cold\n")
    result = FactorsList(dataset="d").answer(store, lambda share, text: None)
    said = result.tables["factors"].set_index("factor")["definition"]
    assert said["kind"] == "Delivered with a file, a property of a response. Its levels are factors of their own, against 'cold'."
    assert said["kind=warm"] == "1 where kind, delivered with the file, is 'warm', else 0."
    assert any("note has words of up to 101 characters" in text for text in result.warnings)


def test_three_hundred_factors(store: Store) -> None:
    head = ",".join(f"f{k}_a,f{k}_b" for k in range(300))
    report = load(store, f"pair_id,{head}\nk1,{','.join(str(k) for k in range(600))}\n")
    assert (report.accepted, len(report.factors or [])) == (1, 300)
    assert judged(store, "f7")[0] == ("k1", "people", "ann", 14, 15)


def test_constant_and_empty_factors_are_said(store: Store) -> None:
    report = load(store, "prompt_id,model,same,none\np1,m1,3,\np1,m2,3,\n")
    assert "same is 3 everywhere: it cannot explain anything" in report.inferred
    assert "without any value, and so no factors yet: none" in report.inferred
    assert "none" not in sources(store)


def test_columns_named_like_fields(store: Store) -> None:
    """Scores of both sides are a factor; what only a judgment has is not, unless it is mapped."""
    report = load(store, "pair_id,score_a,score_b,winner,confidence\nk1,1,2,a,.9\n")
    assert [f["factor"] for f in report.factors or []] == ["score"]
    assert "columns not used: 'winner', 'confidence'" in report.inferred
    text = "prompt_id,model,scenario,confidence,score\np1,m1,chat,.5,1\n"
    assert [f["factor"] for f in load(store, text, "b.csv").factors or []] == ["score"]
    mapped = load(store, text, "c.csv", maps=(("sureness", "confidence"),))
    assert [f["factor"] for f in mapped.factors or []] == ["sureness", "score"]


# -- what is rejected ---------------------------------------------------------------------------------------------------


def test_half_of_the_keys_match(store: Store) -> None:
    text = "prompt_id,model,tone\np1,m1,1\np1,m9,2\np9,m1,3\n,m1,4\np2,,5\np2,m2,\n"
    report = load(store, text)
    assert (report.read, report.accepted, report.rejected, report.duplicates) == (6, 1, 5, 0)
    rows = report.rejections[["line", "column", "value", "reason"]].astype(object)
    assert rows.where(rows.notna(), None).to_numpy().tolist() == [
        [3, "model", "m9", "has no response to prompt 'p1' in dataset 'd'"],
        [4, "prompt_id", "p9", "is no prompt of dataset 'd'"],
        [5, "prompt_id", None, "is empty"],
        [6, "model", None, "is empty"],
        [7, None, None, "has no value of any factor"],
    ]


@pytest.mark.parametrize(
    ("text", "rejection"),
    [
        ("pair_id,t_a,t_b\nk9,1,2\n", ("pair_id", "k9", "names no pair of dataset 'd'")),
        ("prompt_id,model_a,model_b,t_a,t_b\np1,m1,m3,1,2\n",
         ("model_a", "m1", "and 'm3' are no pair of models for prompt 'p1' in dataset 'd'")),
        ("prompt_id,model_a,model_b,t_a,t_b\np2,m1,,1,2\n",
         ("model_a", None, "is empty: without both models or both texts a row names no pair")),
        ("pair_id,model_a,model_b,t_a,t_b\nk1,m1,m3,1,2\n",
         ("pair_id", "k1", "stands for a pair of other models, texts or prompt in this dataset")),
        ("pair_id,prompt_id,t_a,t_b\nk1,p2,1,2\n",
         ("pair_id", "k1", "stands for a pair of other models, texts or prompt in this dataset")),
        ("prompt_id,prompt,model,t\np1,Say bye,m1,2\n",
         ("prompt_id", "p1", "stands for another prompt text in this dataset")),
        ("prompt_id,model,response,t\np1,m1,other,2\n",
         ("model", "m1", "has no response of this text to prompt 'p1' in dataset 'd'")),
        ("prompt_id,response,t\np1,other,2\n", ("response", None, "is no response to prompt 'p1' in dataset 'd'")),
        ("pair_id,t_a,t_b\n,1,2\n", ("pair_id", None, "is empty")),
    ],
)  # fmt: skip
def test_rows_that_match_nothing(store: Store, text: str, rejection: tuple[object, ...]) -> None:
    """Beside a row that matches, so that the file goes in."""
    head, row = text.splitlines()
    good = {"pair_id": "k1", "prompt_id": "p1", "prompt": "Say hi", "model_a": "m1", "model_b": "m2", "model": "m1",
            "response": "hi", "t_a": "1", "t_b": "2", "t": "1"}  # fmt: skip
    report = load(store, f"{head}\n{','.join(good[c] for c in head.split(','))}\n{row}\n")
    assert report.accepted == 1
    line, column, value, reason = only(report)
    assert (line, column, None if pd.isna(value) else value, reason) == (3, *rejection)


def test_two_pairs_of_the_same_models_need_their_id(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.duckdb")
    (tmp_path / "j.csv").write_text(
        "prompt_id,pair_id,model_a,model_b,response_a,response_b,judge,winner\np,k1,x,y,one,two,g,a\np,k2,x,y,three,two,g,a\n"
    )
    import_path(store, tmp_path / "j.csv", "d")
    report = load(store, "prompt_id,pair_id,model_a,model_b,t_a,t_b\np,,x,y,1,2\np,k2,x,y,3,2\n")
    assert only(report)[1:] == (
        "model_a", "x", "and its opponent have 2 pairs under this prompt: name the one meant by pair_id, or give both texts",
    )  # fmt: skip
    assert values(store, "t") == {("p", "x", "three"): 3, ("p", "y", "two"): 2}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("pair_id,t_a,t_b\n1,1,2\n2,1,2\n", r"looked for by pair_id; the file has for example pair_id '1', the dataset "
         r"pair_id 'k1'"),
        ("prompt_id,model,t\nP1,M1,1\n", r"looked for by prompt_id and model; the file has for example prompt_id 'P1', "
         r"model 'M1', the dataset prompt_id 'p1', model 'm1'"),
        ("prompt,response,t\nSay ho,hi,1\n", r"looked for by prompt and the text of the response; the file has for example "
         r"prompt 'Say ho', the dataset prompt 'Say hi'"),
    ],
)  # fmt: skip
def test_keys_that_match_nothing_are_one_sentence(store: Store, text: str, sentence: str) -> None:
    with pytest.raises(NothingAcceptedError, match="no row names anything that is in the dataset: " + sentence):
        load(store, text)
    assert sources(store) == {}
    with store.reading() as con:
        assert len(queries.import_log(con, queries.catalog(con, "d").dataset_id)) == 1


def test_a_dataset_that_is_not_there_yet(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("prompt_id,model,t\np1,m1,1\n")
    with pytest.raises(UnknownNameError, match=r"no dataset is called 'e'.*'d'.*import the judgments first"):
        import_path(store, path, "e", ImportOptions(format="factors"))
    with pytest.raises(UnknownNameError, match=r"no dataset is called 'e'.*import the judgments first"):
        import_path(Store(tmp_path / "none.duckdb"), path, "e", ImportOptions(format="factors"))
    assert not (tmp_path / "none.duckdb").exists()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a,b\n1,2\n", r"names neither pairs nor responses. It needs pair_id.*has the columns 'a', 'b'"),
        ("prompt_id,model_a,tone_a\np,x,1\n", "names neither pairs nor responses"),
        ("pair_id,tone\nk1,1\n", r"holds no factor: a pair has them as columns NAME_a and NAME_b"),
        ("prompt_id,model\np1,m1\n", "holds no factor: there is no column besides the keys"),
    ],
)
def test_tables_that_are_none(store: Store, text: str, error: str) -> None:
    with pytest.raises(MappingError, match=error):
        load(store, text)


def test_options_of_judgments_are_refused(store: Store, tmp_path: Path) -> None:
    text = "prompt_id,model,t\np1,m1,1\n"
    with pytest.raises(OptionError, match="belong to files of judgments"):
        load(store, text, judge_columns=(("t", None),))
    with pytest.raises(MappingError, match="'winner' is no key of a table of factors"):
        load(store, text, sets=(("winner", "a"),))
    with pytest.raises(MappingError, match="mapped twice"):
        load(store, text, maps=(("x", "t"), ("y", "t")))
    with pytest.raises(MappingError, match="did you mean 't'"):
        load(store, text, maps=(("x", "T"),))
    with pytest.raises(MappingError, match="NAME_a and NAME_b"):
        load(store, "pair_id,x,y_a,y_b\nk1,1,2,3\n", maps=(("z_a", "x"),))
    with pytest.raises(FileError, match="reads single files"):
        import_path(store, tmp_path, "d", ImportOptions(format="factors"))


def test_row_numbers_without_a_name_are_no_factor(store: Store) -> None:
    report = load(store, ",prompt_id,model,t\n0,p1,m1,1\n1,p1,m2,2\n")
    assert [f["factor"] for f in report.factors or []] == ["t"]


# -- again, against, back -------------------------------------------------------------------------------------------------


def test_the_same_file_adds_nothing(store: Store) -> None:
    text = "prompt_id,model,t\np1,m1,1\np1,m2,2\n"
    load(store, text)
    again = load(store, text)
    assert (again.read, again.accepted, again.duplicates) == (2, 0, 2)
    other = load(store, "model,prompt_id,t\nm2,p1,2.0\nm1,p1,1\n", "other.csv")
    assert (other.read, other.accepted, other.duplicates) == (2, 0, 2)


def test_rows_given_twice_by_a_named_rater_are_duplicates_unnamed_ones_are_votes(store: Store) -> None:
    named = load(store, "prompt_id,model,annotator,t\np1,m1,ann,1\np1,m1,ann,1\np1,m1,bob,4\n")
    assert (named.accepted, named.duplicates) == (2, 1)
    assert values(store, "t") == {("p1", "m1", "hi"): 2.5}
    unnamed = load(store, "prompt_id,model,u\np1,m1,1\np1,m1,1\np1,m1,4\n", "b.csv")
    assert (unnamed.accepted, unnamed.duplicates) == (3, 0)
    assert values(store, "u") == {("p1", "m1", "hi"): 2}


def test_a_contradicting_row_is_rejected_and_the_earlier_value_holds(store: Store) -> None:
    load(store, "prompt_id,model,t,u\np1,m1,1,5\n")
    report = load(store, "prompt_id,model,t,u,new\np1,m1,2,5,8\np1,m2,3,6,9\n", "b.csv")
    assert report.accepted == 1
    assert values(store, "new") == {("p1", "m2", "hello"): 9}  # of a rejected row nothing is taken
    assert only(report) == (
        2, "t", "2",
        "contradicts what an earlier import delivered for this response (1.0): withdraw that import, or give the factor "
        "another name",
    )  # fmt: skip
    assert values(store, "t") == {("p1", "m1", "hi"): 1, ("p1", "m2", "hello"): 3}


def test_an_import_is_withdrawn_and_what_a_later_one_holds_too_stays(store: Store) -> None:
    before = sources(store)
    load(store, "prompt_id,model,t\np1,m1,1\np1,m2,2\n")
    load(store, "prompt_id,model,t\np1,m1,1\np2,m2,3\n", "b.csv")
    datasets.undo(store, "d", 2)
    assert values(store, "t") == {("p1", "m1", "hi"): 1, ("p2", "m2", "bye"): 3}
    datasets.undo(store, "d")
    assert sources(store) == before


def test_withdrawing_the_judgments_takes_their_factors_along(store: Store) -> None:
    load(store, "pair_id,annotator,t_a,t_b\nk1,ann,1,2\nk1,bob,2,2\n")
    datasets.undo(store, "d", 1)
    with store.reading() as con:
        assert queries.dataset_names(con) == []
        for table in ("factor", "response_value", "judgment_value", "import_log"):
            assert con.execute(f"SELECT count(*) FROM {table}").fetchall() == [(0,)], table


def test_the_answer_of_a_study_is_not_kept_over_an_import(store: Store) -> None:
    with store.reading() as con:
        before = texts.state(con, {})
    load(store, "prompt_id,model,t\np1,m1,1\n")
    with store.reading() as con:
        assert texts.state(con, {}) != before


def test_strict_and_dry_runs_store_nothing(store: Store, tmp_path: Path) -> None:
    text = "prompt_id,model,t\np1,m1,1\np9,m2,2\n"
    report = load(store, text, dry_run=True, rejects=tmp_path / "r.csv")
    assert (report.accepted, report.rejected, report.dry_run) == (1, 1, True)
    assert "is no prompt of dataset" in (tmp_path / "r.csv").read_text()
    assert report.nothing is None
    nothing = load(store, "prompt_id,model,t\np9,m2,2\n", dry_run=True).nothing
    with pytest.raises(NothingAcceptedError, match="no row names anything that is in the dataset") as refused:
        load(store, "prompt_id,model,t\np9,m2,2\n")
    assert nothing == str(refused.value)
    with pytest.raises(NothingAcceptedError, match="--strict: 1 of 2 rows"):
        load(store, text, strict=True)
    assert sources(store) == {}


def test_swapping_the_file_changes_nothing(store: Store, judgments: Path, tmp_path: Path) -> None:
    """The same table with a and b exchanged, rows in another order."""
    load(store, "prompt_id,model_a,model_b,annotator,t_a,t_b\np1,m1,m2,ann,.1,.2\np1,m1,m2,bob,.3,.7\np1,m1,m2,eve,.6,.2\n")
    (tmp_path / "other").mkdir()
    other = Store(shutil.copy(judgments, tmp_path / "other" / "s.duckdb"))
    load(other, "prompt_id,model_a,model_b,annotator,t_a,t_b\np1,m2,m1,eve,.2,.6\np1,m2,m1,bob,.7,.3\np1,m2,m1,ann,.2,.1\n")
    assert judged(store, "t") == judged(other, "t")
    assert values(store, "t") == values(other, "t")
    assert fingerprint(store, "t") == fingerprint(other, "t")


# -- recognised ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ("pair_id tone_a tone_b", True),
        ("pair_id annotator tone_a tone_b", True),
        ("prompt model_a model_b tone_a tone_b", True),
        ("prompt_id model annotator score errors", True),
        ("prompt response score", True),
        ("prompt model_a model_b gpt-4 people length_a length_b", False),  # a column a judge
        ("prompt model_a model_b winner tone_a tone_b", False),
        ("prompt model_a model_b preference tone_a tone_b", False),
        ("prompt chosen rejected", False),
        ("prompt model_a model_b response_a response_b score_a score_b", False),
        ("prompt model label", False),
        ("prompt model", False),
    ],
)
def test_a_table_of_factors_is_recognised_by_its_columns(columns: str, expected: bool) -> None:
    assert recognised(columns.split()) is expected


def test_a_recognised_file_needs_no_format(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("prompt_id,model,t\np1,m1,1\n")
    report = import_path(store, path, "d")
    assert (report.format, report.accepted) == ("factors", 1)
    assert any("read as --as factors" in text for text in report.inferred)
    with pytest.raises(MappingError, match="lacks judge"):
        import_path(store, path, "new")


def test_a_mapping_says_what_is_looked_up() -> None:
    found = resolve_factor_mapping(["Pair ID", "judge", "annotator", "t_a", "t_b"])
    assert found.inferred[0] == (
        "pairs are looked up by pair_id; values that differ belong to the judge and annotator of their row"
    )


def test_the_examples_of_each_shape(tmp_path: Path) -> None:
    folder = Path(__file__).parent.parent / "examples"
    store = Store(tmp_path / "s.duckdb")
    assert import_path(store, folder / "judgments.csv", "d").accepted == 9
    for path, rows in (("pair", 3), ("models", 3), ("response", 6), ("annotator", 10)):
        report = import_path(store, folder / f"factors_by_{path}.csv", "d", ImportOptions(format="factors"))
        assert (report.accepted, report.rejected) == (rows, 0), path
    found = sources(store)
    assert [n for n, s in found.items() if not s.labels] == [
        "factual_error", "helpfulness", "steps", "clarity", "tone=brisk", "tone=doubtful", "tone=warm", "values=care",
        "values=honesty", "values=truth", "values=usefulness",
    ]  # fmt: skip
    assert values(store, "helpfulness")[("q2", "south", "No. It is rock, with a small core of iron.")] == 6
    assert [row[3:] for row in judged(store, "clarity")][:3] == [(7, 3), (6, 3), (6.5, 3)]
