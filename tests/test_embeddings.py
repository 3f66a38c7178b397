"""Vectors of meaning: by hand, against sentence-transformers, the same in any company, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from browser_app import ROOT
from tiny_bert import SIZE, WORDS, by_hand, make

from errors import OptionError
from texts import embeddings
from texts.embeddings import DEFAULT, Model, SentenceTransformers, find_model, load
from texts.onnx_bert import OnnxBert, UnsupportedModelError, read_shape, runs, shorten

AWKWARD = [
    "", " ", "a", "A cat.", "漢字です。", "😀 🎉", "‏مرحبا بالعالم", "x" * 3000, "line\n\n- item\n\x00 end", "naïve café",
    "word " * 400, "one two " * 15_000,
]  # fmt: skip

FLOAT32 = 1e-6
"""Two orders of float32 arithmetic over six layers: each step rounds to 6e-8, and entries are below 0.3."""


def quiet(done: int) -> None:
    pass


def embed(engine: embeddings.Engine, bodies: list[str]) -> embeddings.Vectors:
    return engine.embed(bodies, quiet)


@pytest.fixture(scope="module")
def default() -> OnnxBert:
    return OnnxBert(find_model().folder)


# --- what a vector is ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pooling", ["mean_tokens", "cls_token"])
def test_a_small_model_written_out_by_hand(tmp_path: Path, pooling: str) -> None:
    weights = make(tmp_path / "m", pooling=pooling)
    texts = {"": [], "the cat sat": ["the", "cat", "sat"], "CATS; a": ["cat", "##s", "[UNK]", "a"], "a b c d e f": [*"abcdef"]}
    found = embed(OnnxBert(tmp_path / "m"), list(texts))
    for vector, tokens in zip(found, texts.values(), strict=True):
        ids = [WORDS.index(word) for word in ("[CLS]", *tokens, "[SEP]")]
        assert vector == pytest.approx(by_hand(weights, ids, pooling == "cls_token"), abs=2e-6)


def test_a_text_is_cut_at_the_models_length(tmp_path: Path) -> None:
    weights = make(tmp_path / "m", most=6)
    [long, short] = embed(OnnxBert(tmp_path / "m"), ["a b c d e f g h", "a b c d"])
    assert np.array_equal(long, short)
    assert long == pytest.approx(by_hand(weights, [2, *(WORDS.index(w) for w in "abcd"), 3]), abs=2e-6)


def test_the_same_vectors_as_sentence_transformers(default: OnnxBert) -> None:
    rng = np.random.default_rng(0)
    texts = AWKWARD + [" ".join(rng.choice(["moon", "river", "the", "walks", "12.5", "—"], n)) for n in rng.integers(1, 300, 20)]
    mine, theirs = embed(default, texts), embed(SentenceTransformers(find_model()), texts)
    assert mine.dtype == theirs.dtype == np.float32
    assert mine.shape == theirs.shape == (len(texts), 384)
    assert np.abs(mine - theirs).max() < FLOAT32


def test_a_small_model_by_sentence_transformers_too(tmp_path: Path) -> None:
    make(tmp_path / "m", pooling="cls_token")
    texts = ["", "the cat sat", "a b c", "cats sat sat sat sat sat sat sat sat sat sat sat"]
    model = find_model(str(tmp_path / "m"))
    theirs = SentenceTransformers(model)
    assert (theirs.dimensions, theirs.most_tokens) == (SIZE, 12)
    assert np.abs(embed(OnnxBert(model.folder), texts) - embed(theirs, texts)).max() < 2e-6
    assert embed(theirs, []).shape == (0, SIZE)


def test_near_in_meaning_is_near(default: OnnxBert) -> None:
    cat, kitten, stocks = embed(default, ["The cat sleeps.", "A kitten is sleeping.", "Stocks fell on Monday."])
    assert cat @ kitten > 0.6
    assert cat @ stocks < 0.2


# --- in any company -----------------------------------------------------------------------------------------------------


def test_a_vector_is_the_same_to_the_last_bit_in_any_company(default: OnnxBert) -> None:
    rng = np.random.default_rng(1)
    texts = [*AWKWARD[:8], *(" ".join(rng.choice(["moon", "sun", "sea"], n)) for n in rng.integers(1, 60, 40))]
    together = embed(default, texts)
    order = rng.permutation(len(texts))
    assert np.array_equal(embed(default, [texts[k] for k in order]), together[order])
    assert np.array_equal(np.vstack([embed(default, [text]) for text in texts]), together)
    assert np.abs(np.linalg.norm(together, axis=1) - 1).max() < 1e-6


def test_runs_hold_each_text_once_and_one_length_each() -> None:
    rng = np.random.default_rng(2)
    ids = [[0] * int(n) for n in rng.integers(2, 257, 500)]
    found = runs(ids)
    assert sorted(np.concatenate(found).tolist()) == list(range(500))
    for rows in found:
        assert len({len(ids[k]) for k in rows}) == 1
        assert len(rows) * len(ids[rows[0]]) <= 512
    assert runs([]) == []
    assert len(runs([[0] * 3] * 1000)) == -(-1000 // (512 // 3))


def test_no_text_gives_no_vector(default: OnnxBert) -> None:
    assert embed(default, []).shape == (0, 384)


def test_a_long_text_is_shortened_where_the_model_no_longer_reads(default: OnnxBert) -> None:
    words = [f"w{k}" for k in range(9000)]
    text = " ".join(words)
    assert len(shorten(text, 256)) < 10_000
    assert shorten("short  text", 256) == "short  text"
    assert np.array_equal(embed(default, [text])[0], embed(default, [" ".join(words[:250])])[0])
    start = time.perf_counter()
    embed(default, ["wort " * 200_000, "x" * 1_000_000, "\n" * 1_000_000, "(" * 1_000_000])
    assert time.perf_counter() - start < 20


def test_progress_is_told_while_it_works(default: OnnxBert) -> None:
    told: list[tuple[float, int]] = [(time.monotonic(), 0)]
    default.embed(["moon " * 200] * 40, lambda done: told.append((time.monotonic(), done)))
    assert told[-1][1] == 40
    assert [done for _, done in told] == sorted(done for _, done in told)
    assert max(b - a for (a, _), (b, _) in pairwise(told)) < 2  # a busy machine may hold a tick up


# --- which model --------------------------------------------------------------------------------------------------------


def test_a_models_name_stands_for_its_files(tmp_path: Path) -> None:
    make(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "elsewhere" / "one")
    make(tmp_path / "other" / "one", seed=1)
    one, same, other = (find_model(str(tmp_path / at)) for at in ("one", "elsewhere/one/", "other/one"))
    assert one.name == same.name != other.name
    assert one.name.startswith("one@")
    assert one.number != other.number
    assert 0 <= one.number < 1 << 24
    make(tmp_path / "changed")
    before = find_model(str(tmp_path / "changed")).name
    config = tmp_path / "changed" / "1_Pooling" / "config.json"
    config.write_text(config.read_text().replace("true", "false").replace('cls_token": false', 'cls_token": true'))
    assert find_model(str(tmp_path / "changed")).name != before


def test_the_default_has_several_names() -> None:
    assert find_model() == find_model(DEFAULT) == find_model(f"sentence-transformers/{DEFAULT}")
    assert find_model().name.startswith(f"{DEFAULT}@")


def test_a_model_that_is_not_here_is_refused_at_once(tmp_path: Path) -> None:
    start = time.perf_counter()
    with pytest.raises(OptionError, match="no folder of this name, and no model of the hub that was downloaded"):
        find_model("nobody/no-such-model")
    with pytest.raises(OptionError, match="no folder of this name"):
        find_model("not a name, not a folder")
    assert time.perf_counter() - start < 5
    with pytest.raises(OptionError, match=r"the folder holds no model of sentence-transformers \(it has no modules.json\)"):
        find_model(str(tmp_path))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model_type": "mpnet"}, "the model is no BERT"),
        ({"hidden_act": "relu"}, "its activation is not gelu"),
        ({"position_embedding_type": "relative_key"}, "its positions are not absolute"),
    ],
)
def test_what_onnxruntime_does_not_run_here_goes_the_other_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], reason: str
) -> None:
    make(tmp_path / "m", **change)
    with pytest.raises(UnsupportedModelError, match=reason):
        read_shape(tmp_path / "m")
    used: list[Model] = []
    monkeypatch.setattr(embeddings, "SentenceTransformers", used.append)
    said: list[str] = []
    model = find_model(str(tmp_path / "m"))
    load(model, said.append)
    assert used == [model]
    assert said == [f"{model.name} runs on sentence-transformers: {reason}"]


def test_when_onnxruntime_fails_it_is_said_and_the_work_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path / "m")

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no such operator\nin a long trace")

    monkeypatch.setattr("texts.onnx_bert.onnxruntime.InferenceSession", broken)
    said: list[str] = []
    model = find_model(str(tmp_path / "m"))
    assert isinstance(load(model, said.append), SentenceTransformers)
    assert said == [
        f"onnxruntime could not run {model.name} (no such operator); sentence-transformers is used, which gives the same "
        "vectors and takes five seconds to start"
    ]


def test_a_damaged_model_is_refused_in_a_sentence(tmp_path: Path) -> None:
    make(tmp_path / "m")
    (tmp_path / "m" / "model.safetensors").write_bytes(b"nothing of the kind")
    model = find_model(str(tmp_path / "m"))
    with pytest.raises(OptionError, match=r"the model m@\w{12} cannot be read: ."):
        load(model)


def test_pooling_of_another_kind_is_left_to_sentence_transformers(tmp_path: Path) -> None:
    make(tmp_path / "m", pooling="max_tokens")
    with pytest.raises(UnsupportedModelError, match="its pooling is neither the mean nor the first token"):
        OnnxBert(tmp_path / "m")
    make(tmp_path / "p")
    own = {"default_prompt_name": "query", "prompts": {"query": "query: "}}
    (tmp_path / "p" / "config_sentence_transformers.json").write_text(json.dumps(own))
    with pytest.raises(UnsupportedModelError, match="it puts words of its own before a text"):
        OnnxBert(tmp_path / "p")


def test_what_runs_the_model_keeps_no_events_about_its_user(tmp_path: Path) -> None:
    home = os.environ | {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-c", "import texts.onnx_bert"], cwd=ROOT, env=home, check=True)
    assert list(tmp_path.iterdir()) == []
