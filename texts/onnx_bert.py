"""How is a BERT model of sentences run without torch? Its weights become an ONNX graph, in memory.

Texts are run one length at a time, without padding, one thread a batch: so the vector of a text is the same to the
last bit whatever stands beside it, and a core that is taken away slows no other down.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from texts.measure import TICK, cores

Vectors = NDArray[np.float32]

TOKENS = 512
"""Tokens that are run at a time: what a layer holds of them stays near the core."""

LONG = 20_000
"""Characters above which a text is cut before it is taken apart, by words that cannot all fit."""

CONTRIB = "com.microsoft"


class UnsupportedModelError(Exception):
    """The model is none that this module can run; its text says why."""


@dataclass(frozen=True)
class Shape:
    """What a folder of sentence-transformers says of a BERT model.

    most_tokens : where a text is cut; first : the vector is that of the first token, not the mean over all
    """

    layers: int
    heads: int
    epsilon: float
    most_tokens: int
    first: bool


def read_shape(folder: Path) -> Shape:
    """The shape of a model. Raises UnsupportedModelError where it is not a plain BERT that pools its tokens."""
    config = _json(folder / "config.json")
    steps = [step["type"].rpartition(".")[2] for step in _json(folder / "modules.json")]
    pooling = _json(folder / "1_Pooling" / "config.json")
    sentences = _json(folder / "sentence_bert_config.json")
    modes = (name for name, on in pooling.items() if on is True and name.startswith("pooling_mode_"))
    chosen = {name.removeprefix("pooling_mode_") for name in modes}
    own = _json(folder / "config_sentence_transformers.json")
    reasons = {
        "the model is no BERT": config.get("model_type") == "bert",
        "its activation is not gelu": config.get("hidden_act") == "gelu",
        "its positions are not absolute": config.get("position_embedding_type", "absolute") == "absolute",
        "it has other steps than pooling and scaling": steps in (
            ["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]
        ),
        "its pooling is neither the mean nor the first token": chosen in ({"mean_tokens"}, {"cls_token"}),
        "it puts words of its own before a text": not own.get("default_prompt_name"),
        "its weights are not one file model.safetensors": (folder / "model.safetensors").is_file(),
        "it has no tokenizer.json": (folder / "tokenizer.json").is_file(),
    }  # fmt: skip
    for reason, holds in reasons.items():
        if not holds:
            raise UnsupportedModelError(reason)
    positions = int(config["max_position_embeddings"])
    return Shape(
        int(config["num_hidden_layers"]), int(config["num_attention_heads"]), float(config["layer_norm_eps"]),
        min(int(sentences.get("max_seq_length") or positions), positions), chosen == {"cls_token"},
    )  # fmt: skip


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnsupportedModelError(f"{path.name} cannot be read") from error


def build(weights: dict[str, NDArray[np.float32]], shape: Shape) -> onnx.ModelProto:
    """The graph: `ids` (texts, tokens) int32 to `hidden` (texts, tokens, dimensions) of the last layer.

    weights : by the names they have in the file
    """
    constants: list[onnx.TensorProto] = []
    nodes: list[onnx.NodeProto] = []

    def constant(name: str, value: NDArray[np.float32]) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value, dtype=np.float32), name))
        return name

    def node(
        kind: str, inputs: Sequence[str], name: str, domain: str = CONTRIB, more: Sequence[str] = (), **options: Any
    ) -> str:
        nodes.append(helper.make_node(kind, list(inputs), [name, *more], name=name, domain=domain, **options))
        return name

    def pair(name: str) -> list[str]:
        return [constant(f"{name}.{part}", weights[f"{name}.{part}"]) for part in ("weight", "bias")]

    def dense(x: str, name: str) -> str:
        """Without the bias, which the next node adds."""
        weight = constant(f"{name}.weight", weights[f"{name}.weight"].T)
        return node("MatMul", [x, weight], f"{name}.product", domain="")

    def bias(name: str) -> str:
        return constant(f"{name}.bias", weights[f"{name}.bias"])

    # Every text is a first sentence: the embedding of that is added to those of the places.
    places = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    tables = [
        constant("words", weights["embeddings.word_embeddings.weight"]), constant("places", places), "",
        *pair("embeddings.LayerNorm"),
    ]  # fmt: skip
    x = node("EmbedLayerNormalization", ["ids", "", *tables], "embedded", more=["unused"], epsilon=shape.epsilon)
    for k in range(shape.layers):
        layer = f"encoder.layer.{k}"
        own = [f"{layer}.attention.self.{part}" for part in ("query", "key", "value")]
        joint = [
            constant(f"{layer}.qkv.weight", np.concatenate([weights[f"{name}.weight"].T for name in own], axis=1)),
            constant(f"{layer}.qkv.bias", np.concatenate([weights[f"{name}.bias"] for name in own])),
        ]
        y = node("Attention", [x, *joint], f"{layer}.attended", num_heads=shape.heads)
        for inner, outer in (("attention.output", None), ("output", "intermediate")):
            if outer is not None:
                first = f"{layer}.{outer}.dense"
                y = node("BiasGelu", [dense(x, first), bias(first)], f"{layer}.gelu")
            name = f"{layer}.{inner}"
            inputs = [dense(y, f"{name}.dense"), x, *pair(f"{name}.LayerNorm"), bias(f"{name}.dense")]
            x = node("SkipLayerNormalization", inputs, f"{name}.sum", epsilon=shape.epsilon)
    node("Identity", [x], "hidden", domain="")
    graph = helper.make_graph(
        nodes, "bert", [helper.make_tensor_value_info("ids", TensorProto.INT32, ["texts", "tokens"])],
        [helper.make_tensor_value_info("hidden", TensorProto.FLOAT, ["texts", "tokens", places.shape[1]])], constants,
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(CONTRIB, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


class OnnxBert:
    """A model in memory, ready to run on all cores."""

    def __init__(self, folder: Path) -> None:
        """Raises UnsupportedModelError for a model of another kind."""
        self._shape = read_shape(folder)
        weights = load_file(folder / "model.safetensors")
        weights = {name.removeprefix("bert."): value for name, value in weights.items()}
        try:
            graph = build(weights, self._shape)
        except KeyError as error:
            raise UnsupportedModelError(f"its file has no weights {error}") from error
        self.dimensions = int(weights["embeddings.word_embeddings.weight"].shape[1])
        self.most_tokens = self._shape.most_tokens
        products = [value for name, value in weights.items() if value.ndim == 2 and name.startswith("encoder.")]
        self.operations = 2 * sum(value.size for value in products)
        """Multiplications and additions that the layers' products take for a token."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self.most_tokens)

    def tokens(self, bodies: Sequence[str], tick: Callable[[int], None] = lambda _: None) -> list[list[int]]:
        """What the model reads of each text, its first and last mark included."""
        ids: list[list[int]] = []
        for start in range(0, len(bodies), 64):
            part = [shorten(body, self.most_tokens) for body in bodies[start : start + 64]]
            ids += [found.ids for found in self._tokenizer.encode_batch(part)]
            tick(0)
        return ids

    def embed(self, bodies: Sequence[str], tick: Callable[[int], None]) -> Vectors:
        """(texts, dimensions) vectors of length 1. tick : called with how many texts are done, at least every TICK
        seconds"""
        ids = self.tokens(bodies, tick)
        out = np.empty((len(bodies), self.dimensions), dtype=np.float32)
        done = 0
        pool = ThreadPoolExecutor(cores())
        try:
            waiting: dict[Future[Vectors], NDArray[np.int64]] = {
                pool.submit(self._run, np.array([ids[k] for k in rows], dtype=np.int32)): rows for rows in runs(ids)
            }
            while waiting:
                for future in wait_for(waiting, TICK, FIRST_COMPLETED).done:
                    rows = waiting.pop(future)
                    out[rows] = future.result()
                    done += len(rows)
                tick(done)
        finally:
            pool.shutdown(cancel_futures=True)
        return out

    def _run(self, ids: NDArray[np.int32]) -> Vectors:
        hidden = self._session.run(None, {"ids": ids})[0]
        vector = hidden[:, 0].astype(np.float64) if self._shape.first else hidden.mean(axis=1, dtype=np.float64)
        return np.asarray(vector / np.linalg.norm(vector, axis=1, keepdims=True), dtype=np.float32)


def runs(ids: Sequence[Sequence[int]]) -> list[NDArray[np.int64]]:
    """Which texts are run together: of one number of tokens, about TOKENS in all; long and short ones mixed, as they
    come, so that what is done tells how long the rest will take."""
    size = np.array([len(one) for one in ids], dtype=np.int64)
    order = np.argsort(size, kind="stable")
    cuts = np.flatnonzero(np.diff(size[order])) + 1
    found = []
    for rows in np.split(order, cuts) if len(order) else []:
        most = max(1, TOKENS // int(size[rows[0]]))
        found += [rows[start : start + most] for start in range(0, len(rows), most)]
    return sorted(found, key=lambda rows: int(rows[0]))


def shorten(body: str, most_tokens: int) -> str:
    """The text itself, or of a long one as many words as cannot all be within its first tokens."""
    if len(body) <= LONG:
        return body
    # A word is a token at least, unless it is all control characters: hence four times as many.
    return " ".join(body.split(maxsplit=4 * most_tokens)[: 4 * most_tokens])
