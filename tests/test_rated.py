"""Do responses that were rated or ranked one by one become the right pairs, and what cannot be paired a rejection?"""

from __future__ import annotations

import hashlib
import json
from importlib import import_module
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import unfold
from data.factor_columns import recognised
from data.fields import parse_assignments, resolve_mapping
from data.importers import judgments
from data.imports import ImportOptions, import_path
from data.model import OUTCOMES, silent
from data.normalise import normalise
from data.rankings import UnclearNumbers, read_ranking, slot_of
from data.store import Store
from errors import MappingError
from studies.agreement import JudgeAgreement
from studies.compare import Compare
from studies.fit_check import CheckFit
from studies.health import Health
from studies.rank import Rank


def pairs(path: Path, maps=(), sets=(), judge_columns=()):
    """(judgments as (prompt's row, a, b, outcome, score a, score b), bad ones as (row, field, value, reason), inferred)"""
    con = duckdb.connect()
    raw = judgments.load(path, con, path.parent, silent)
    mapping = resolve_mapping(
        raw.columns, parse_assignments(maps, "map"), parse_assignments(sets, "set"), judge_columns, name=path.name
    )
    staged = normalise(con, raw.columns, mapping)
    good = con.execute(
        """SELECT row, coalesce(model_a, a.body), coalesce(model_b, b.body), outcome, score_a, score_b FROM stage
        LEFT JOIN text a ON a.key = text_a LEFT JOIN text b ON b.key = text_b WHERE bad_reason IS NULL ORDER BY row, cell"""
    ).fetchall()
    bad = con.execute(
        "SELECT row, bad_field, bad_value, bad_reason FROM stage WHERE bad_reason IS NOT NULL ORDER BY row, cell"
    ).fetchall()
    return [(r, a, b, OUTCOMES[o], sa, sb) for r, a, b, o, sa, sb in good], bad, (*mapping.inferred, *staged.inferred)


def csv(folder: Path, text: str) -> Path:
    path = folder / "f.csv"
    path.write_text(text)
    return path


def test_rows_of_a_prompt_and_judge_are_paired_by_hand(tmp_path):
    """Three answers rated 3, 5, 3: the second beats both, the others are a tie."""
    good, bad, said = pairs(csv(tmp_path, "prompt,model,rating,judge\np,x,3,j\np,y,5,j\np,z,3,j\nq,x,1,j\nq,y,2,j\n"))
    assert good == [
        (0, "x", "y", "b", 3.0, 5.0), (0, "x", "z", "tie", 3.0, 3.0), (1, "y", "z", "a", 5.0, 3.0), (3, "x", "y", "b", 1.0, 2.0),
    ]  # fmt: skip
    assert bad == []
    assert "4 pairs were made of 5 rated responses: all pairs within a prompt, judge and annotator; 1 with equal ratings are ties" in said
    assert any("not independent" in sentence for sentence in said)


def test_ratings_of_two_people_are_not_mixed(tmp_path):
    text = "prompt,response,rating,judge,annotator\np,x,1,people,ann\np,y,2,people,ann\np,x,5,people,bob\np,y,4,people,bob\n"
    good, bad, _ = pairs(csv(tmp_path, text))
    assert [g[1:4] for g in good] == [("x", "y", "b"), ("x", "y", "a")]
    assert bad == []
    _, bad, _ = pairs(csv(tmp_path, text.replace(",annotator", ",worker")))
    assert [(b[0], b[1], b[2]) for b in bad] == [(2, "response", "x"), (3, "response", "y")]
    assert "name the annotator" in bad[0][3]


def test_what_cannot_be_paired_is_rejected_by_itself(tmp_path):
    text = "prompt,model,rating,judge\np,x,3,j\np,y,bad,j\np,z,4,j\np,,4,j\nalone,x,3,j\n,x,3,j\np,w,,j\nq,x,3,\n"
    good, bad, said = pairs(csv(tmp_path, text))
    assert [g[1:4] for g in good] == [("x", "z", "b")]
    assert [b[:3] for b in bad] == [(1, "rating", "bad"), (3, "rating", "4"), (4, "rating", "3"), (5, "prompt", None), (7, "judge", None)]
    assert "nothing to compare it with" in bad[2][3]
    assert "1 responses without a rating are in no pair" in said


def test_too_many_responses_to_a_prompt_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(unfold, "MOST_RESPONSES", 3)
    text = "prompt,model,rating,judge\n" + "".join(f"p,m{k},{k},j\n" for k in range(4)) + "q,x,1,j\nq,y,2,j\n"
    good, bad, _ = pairs(csv(tmp_path, text))
    assert len(good) == 1
    assert len(bad) == 4
    assert "one of more than 3 to one prompt by one judge" in bad[0][3]


def test_numbered_columns_and_their_missing_ones(tmp_path):
    text = "prompt,response_1,response_2,response_3,rating_1,rating_2,rating_3,judge\np,x,y,z,1,2,2,j\nq,x,y,,3,1,,j\nr,x,y,z,1,,,j\ns,x,y,z,1,2,?,j\n"
    good, bad, _ = pairs(csv(tmp_path, text))
    assert [(g[0], *g[1:4]) for g in good] == [
        (0, "x", "y", "b"), (0, "x", "z", "b"), (0, "y", "z", "tie"), (1, "x", "y", "a"), (3, "x", "y", "b"),
    ]  # fmt: skip
    assert [b[:3] for b in bad] == [(2, "rating_1", "1"), (3, "rating_3", "?")]


def test_lists_of_objects_and_lists_side_by_side(tmp_path):
    path = tmp_path / "f.jsonl"
    made = [{"model": m, "answer": {"text": m.upper()}, "score": {"all": s}} for m, s in (("x", "1"), ("y", 2.5), ("z", None))]
    path.write_text("\n".join(map(json.dumps, [{"prompt": "p", "done": made}, {"prompt": "q", "done": "none"}, {"prompt": "r", "done": []}])))
    maps = ["model=done[].model", "response=done[].answer.text", "rating=done[].score.all"]
    good, bad, said = pairs(path, maps, ["judge=j"])
    assert good == [(0, "x", "y", "b", 1.0, 2.5)]
    assert bad == [(1, "rating", "none", "is no JSON list of responses")]
    assert "1 responses without a rating are in no pair" in said
    path.write_text(json.dumps({"prompt": "p", "texts": ["x", "y", "z"], "ranks": [2, 1, 3]}))
    good, _, _ = pairs(path, ["response=texts[]", "rank=ranks[]"], ["judge=j"])
    assert [g[1:] for g in good] == [("x", "y", "b", None, None), ("x", "z", "a", None, None), ("y", "z", "a", None, None)]


def test_rankings_of_letters_and_of_names(tmp_path):
    text = "prompt,response_1,response_2,response_3,ranking,judge\np,x,y,z,A>C>B,j\nq,x,y,z,C>A=B,j\nr,x,y,,A>C,j\ns,x,y,z,A>D,j\nt,x,y,z,so so,j\n"
    good, bad, _ = pairs(csv(tmp_path, text))
    assert [(g[0], *g[1:4]) for g in good] == [
        (0, "x", "y", "a"), (0, "x", "z", "a"), (0, "y", "z", "b"), (1, "x", "y", "tie"), (1, "x", "z", "b"), (1, "y", "z", "b"),
    ]  # fmt: skip
    assert [(b[0], b[1]) for b in bad] == [(2, "ranking"), (3, "ranking"), (4, "ranking")]
    good, _, _ = pairs(csv(tmp_path, "prompt,ranking,judge\np,north > south = west,j\nq,west > north,j\n"))
    assert [(g[0], *g[1:4]) for g in good] == [
        (0, "north", "south", "a"), (0, "north", "west", "a"), (0, "south", "west", "tie"), (1, "west", "north", "a"),
    ]  # fmt: skip


def test_lists_of_numbers_are_asked_about(tmp_path):
    """[2, 3, 1]: the second is best, or the first is second?"""
    text = 'prompt,model_1,model_2,model_3,ranking,judge\np,x,y,z,"[2, 3, 1]",j\n'
    with pytest.raises(MappingError, match=r"--set ranking=order.*--set ranking=ranks"):
        pairs(csv(tmp_path, text))
    order, _, _ = pairs(csv(tmp_path, text), sets=["ranking=order"])
    ranks, _, _ = pairs(csv(tmp_path, text), sets=["ranking=ranks"])
    assert [g[1:4] for g in order] == [("x", "y", "b"), ("x", "z", "b"), ("y", "z", "a")]
    assert [g[1:4] for g in ranks] == [("x", "y", "a"), ("x", "z", "b"), ("y", "z", "b")]


def test_numbers_that_name_nothing_are_refused(tmp_path):
    with pytest.raises(MappingError, match="no column says which response or model that is"):
        pairs(csv(tmp_path, 'prompt,ranking,judge\np,"[2, 1]",j\n'), sets=["ranking=order"])


@pytest.mark.parametrize(
    ("maps", "sets", "said"),
    [
        (["response=answer"], ["shape=ratings"], "--map rating=COLUMN"),
        (["rating=score"], ["shape=ratings"], "need the response or its model"),
        (["rating=score", "rank=place", "response=answer"], [], "either ratings or ranks, not both"),
        (["rating=score", "response=answer", "winner=place"], [], "of pairs: map one or the other"),
        (["rating=score", "response=answer", "pair_id=place"], [], "--map pair_id belongs to pairs"),
        (["rating=score", "response=answer"], ["shape=counts"], "not to counts"),
        ([], ["shape=counts"], "--set shape=counts needs count_a and count_b"),
        ([], ["shape=round"], "one of rows, wide"),
        (["response_1=answer", "rating_1=score"], [], "one response alone makes no pair"),
        (["response_1=answer", "rating_2=score"], [], "response 1 lacks a column: --map rating_1=COLUMN"),
    ],
)
def test_mappings_that_make_no_sense_are_refused(maps, sets, said):
    with pytest.raises(MappingError, match=said):
        resolve_mapping(
            ["prompt", "answer", "score", "place"], parse_assignments(maps, "map"),
            [("judge", "j"), *parse_assignments(sets, "set")],
        )  # fmt: skip


def test_columns_that_only_resemble_are_not_taken_for_ratings():
    """A file of pairs keeps its meaning when it has a column `rating` too; rated responses are judgments, not factors."""
    assert not recognised(["prompt", "response", "rating", "judge"])
    assert recognised(["prompt", "response", "clarity", "judge"])
    found = resolve_mapping(["prompt", "response_a", "response_b", "judge", "winner", "rating", "model"])
    assert (found.shape, found.rated, found.unused) == ("rows", None, ("rating", "model"))


def test_rejects_name_line_and_column_and_texts_are_kept_once(tmp_path):
    path = csv(tmp_path, "prompt,answer,score,judge\np,x,3,j\np,y,bad,j\np,z,4,j\np,w,1,j\n")
    options = ImportOptions(sets=(("shape", "ratings"),), maps=(("response", "answer"), ("rating", "score")))
    report = import_path(Store(tmp_path / "s.duckdb"), path, "d", options)
    assert (report.read, report.accepted, report.rejected, report.pairs) == (4, 3, 1, 3)
    assert report.rejections.iloc[0][["line", "column", "value"]].tolist() == [3, "score", "bad"]


def test_health_says_that_pairs_of_one_rating_are_not_independent(tmp_path):
    store = Store(tmp_path / "s.duckdb")
    text = "prompt,model,rating,judge\n" + "".join(f"p{k // 3},m{k % 3},{k * 7 % 5},j\n" for k in range(9))
    import_path(store, csv(tmp_path, text), "rated")
    found = Health(dataset="rated").run(store).table().set_index("rule")
    assert found.loc["shared scores", "finding"] == (
        "j: 9 judgments were made of ratings of single responses. Those of one prompt are not independent and never "
        "contradict one another; a prompt with k responses weighs k(k − 1)/2."
    )
    # Rankings keep no scores, and are known by how they were imported.
    import_path(store, csv(tmp_path, "prompt,ranking,judge\np,x>y>z,j\nq,z>y=x,j\n"), "ranked")
    found = Health(dataset="ranked").run(store).table().set_index("rule")
    assert "6 judgments were made of rankings" in found.loc["shared scores", "finding"]
    # Of two responses a prompt there is one pair, which shares nothing.
    import_path(store, csv(tmp_path, "prompt,ranking,judge\np,x>y,j\nq,z>y,j\n"), "twos")
    assert "shared scores" not in set(Health(dataset="twos").run(store).table()["rule"])
    # Scores of responses in a file of pairs show by being the same in all pairs.
    header = "prompt,model_a,model_b,judge,score_a,score_b\n"
    import_path(store, csv(tmp_path, header + "p,x,y,j,1,2\np,x,z,j,1,3\np,y,z,j,2,3\n"), "scored")
    found = Health(dataset="scored").run(store).table().set_index("rule")
    assert "3 judgments compare responses that were each scored once" in found.loc["shared scores", "finding"]
    # Pairs that were scored each for itself share nothing.
    header = "prompt,model_a,model_b,judge,score_a,score_b\n"
    import_path(store, csv(tmp_path, header + "p,x,y,j,1,2\np,x,z,j,2,1\np,y,z,j,3,4\nq,x,y,j,1,2\n"), "pairs")
    assert "shared scores" not in set(Health(dataset="pairs").run(store).table()["rule"])


def test_prompts_that_weigh_most_are_told_of(tmp_path):
    """Two prompts of 12 responses have 2 · 66 pairs, eighteen of 3 have 18 · 3."""
    rows = [f"p{p},m{m},{(p * 5 + m * 3) % 7},j" for p in range(20) for m in range(12 if p < 2 else 3)]
    store = Store(tmp_path / "s.duckdb")
    import_path(store, csv(tmp_path, "prompt,model,rating,judge\n" + "\n".join(rows) + "\n"), "d")
    found = Health(dataset="d").run(store).table().set_index("rule").loc["shared scores", "finding"]
    assert "the largest tenth of the prompts has 71 % of all" in found  # 132 / (132 + 18 * 3)


def rated(folder: Path, prompts: int, *, ranks: bool = False) -> Store:
    """Two judges who rated four models' responses, as in a file of their own each."""
    store = Store(folder / "s.duckdb")
    for judge in ("people", "gpt"):
        order = [sorted("wxyz", key=lambda m, p=p: hash_of(judge, p, m)) for p in range(prompts)]
        rows = (
            [f"p{p},{'>'.join(order[p])},{judge}" for p in range(prompts)]
            if ranks
            else [f"p{p},{m},{order[p].index(m)},{judge}" for p in range(prompts) for m in "wxyz"]
        )
        header = "prompt,ranking,judge\n" if ranks else "prompt,model,rating,judge\n"
        import_path(store, csv(folder, header + "\n".join(rows) + "\n"), "d")
    return store


def hash_of(*words: object) -> str:
    return hashlib.md5(repr(words).encode()).hexdigest()


@pytest.mark.parametrize("ranks", [False, True], ids=["ratings", "rankings"])
def test_intervals_by_pair_are_doubted_and_captions_say_how_pairs_were_made(tmp_path, ranks):
    store = rated(tmp_path, 12, ranks=ranks)
    what = "rankings" if ranks else "ratings"
    plain = Rank().run(store)
    assert plain.caption.endswith(
        f"Pairs of people and gpt are made of {what} of single responses: all pairs within a prompt and rater, so that k "
        f"responses weigh k(k − 1)/2, and equal {'ranks' if ranks else 'ratings'} are ties."
    )
    assert plain.settings["clustering"] == "prompt"
    assert not any("too narrow" in said for said in plain.warnings)
    for way, said in (("pair", "by pair"), ("none", "that take all judgments as independent")):
        for study in (Rank(cluster=way), Compare(cluster=way, judge=("people", "gpt")), JudgeAgreement(cluster=way)):
            assert any(f"people and gpt: pairs of one prompt share {what}, so that intervals {said} are too narrow" in one
                       for one in study.run(store).warnings)  # fmt: skip


def test_with_few_prompts_intervals_of_ratings_are_doubted_too(tmp_path):
    store = rated(tmp_path, 6)
    assert any("share ratings, so that intervals by pair are too narrow" in one for one in Rank().run(store).warnings)
    by_prompt = Rank(cluster="prompt").run(store)
    assert not any("too narrow" in one for one in by_prompt.warnings)
    table, plain = by_prompt.table(), Rank().run(store).table()
    assert (table["strength"] == plain["strength"]).all()


def test_circles_of_ratings_say_nothing(tmp_path):
    warnings = CheckFit().run(rated(tmp_path, 12)).warnings
    assert any("people and gpt: a rating or ranking cannot contradict itself" in one for one in warnings)


@pytest.mark.slow
def test_intervals_by_prompt_hold_where_pairs_share_ratings():
    bench = import_module("benchmarks.coverage_rated")
    of = next(of for of in bench.worlds() if of.name == "40 prompts of 3, some of 8, 3 people, a fifth missing")
    table = bench.run_world(of, 100, 1).set_index("quantity")
    kinds = ["strengths", "gaps", "win rates", "agreement"]
    # Pooled over eight models and more, a hundred runs have a standard error of about 1 %.
    assert table.loc[[f"{kind}, by prompt" for kind in kinds], "coverage"].between(0.9, 0.99).all()
    assert (table.loc[[f"{kind}, by pair" for kind in ("strengths", "gaps", "agreement")], "coverage"] < 0.88).all()


@given(st.lists(st.lists(st.sampled_from("ABCDEFG"), min_size=1, max_size=3), min_size=2, max_size=4))
@settings(max_examples=60, deadline=None)
def test_a_ranking_is_read_as_it_was_written(groups):
    items = [item for group in groups for item in group]
    text = " > ".join(" = ".join(group) for group in groups)
    if len(set(items)) < len(items):
        with pytest.raises(ValueError, match="twice"):
            read_ranking(text, None)
        return
    places = {one.item: one.place for one in read_ranking(text, None)}
    assert list(places) == items
    for k, group in enumerate(groups):
        assert {places[item] for item in group} == {1.0 + sum(len(g) for g in groups[:k])}
    assert read_ranking(" < ".join(" = ".join(g) for g in groups[::-1]), None) == read_ranking(text, None)


def test_rankings_in_other_spellings():
    assert [p.item for p in read_ranking("['gpt-4', 'claude']", None)] == ["gpt-4", "claude"]
    assert [(p.item, p.place) for p in read_ranking('[["A"], ["B", "C"]]', None)] == [("A", 1), ("B", 2), ("C", 2)]
    assert [(p.item, p.place) for p in read_ranking("[2, 0, 1]", "order")] == [("3", 1), ("1", 2), ("2", 3)]
    assert [(p.item, p.place) for p in read_ranking("[1, 2.5, 2.5]", "ranks")] == [("1", 1), ("2", 2.5), ("3", 2.5)]
    assert [p.item for p in read_ranking("B D A", None)] == ["B", "D", "A"]
    with pytest.raises(UnclearNumbers):
        read_ranking("2,1,3", None)
    for wrong in ("[]", "[1", "A > B < C", "word", "A >> > B", "{}"):
        with pytest.raises(ValueError, match=r"."):
            read_ranking(wrong, None)
    assert [slot_of(w) for w in ("A", "b", "3", "Response C", "(B)", "gpt-4")] == [1, 2, 3, 3, 2, None]
