"""What is there to be judged, and what of it has a judge not judged yet?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from analysis.cells import Ints


@dataclass(frozen=True)
class Ground:
    """What there is to be judged.

    models : names, alphabetically by those of the files; ids : of the store, in that order
    prompts : (n_prompts,) ids; has : (n_prompts, n_models) 1 + the position of the response, 0 for none
    response : (n_responses,) ids
    """

    models: tuple[str, ...]
    ids: Ints
    prompts: Ints
    has: csr_array
    response: Ints

    @classmethod
    def of(cls, models: tuple[str, ...], ids: Mapping[str, int], responses: Mapping[str, Ints]) -> Ground:
        """responses : prompt, model, response ids"""
        own = np.array([ids[name] for name in models], dtype=np.int64)
        lookup = np.full(int(max(own.max(), responses["model"].max(initial=0))) + 1, -1, dtype=np.int64)
        lookup[own] = np.arange(len(own))
        prompts, prompt = np.unique(responses["prompt"], return_inverse=True)
        place = np.arange(1, len(prompt) + 1)
        has = csr_array((place, (prompt, lookup[responses["model"]])), shape=(len(prompts), len(models)))
        return cls(models, own, prompts, has, np.asarray(responses["response"], dtype=np.int64))

    @cached_property
    def there(self) -> csr_array:
        """(n_prompts, n_models) 1 where the model has a response."""
        ones = np.ones(self.has.nnz, dtype=np.int64)
        return csr_array((ones, self.has.indices, self.has.indptr), shape=self.has.shape)

    def shared(self, some: Ints) -> Ints:
        """(k, k) prompts to which both of two models have a response."""
        there = self.there[:, some]
        return np.asarray((there.T @ there).toarray(), dtype=np.int64)

    def responses_at(self, prompt: Ints, model: Ints) -> Ints:
        """(n,) ids of the responses of these models under these prompts (positions), which must be there."""
        if not len(prompt):
            # Of no places SciPy gives a sparse array instead of a plain one.
            return np.zeros(0, dtype=np.int64)
        return np.asarray(self.response[np.asarray(self.has[prompt, model]) - 1])

    def prompts_of(self, some: Ints) -> dict[int, Ints]:
        """Ascending positions of the prompts to which each of these models has a response."""
        columns = self.has.tocsc()
        ends = columns.indptr
        return {int(k): np.sort(columns.indices[ends[k] : ends[k + 1]]).astype(np.int64) for k in some}


@dataclass(frozen=True)
class Room:
    """How many judgments of each pair of models there are, and how many can be had; tables are made when asked for."""

    ground: Ground
    prompts: csr_array
    judgments: csr_array

    @classmethod
    def of(cls, ground: Ground, judged: pd.DataFrame) -> Room:
        n = len(ground.models)
        order = np.argsort(ground.ids)
        known = judged[judged["a"].isin(ground.ids) & judged["b"].isin(ground.ids)]
        a, b = (order[np.searchsorted(ground.ids[order], known[side].to_numpy())] for side in ("a", "b"))
        both = (np.concatenate([a, b]), np.concatenate([b, a]))

        def table(name: str) -> csr_array:
            values = known[name].to_numpy(dtype=np.int64)
            return csr_array((np.concatenate([values, values]), both), shape=(n, n))

        return cls(ground, table("prompts"), table("judgments"))

    def row(self, k: int) -> Ints:
        """(n_models,) judgments of model k against each other one that can be had."""
        there = self.ground.there
        own = (there[:, [k]].T @ there).toarray()[0] - self.prompts[[k]].toarray()[0]
        own[k] = 0
        return np.asarray(np.maximum(own, 0))

    def bounds(self, some: Ints) -> Ints | None:
        """(k, k) judgments that can be had among some models; None, without bounds, where there are none at all."""
        out = np.maximum(self.ground.shared(some) - self.prompts[some][:, some].toarray(), 0)
        np.fill_diagonal(out, 0)
        return out if out.any() else None

    def pairs(self, a: Ints, b: Ints) -> tuple[Ints, Ints]:
        """(n_rows,) judgments so far, and how many can be had, of given pairs."""
        have = [int(self.judgments[i, j]) for i, j in zip(a, b, strict=True)]
        rows = {int(i): self.row(int(i)) for i in np.unique(a)}
        can = [int(rows[int(i)][j]) for i, j in zip(a, b, strict=True)]
        return np.array(have, dtype=np.int64), np.array(can, dtype=np.int64)
