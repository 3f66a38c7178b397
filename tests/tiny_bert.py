"""A BERT model of sentences so small that a test makes it: two layers of random weights over thirty words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

SIZE, INNER, LAYERS, HEADS, PLACES = 16, 32, 2, 4, 24
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrst", "the", "cat", "sat", "##s", "##ing"]

Weights = dict[str, NDArray[np.float32]]


def make(folder: Path, seed: int = 0, pooling: str = "mean_tokens", most: int = 12, **config: object) -> Weights:
    """Write a model into the folder as sentence-transformers saves one. most : tokens of a text; config : other than
    usual"""
    rng = np.random.default_rng(seed)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (len(WORDS), SIZE), "embeddings.position_embeddings.weight": (PLACES, SIZE),
        "embeddings.token_type_embeddings.weight": (2, SIZE), "embeddings.LayerNorm.weight": (SIZE,),
        "embeddings.LayerNorm.bias": (SIZE,), "pooler.dense.weight": (SIZE, SIZE), "pooler.dense.bias": (SIZE,),
    }  # fmt: skip
    for k in range(LAYERS):
        at = f"encoder.layer.{k}"
        for name, (rows, columns) in {
            "attention.self.query": (SIZE, SIZE), "attention.self.key": (SIZE, SIZE),
            "attention.self.value": (SIZE, SIZE), "attention.output.dense": (SIZE, SIZE),
            "intermediate.dense": (INNER, SIZE), "output.dense": (SIZE, INNER),
        }.items():  # fmt: skip
            shapes |= {f"{at}.{name}.weight": (rows, columns), f"{at}.{name}.bias": (rows,)}
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes |= {f"{at}.{name}.weight": (SIZE,), f"{at}.{name}.bias": (SIZE,)}
    weights = {name: rng.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}
    (folder / "1_Pooling").mkdir(parents=True)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    steps = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    modes = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens")
    files: dict[str, object] = {
        "modules.json": [
            {"idx": k, "name": str(k), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for k, (path, kind) in enumerate(steps)
        ],
        "config.json": {
            "architectures": ["BertModel"], "model_type": "bert", "hidden_act": "gelu", "hidden_size": SIZE,
            "intermediate_size": INNER, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
            "max_position_embeddings": PLACES, "layer_norm_eps": 1e-12, "type_vocab_size": 2, "vocab_size": len(WORDS),
            "pad_token_id": 0, "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1,
        } | config,
        "sentence_bert_config.json": {"max_seq_length": most, "do_lower_case": False},
        "config_sentence_transformers.json": {"__version__": {"sentence_transformers": "2.0.0"}},
        "1_Pooling/config.json": {
            "word_embedding_dimension": SIZE, **{f"pooling_mode_{mode}": mode == pooling for mode in modes}
        },
        "tokenizer_config.json": {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": PLACES},
    }  # fmt: skip
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    tokenizer = Tokenizer(models.WordPiece({word: k for k, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.enable_padding(length=8)  # as the default model's file says too: it is no part of what a text means
    tokenizer.save(str(folder / "tokenizer.json"))
    return weights


def by_hand(weights: Weights, ids: list[int], first: bool = False) -> NDArray[np.float64]:
    """The vector of one text, written out as the papers have it (Vaswani et al. 2017, Devlin et al. 2019), in float64."""
    from scipy.special import erf, softmax

    w = {name: value.astype(np.float64) for name, value in weights.items()}

    def norm(x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        centred = x - x.mean(axis=1, keepdims=True)
        scaled = centred / np.sqrt(x.var(axis=1, keepdims=True) + 1e-12)
        return np.asarray(scaled * w[f"{name}.weight"] + w[f"{name}.bias"])

    def dense(x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        return np.asarray(x @ w[f"{name}.weight"].T + w[f"{name}.bias"])

    e = "embeddings"
    x = w[f"{e}.word_embeddings.weight"][ids] + w[f"{e}.position_embeddings.weight"][: len(ids)]
    x = norm(x + w[f"{e}.token_type_embeddings.weight"][0], f"{e}.LayerNorm")
    for k in range(LAYERS):
        at = f"encoder.layer.{k}"
        q, key, v = (
            dense(x, f"{at}.attention.self.{part}").reshape(len(ids), HEADS, -1) for part in ("query", "key", "value")
        )
        scores = np.einsum("ihd,jhd->hij", q, key) / np.sqrt(SIZE // HEADS)
        seen = np.einsum("hij,jhd->ihd", softmax(scores, axis=2), v).reshape(len(ids), SIZE)
        x = norm(dense(seen, f"{at}.attention.output.dense") + x, f"{at}.attention.output.LayerNorm")
        y = dense(x, f"{at}.intermediate.dense")
        x = norm(dense(y * (1 + erf(y / np.sqrt(2))) / 2, f"{at}.output.dense") + x, f"{at}.output.LayerNorm")
    pooled = x[0] if first else x.mean(axis=0)
    return np.asarray(pooled / np.linalg.norm(pooled))
