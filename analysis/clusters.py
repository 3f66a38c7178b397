"""Which prompts belong together by what they mean, and how is each group told apart in a few words?

Spherical k-means: vectors of length 1, so that squared distance is twice (1 - cosine). Where no number of clusters is
given it is the one of the highest mean silhouette (Rousseeuw 1987).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.cells import Floats, Ints
from errors import NotIdentifiedError, OptionError

LEAST, MOST = 20, 50
"""Prompts below which there is nothing to group; clusters that may be asked for."""
TRIED = 12
"""Clusters that are tried unasked."""
STARTS = 10
JUDGED_ON = 2_000
"""Prompts on which numbers of clusters are held against one another."""
WORDS = 3
PRIOR = 500.0
"""Weight of the prior of the log-odds, in words: rare words alone do not tell a group."""
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True)
class Clusters:
    """A partition.

    label : (n,) 0..k-1, the largest cluster first; n_prompts : (k,); cohesion : (k,) mean cosine to the centre
    silhouette : mean over prompts, in [-1, 1]; tried : by number of clusters, its silhouette
    """

    label: Ints
    n_prompts: Ints
    cohesion: Floats
    silhouette: float
    tried: dict[int, float]


def cluster(
    vectors: NDArray[np.floating], n_clusters: int | None = None, seed: int = 0,
    progress: Callable[[float], None] = lambda share: None,
) -> Clusters:  # fmt: skip
    """Group vectors of length 1, (n, dimensions).

    Raises NotIdentifiedError for fewer than LEAST vectors or for vectors that are all alike, OptionError for a number
    of clusters that cannot be.
    """
    n = len(vectors)
    if n < LEAST:
        raise NotIdentifiedError(f"{n} prompts are too few to be grouped: at least {LEAST}")
    different = len(np.unique(np.round(vectors, 5), axis=0))
    if different < 2:
        raise NotIdentifiedError("all prompts mean the same, so there is nothing to group")
    if n_clusters is not None and not 2 <= n_clusters <= min(MOST, different):
        raise OptionError(f"{n_clusters} clusters: 2 to {min(MOST, different)} can be told apart here")
    most = max(2, min(TRIED, different - 1, n // 5))
    candidates = range(2, most + 1) if n_clusters is None else (n_clusters,)
    rng = np.random.default_rng(seed)
    judged = np.sort(rng.choice(n, min(n, JUDGED_ON), replace=False))
    found: dict[int, NDArray[np.int64]] = {}
    tried: dict[int, float] = {}
    for at, k in enumerate(candidates):
        progress(at / len(candidates))
        found[k] = _k_means(vectors, k, seed)
        tried[k] = _silhouette(vectors[judged], found[k][judged])
    best = max(tried, key=lambda k: (tried[k], -k))
    label = found[best]
    size = np.bincount(label, minlength=best)
    order = np.argsort(-size, kind="stable")
    place = np.empty(best, dtype=np.int64)
    place[order] = np.arange(best)
    label = place[label]
    centres = np.stack([vectors[label == k].mean(axis=0) for k in range(best)])
    centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-12)
    cosine = np.einsum("ij,ij->i", vectors, centres[label])
    cohesion = np.bincount(label, cosine, best) / size[order]
    return Clusters(label, size[order], cohesion, tried[best], tried)


def _k_means(vectors: NDArray[np.floating], k: int, seed: int) -> NDArray[np.int64]:
    # Heavy, and not needed by any page but one.
    from sklearn.cluster import KMeans

    return np.asarray(KMeans(k, n_init=STARTS, random_state=seed).fit_predict(vectors), dtype=np.int64)


def _silhouette(vectors: NDArray[np.floating], label: NDArray[np.int64]) -> float:
    """Mean silhouette with 1 - cosine as distance; 0 for a prompt that is alone, as Rousseeuw has it."""
    n_clusters = int(label.max()) + 1
    size = np.bincount(label, minlength=n_clusters).astype(np.float64)
    if (size > 0).sum() < 2:
        return -1.0
    sums = np.zeros((n_clusters, vectors.shape[1]))
    np.add.at(sums, label, vectors)
    # The mean distance to a cluster follows from the sum of its vectors: no n x n matrix.
    to = 1 - vectors @ sums.T / np.maximum(size, 1)
    rows = np.arange(len(label))
    own = size[label]
    # The distance to itself is 0 and is not counted.
    within = to[rows, label] * own / np.maximum(own - 1, 1)
    to[rows, label] = np.inf
    to[:, size == 0] = np.inf
    beside = to.min(axis=1)
    value = np.where(own > 1, (beside - within) / np.maximum(np.maximum(beside, within), 1e-12), 0.0)
    return float(value.mean())


def telling_words(texts: Sequence[str], label: Ints, n_clusters: int, without: Collection[str] = ()) -> list[list[str]]:
    """Up to WORDS words for each cluster that its texts use more than the others do.

    Ranked by the log-odds ratio with an informative Dirichlet prior, in standard errors (Monroe, Colaresi and Quinn
    2008); a word counts once a text. without : words that tell nothing
    """
    counts: list[Counter[str]] = [Counter() for _ in range(n_clusters)]
    for text, k in zip(texts, label.tolist(), strict=True):
        counts[k].update({word for word in _WORD.findall(text.lower()) if word not in without})
    whole: Counter[str] = Counter()
    for one in counts:
        whole.update(one)
    total = sum(whole.values())
    out = []
    for one in counts:
        n, rest = sum(one.values()), total - sum(one.values())
        scored = []
        for word, here in one.items():
            prior = PRIOR * whole[word] / total
            there = whole[word] - here
            a, b = (here + prior) / (n + PRIOR - here - prior), (there + prior) / (rest + PRIOR - there - prior)
            z = (np.log(a) - np.log(b)) / np.sqrt(1 / (here + prior) + 1 / (there + prior))
            if here > 1 and z > 0:
                scored.append((-z, word))
        out.append([word for _, word in sorted(scored)[:WORDS]])
    return out


def named(words: Sequence[Sequence[str]]) -> list[str]:
    """A name of its own for each cluster: its telling words, numbered where it has none or another has the same."""
    out: list[str] = []
    for k, some in enumerate(words, 1):
        name = ", ".join(some) or f"cluster {k}"
        out.append(name if name not in out else f"{name} ({k})")
    return out
