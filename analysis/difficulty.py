"""Which instructions are hard? One number a prompt, shared by all models, from their verdicts against a baseline.

The one-factor logistic model ("2PL" of item response theory; Birnbaum 1968):

    logit P(m beats the baseline on x) = theta_m + phi_m * t_mx [+ delta_m * s] + psi_m * gamma_x,   gamma_x ~ N(0, 1)

fitted by marginal maximum likelihood (Bock and Aitkin 1981): gamma_x is integrated out, because estimating one for
each prompt beside the loadings psi_m is inconsistent with a fixed number of models (Neyman and Scott 1948). What
identifies it: the scale is set by the standard deviation 1 of gamma, its origin by the mean 0, its sign by the start
psi_m = 1, so that gamma is high where the models do well. phi, delta and psi have a N(0, 5^2) prior: a change of 5
turns a coin toss into .993, more than such effects are (Gelman, Jakulin, Pittau and Su 2008, who set half of it). Data
hardly feel it, but it keeps a loading finite when few prompts are shared. theta has none.

Newton's method with the exact observed information (Louis 1982), on nodes around each prompt's own mode (the
trapezoid rule, whose error falls exponentially for smooth bell shapes, skewed ones too; Trefethen and Weideman 2014).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.sparse import csr_array

from analysis.blas import use_one_thread
from analysis.cells import Floats, Ints
from errors import ConvergenceError

# (models a prompt up to which it holds, nodes, their reach to either side of the mode in standard deviations): with few
# verdicts and a strong loading gamma's density is half a bell, and a coarse sum over it stops Newton's method.
NODES = ((4.0, 121, 10.0), (12.0, 61, 9.0), (50.0, 31, 8.0), (np.inf, 15, 7.0))
MAX_STEPS = 200
# Longest step in log-odds at which the step just taken is the last one; convergence is quadratic.
LAST_STEP = 1e-6
LONGEST_STEP = 2.0
# A prompt's mode is found to 1e-8: Newton's steps square the error.
MODE_STEP = 1e-4
PRIOR_SD = 5.0
# Models from which gamma is estimated: 200 pin it to about .15, and the information matrix grows with their square.
MOST_MODELS = 200
# Rows of a derivative's weights that are taken together.
LINES_AT_ONCE = 512
# Entries of a block's score matrix; 32 MB.
BLOCK_ENTRIES = 4_000_000
# Below this density a block's score matrix is kept sparse.
DENSE_FROM = 0.1

Report = Callable[[float], None]


def quiet(share: float) -> None:
    """A report that tells nobody."""


@dataclass(frozen=True)
class Rows:
    """Judgments in the order of prompts, within a prompt of models.

    prompt : (n,) 0..n_prompts-1, ascending; model : (n,)
    design : (n, q) the columns beside gamma: 1, t and whatever else; weight, score : (n,)
    n_models : the last may have rows of weight 0 only: they are told their prompt's difficulty and add nothing to it
    """

    prompt: Ints
    model: Ints
    design: Floats
    weight: Floats
    score: Floats
    n_prompts: int
    n_models: int


@dataclass(frozen=True)
class _Block:
    """Some prompts with their rows. rows : slice; prompts : slice; x : (r,) local prompt; cell : (r,) local (x, m)

    starts : (n,) first row of each prompt; cell_starts : (c,) first row of each (prompt, model)
    """

    rows: slice
    prompts: slice
    x: Ints
    cell: Ints
    starts: Ints
    cell_starts: Ints


@dataclass(frozen=True)
class _At:
    """A block's integrand at the nodes. gamma, prior, total, posterior : (n_prompts, nodes); the others (r, nodes)."""

    gamma: Floats
    prior: Floats
    log_lik: Floats
    total: Floats
    posterior: Floats
    residual: Floats
    curvature: Floats
    value: float


@dataclass(frozen=True)
class Difficulty:
    """The fitted one-factor model, with what a second stage needs of it.

    rows : as given; parameters : (n_models, q + 1) theta, phi, ..., psi
    mean : (n_prompts,) E(gamma_x | all verdicts); without_own : (n,) E(gamma_x | verdicts on all other models)
    bread : (p, p) inverse of the penalised information, p = n_models * (q + 1), models outermost
    log_likelihood : marginal; n_iter : Newton steps
    """

    rows: Rows
    parameters: Floats
    mean: Floats
    without_own: Floats
    bread: Floats
    log_likelihood: float
    n_iter: int

    def scores(self) -> csr_array:
        """(n, p) each row's expected score: by Fisher's identity their sum is the marginal score."""
        model = _Model(self.rows)
        q = self.parameters.shape[1]
        values = np.empty((len(self.rows.model), q))
        for block in model.blocks:
            at = model.at(block, self.parameters)
            residual = at.posterior[block.x] * at.residual
            values[block.rows, :-1] = residual.sum(1)[:, None] * self.rows.design[block.rows]
            values[block.rows, -1] = (residual * at.gamma[block.x]).sum(1)
        return _csr(values, self.rows.model[:, None] * q + np.arange(q), self.bread.shape[0])

    def pull(self, along: csr_array, report: Report = quiet) -> Floats:
        """(k, p) derivative of `along @ without_own` with respect to the parameters; along : (k, n)."""
        model = _Model(self.rows)
        q = self.parameters.shape[1]
        out = np.zeros((along.shape[0], self.bread.shape[0]))
        by_row = along.tocsc()
        for number, block in enumerate(model.blocks):
            report(number / len(model.blocks))
            at = model.at(block, self.parameters)
            posterior, mean = model.left_out(block, at)
            tilt = posterior * (at.gamma[block.x] - mean[:, None])
            place = block.x[:, None] * model.nodes + np.arange(model.nodes)
            tilts = _csr(tilt, place, len(block.starts) * model.nodes)
            scores = model.score_matrix(block, at)
            # The score matrix holds the row's own model too, on which its difficulty does not depend.
            own = np.einsum("rn,qrn->rq", tilt, model.cell_scores(block, at)[:, block.cell])
            own = _csr(own, self.rows.model[block.rows][:, None] * q + np.arange(q), out.shape[1])
            for start in range(0, len(out), LINES_AT_ONCE):
                lines = by_row[start : start + LINES_AT_ONCE, block.rows].tocsr()
                weight = lines @ tilts
                if isinstance(scores, np.ndarray):
                    change = weight.toarray() @ scores
                else:
                    change = (weight @ scores).toarray()
                out[start : start + LINES_AT_ONCE] += change - (lines @ own).toarray()
        return out


def _csr(values: Floats, columns: Ints, width: int) -> csr_array:
    """A sparse matrix with the same number of entries in each row; values, columns : (n, k)."""
    n, k = values.shape
    return csr_array((values.reshape(-1), columns.reshape(-1), np.arange(0, n * k + 1, k)), shape=(n, width))


def fit_difficulty(rows: Rows, report: Report = quiet) -> Difficulty:
    """The marginal maximum of the one-factor model, and each row's difficulty as the other models show it.

    Every model needs wins and losses. report : told a share of the work now and then

    Raises ConvergenceError.
    """
    use_one_thread()
    model = _Model(rows)
    parameters, value, bread, n_iter = _maximise(model, report)
    without_own, mean = np.empty(len(rows.model)), np.empty(rows.n_prompts)
    for block in model.blocks:
        at = model.at(block, parameters)
        without_own[block.rows] = model.left_out(block, at)[1]
        mean[block.prompts] = (at.posterior * at.gamma).sum(1)
    return Difficulty(rows, parameters, mean, without_own, bread, value, n_iter)


def _maximise(model: _Model, report: Report) -> tuple[Floats, float, Floats, int]:
    """Parameters at the maximum, the value there, the inverse information, and the steps taken."""
    parameters = model.start()
    model.tick = partial(report, 0.0)
    value, gradient, complete, missing = model.derivatives(parameters)
    for n_iter in range(1, MAX_STEPS + 1):
        # Less than ten steps are taken.
        model.tick = partial(report, 1 - 0.7**n_iter)
        step = _solve(complete, missing, gradient).reshape(parameters.shape)
        longest = np.abs(step).max()
        share = min(1.0, LONGEST_STEP / longest)
        while True:
            candidate = parameters + share * step
            new, gradient, complete, missing = model.derivatives(candidate)
            # Near the optimum the gain is below the error of the sums over nodes.
            if new >= value - 1e-9 * abs(value):
                break
            share /= 2
            if share < 1e-6:
                raise ConvergenceError(
                    "the difficulty of the prompts did not converge: no step improves the likelihood of "
                    f"{model.rows.n_models} models after {n_iter} steps"
                )
        parameters, value = candidate, new
        if share == 1.0 and longest <= LAST_STEP:
            bread = _solve(complete, missing, np.eye(len(complete)))
            return parameters, value, (bread + bread.T) / 2, n_iter
    raise ConvergenceError(f"the difficulty of the prompts did not converge within {MAX_STEPS} steps")


def _solve(complete: Floats, missing: Floats, right: Floats) -> Floats:
    """A Newton step; where the observed information is not positive definite, one with less taken off."""
    for share in (1.0, 0.9, 0.6, 0.0):
        try:
            return np.asarray(cho_solve(cho_factor(complete - share * missing, lower=True), right))
        except LinAlgError:
            continue
    raise ConvergenceError("the difficulty of the prompts did not converge: its information matrix is singular")


class _Model:
    """The integrals of the marginal likelihood; mode : (n_prompts,) of gamma when last looked for, a start."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.tick: Callable[[], None] = lambda: None
        self.q = rows.design.shape[1] + 1
        self.size = rows.n_models * self.q
        self.mode = np.zeros(rows.n_prompts)
        met = len(np.unique(rows.prompt * rows.n_models + rows.model)) / max(rows.n_prompts, 1)
        _, self.nodes, reach = next(rule for rule in NODES if met <= rule[0])
        self.z = np.linspace(-reach, reach, self.nodes)
        self.log_step = np.log(self.z[1] - self.z[0]) - np.log(2 * np.pi) / 2
        self.mass = np.bincount(rows.model, rows.weight, rows.n_models)
        self.penalty = np.full((rows.n_models, self.q), 1 / PRIOR_SD**2)
        self.penalty[self.mass > 0, 0] = 0.0
        self.blocks = tuple(self._blocks())

    def _blocks(self) -> Iterator[_Block]:
        prompt, model = self.rows.prompt, self.rows.model
        ends = np.concatenate([[0], np.cumsum(np.bincount(prompt, minlength=self.rows.n_prompts))])
        fresh = np.ones(len(prompt), dtype=bool)
        fresh[1:] = (prompt[1:] != prompt[:-1]) | (model[1:] != model[:-1])
        most = max(1, BLOCK_ENTRIES // (self.nodes * self.size))
        first = 0
        while first < self.rows.n_prompts:
            last = min(first + most, self.rows.n_prompts)
            # No more rows at a time than the nodes of a block have entries.
            enough = int(np.searchsorted(ends, ends[first] + BLOCK_ENTRIES // (4 * self.nodes), "right")) - 1
            last = max(first + 1, min(last, enough))
            rows = slice(int(ends[first]), int(ends[last]))
            yield _Block(
                rows=rows,
                prompts=slice(first, last),
                x=prompt[rows] - first,
                cell=np.cumsum(fresh[rows]) - 1,
                starts=ends[first:last] - ends[first],
                cell_starts=np.flatnonzero(fresh[rows]),
            )
            first = last

    def start(self) -> Floats:
        """Log-odds of each model's own mean; no length effect; loadings 1."""
        some = self.mass > 0
        score = np.bincount(self.rows.model, self.rows.score, self.rows.n_models)[some]
        parameters = np.zeros((self.rows.n_models, self.q))
        parameters[some, 0] = np.log(score) - np.log(self.mass[some] - score)
        parameters[some, -1] = 1.0
        return parameters

    def _nodes(self, block: _Block, fixed: Floats, loading: Floats) -> tuple[Floats, Floats]:
        """(n_prompts,) mode of gamma and the standard deviation that the curvature there means."""
        weight, score = self.rows.weight[block.rows], self.rows.score[block.rows]
        gamma = self.mode[block.prompts]
        for _ in range(MAX_STEPS):
            e = np.exp(-np.abs(eta := fixed + loading * gamma[block.x]))
            p = np.where(eta >= 0, 1.0, e) / (1.0 + e)
            slope = np.add.reduceat(loading * (score - weight * p), block.starts) - gamma
            curvature = np.add.reduceat(loading**2 * weight * p * (1 - p), block.starts) + 1.0
            step = np.clip(slope / curvature, -1.0, 1.0)
            gamma = gamma + step
            if np.abs(step).max(initial=0.0) < MODE_STEP:
                break
        self.mode[block.prompts] = gamma
        return gamma, 1 / np.sqrt(curvature)

    def at(self, block: _Block, parameters: Floats) -> _At:
        self.tick()
        rows = self.rows
        m = rows.model[block.rows]
        fixed = np.einsum("rq,rq->r", rows.design[block.rows], parameters[m, :-1])
        mode, sd = self._nodes(block, fixed, parameters[m, -1])
        gamma = mode[:, None] + sd[:, None] * self.z
        eta = fixed[:, None] + parameters[m, -1][:, None] * gamma[block.x]
        weight, score = rows.weight[block.rows][:, None], rows.score[block.rows][:, None]
        e = np.exp(-np.abs(eta))
        log_lik = score * eta - weight * (np.maximum(eta, 0.0) + np.log1p(e))
        p = np.where(eta >= 0, 1.0, e) / (1.0 + e)
        total = np.add.reduceat(log_lik, block.starts, axis=0)
        prior = self.log_step + np.log(sd)[:, None] - gamma**2 / 2
        log = total + prior
        top = log.max(1, keepdims=True)
        posterior = np.exp(log - top)
        sums = posterior.sum(1, keepdims=True)
        posterior /= sums
        value = float((top + np.log(sums)).sum())
        return _At(gamma, prior, log_lik, total, posterior, score - weight * p, weight * p * (1 - p), value)

    def derivatives(self, parameters: Floats) -> tuple[float, Floats, Floats, Floats]:
        """Value, gradient, information were gamma known, and what of it is missing (Louis 1982); all penalised."""
        n, q = self.rows.n_models, self.q
        value = -0.5 * float((self.penalty * parameters**2).sum())
        gradient = -(self.penalty * parameters)
        own = np.zeros((n, q, q))
        own[:, np.arange(q), np.arange(q)] = self.penalty
        missing = np.zeros((self.size, self.size))
        for block in self.blocks:
            at = self.at(block, parameters)
            value += at.value
            m, design = self.rows.model[block.rows], self.rows.design[block.rows]
            weight = at.posterior[block.x]
            gamma = at.gamma[block.x]
            residual = weight * at.residual
            steps = np.column_stack([residual.sum(1)[:, None] * design, (residual * gamma).sum(1)])
            curvature = weight * at.curvature
            c0, c1, c2 = curvature.sum(1), (curvature * gamma).sum(1), (curvature * gamma**2).sum(1)
            for a in range(q):
                gradient[:, a] += np.bincount(m, steps[:, a], n)
                for b in range(a, q):
                    if b < q - 1:
                        part = c0 * design[:, a] * design[:, b]
                    else:
                        part = c2 if a == q - 1 else c1 * design[:, a]
                    sums = np.bincount(m, part, n)
                    own[:, a, b] += sums
                    if a != b:
                        own[:, b, a] += sums
            scores = self.score_matrix(block, at, centred=True)
            product = scores.T @ scores
            missing += product if isinstance(product, np.ndarray) else product.toarray()
        complete = np.zeros((self.size, self.size))
        blocks = complete.reshape(n, q, n, q)
        blocks[np.arange(n), :, np.arange(n), :] = own
        return value, gradient.reshape(-1), complete, missing

    def cell_scores(self, block: _Block, at: _At) -> Floats:
        """(q, c, nodes) scores of each (prompt, model) at the nodes."""
        residual = at.residual
        design = self.rows.design[block.rows]
        parts = [residual * column[:, None] for column in design.T] + [residual * at.gamma[block.x]]
        if len(block.cell_starts) < len(residual):
            parts = [np.add.reduceat(part, block.cell_starts, axis=0) for part in parts]
        return np.stack(parts)

    def score_matrix(self, block: _Block, at: _At, centred: bool = False) -> Floats | csr_array:
        """(n_prompts * nodes, p) scores of each prompt at its nodes.

        centred : minus their posterior mean, times the root of the posterior: the product with itself is their
        posterior covariance, summed over prompts
        """
        values = self.cell_scores(block, at)
        x, m = block.x[block.cell_starts], self.rows.model[block.rows][block.cell_starts]
        if centred:
            weight = at.posterior[x]
            values = (values - np.einsum("cn,qcn->qc", weight, values)[:, :, None]) * np.sqrt(weight)
        n = len(block.starts)
        if len(x) >= DENSE_FROM * n * self.rows.n_models:
            # A parameter's scores lie one beside the other, as they come.
            dense = np.zeros((self.rows.n_models, self.q, n, self.nodes))
            for k, part in enumerate(values):
                dense[m, k, x] = part
            return dense.reshape(self.size, n * self.nodes).T
        place = x[:, None] * self.nodes + np.arange(self.nodes)
        column = m[:, None] * self.q + np.arange(self.q)[:, None, None]
        shape = values.shape
        place, column = (np.broadcast_to(part, shape).reshape(-1) for part in (place, column))
        return csr_array((values.reshape(-1), (place, column)), shape=(n * self.nodes, self.size))

    def left_out(self, block: _Block, at: _At) -> tuple[Floats, Floats]:
        """(r, nodes) posterior given all verdicts on the prompt but those on the row's own model, and its mean (r,)."""
        own = at.log_lik
        if len(block.cell_starts) < len(own):
            own = np.add.reduceat(own, block.cell_starts, axis=0)[block.cell]
        log = (at.total + at.prior)[block.x] - own
        posterior = np.exp(log - log.max(1, keepdims=True))
        posterior /= posterior.sum(1, keepdims=True)
        return posterior, (posterior * at.gamma[block.x]).sum(1)
