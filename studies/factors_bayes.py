"""What do the published Bayesian weights say? Signs of differences under a Laplace prior, overall and by scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from scipy.special import expit

from analysis.cells import Floats
from analysis.design import Design
from analysis.laplace_posterior import Posteriors, fit_posteriors
from analysis.laplace_scale import FOLDS, ScaleChoice, Verdicts, average_folds, choose_scale
from analysis.tables import floats, integers
from charts import words
from data.model import Progress, option
from data.store import Store
from errors import NotIdentifiedError, OptionError
from studies.factor_data import FactorData, fetch
from studies.factor_options import CODINGS, Factors
from studies.posterior_words import SAME, PosteriorCell, warnings_about
from studies.refused import nobody, require_factors, sentences
from studies.study import Result, register

PUBLISHED, CV = "0.1", "cv"
NARROWEST, WIDEST = 0.001, 10.0
"""Between which the prior's scale lies: beyond, no verdict moves a weight, or log-odds are beyond all quadrature."""

MOST_FOLDS = 50

VOID = "its posterior cannot be approximated, as judgments weigh too much for the digits of a computer"
"""Why a fit has no figures."""

@dataclass(frozen=True)
class Published(Factors):
    """A study that may ask for the posterior of the published model."""

    prior_scale: str = option(
        PUBLISHED, "scale b of the weights' Laplace prior: a number (.1 as Li et al. 2024, .01 as Sharma et al. 2023), "
        "or cv: the one under which held-out prompts are predicted best", label="Prior's scale", advanced=True,
    )  # fmt: skip
    folds: int = option(
        0, "weights as the mean over so many refits, each without that part of the prompts (10 as Li et al. 2024); 0: "
        "one fit to all", label="Refits", advanced=True,
    )  # fmt: skip

    def published(self, store: Store) -> Self:
        """As `resolve`, with the published coding: signs, no ties, no position term.

        Raises OptionError for what that model does not have.
        """
        name = self.command
        if self.coding == "raw":
            raise OptionError(f"{name}: the published model takes the signs of differences: leave out --coding raw")
        if self.ties not in ("half", "drop"):
            raise OptionError(f"{name}: the published model leaves ties out: leave out --ties {self.ties}")
        if self.position == "with":
            raise OptionError(f"{name}: the published model has no position term: leave out --position with")
        if self.cluster not in ("auto", "none"):
            raise OptionError(f"{name}: the published model takes judgments as independent: leave out --cluster")
        if self.folds != 0 and not 2 <= self.folds <= MOST_FOLDS:
            raise OptionError(f"--folds {self.folds}: 0 for one fit, or 2 to {MOST_FOLDS} refits (published: {FOLDS})")
        plain = replace(self, prior_scale=_scale(self.prior_scale), position="without")
        # Not through the class's own `resolve`, which asks for this.
        found = Factors.resolve(plain, store)
        return replace(found, coding="sign", ties="drop")


def _scale(word: str) -> str:
    if word == CV:
        return CV
    try:
        value = float(word)
    except ValueError:
        value = float("nan")
    if not NARROWEST <= value <= WIDEST:
        raise OptionError(f"--prior-scale {word}: a number from {NARROWEST:g} to {WIDEST:g}, or cv")
    return f"{value:g}"


@register
@dataclass(frozen=True)
class FactorsBayes(Published):
    """Posterior of each judge's weights under the published model: overall, and in each scenario alone."""

    command: ClassVar[str] = "factors bayes"
    title: ClassVar[str] = "Published Bayesian weights"
    clusterings: ClassVar[tuple[str, ...]] = ("auto", "none")
    models_ties: ClassVar[bool] = True
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "factor": "factor", "effect": "win points", "effect_interval": "posterior interval",
        "weight": "weight", "above_0": "probability above 0", "differs": "differs in",
    }  # fmt: skip

    def resolve(self, store: Store) -> Self:
        return self.published(store)

    def answer(self, store: Store, progress: Progress) -> Result:
        return answer_posterior(self, store, progress, by_scenario=True)


def answer_posterior(study: Published, store: Store, progress: Progress, *, by_scenario: bool = False) -> Result:
    """The result of a resolved study. by_scenario : also of each scenario alone, in the table `scenarios`"""
    progress(0.0, "joining judgments with their factors")
    data = fetch(store, study, scenarios=by_scenario)
    names = tuple(dict.fromkeys(name for design in data.design.values() for name in design.names))
    cells: list[PosteriorCell] = []
    reasons: dict[str, str] = {}
    for judge in study.judge:
        try:
            require_factors(data, judge)
            cells += _cells(data, judge, names, by_scenario)
        except NotIdentifiedError as error:
            reasons[judge] = str(error)
    if not cells:
        raise nobody(reasons)
    choices = _choose(study, cells, progress)
    scales = np.array([choice.chosen if choice else float(study.prior_scale) for choice in choices])
    found = fit_posteriors(
        [cell.verdicts.rows() for cell in cells], scales, seed=study.seed,
        report=lambda share: progress(0.5 + 0.2 * share, "fitting posteriors"),
    )  # fmt: skip
    reasons |= {cell.judge: VOID for cell, settled in zip(cells, found.settled, strict=True)
                if not settled and cell.scenario is None}  # fmt: skip
    void = [cell for cell, settled in zip(cells, found.settled, strict=True)
            if not settled and cell.judge not in reasons]  # fmt: skip
    kept = [at for at, cell in enumerate(cells) if found.settled[at] and cell.judge not in reasons]
    if not kept:
        raise nobody(reasons)
    found, cells, choices = found.take(kept), [cells[at] for at in kept], [choices[at] for at in kept]
    weight = _averaged(study, cells, found.scale, progress) if study.folds else found.mean
    table = _table(study.level, cells, found, weight, names)
    overall = table[table["scenario"].isna()].drop(columns="scenario").reset_index(drop=True)
    tables = {"factors": overall}
    if by_scenario:
        tables["scenarios"] = table[table["scenario"].notna()].reset_index(drop=True)
    tables["judges"] = _judges(study, cells, found)
    tables["left_out"] = _left_out(cells, void, names)
    if study.prior_scale == CV:
        tables["scales"] = _scales(cells, choices)
    progress(1.0, "done")
    # Without a position term by definition: that nobody asked for one is no news.
    said = replace(data, no_position={}).warnings
    said += [f"{cell.judge} in {cell.scenario} is left out: {VOID}" for cell in void]
    n = sum(cell.design.n_judgments for cell in cells if cell.scenario is None)
    return Result(
        study=study, tables=tables, values={"judgments": n},
        settings=study.settings() | {"estimator": "laplace", "intervals": "central posterior"},
        warnings=tuple(dict.fromkeys([*sentences(reasons), *said, *warnings_about(cells, found, choices, names)])),
        caption=_caption(study, cells), fingerprint=data.fingerprint,
    )  # fmt: skip


def _cells(data: FactorData, judge: str, names: Sequence[str], by_scenario: bool) -> list[PosteriorCell]:
    design = data.design[judge]
    if not len(design):
        raise NotIdentifiedError("there is no judgment that is no tie")
    whole = _cell(judge, None, design, names)
    if not whole.differs.any():
        raise NotIdentifiedError("none of the factors can be weighed: the answers that were compared differ in none")
    out = [whole]
    if by_scenario:
        codes = design.clusters["scenario"]
        for name, code in sorted(data.names.scenarios.items()):
            rows = np.flatnonzero(codes == code)
            if len(rows):
                out.append(_cell(judge, name, design.take(rows), names))
    return out


def _cell(judge: str, scenario: str | None, design: Design, names: Sequence[str]) -> PosteriorCell:
    x = np.zeros((len(design), len(names)))
    for k, name in enumerate(design.names):
        x[:, names.index(name)] = design.x[k, design.at]
    weight, score = (np.asarray(part, dtype=np.float64) for part in (design.weight, design.score))
    verdicts = Verdicts(x, weight, np.minimum(score, weight), design.clusters["prompt"])
    return PosteriorCell(judge, scenario, design, verdicts)


def _choose(study: Published, cells: Sequence[PosteriorCell], progress: Progress) -> list[ScaleChoice | None]:
    """The scale of each fit, where it is to be found."""
    if study.prior_scale != CV:
        return [None] * len(cells)
    out: list[ScaleChoice | None] = []
    for at, cell in enumerate(cells):
        who = cell.judge if cell.scenario is None else f"{cell.judge}, {cell.scenario}"

        def told(share: float, at: int = at, who: str = who) -> None:
            progress(0.5 * (at + share) / len(cells), f"choosing the prior's scale for {who}")

        try:
            rng = np.random.default_rng(study.seed)
            out.append(choose_scale(cell.verdicts, rng, n_folds=study.folds or FOLDS, report=told))
        except NotIdentifiedError as error:
            if cell.scenario is None:
                raise NotIdentifiedError(f"--prior-scale cv: {who}: {error}") from error
            # A scenario of one prompt takes what was chosen for all.
            out.append(next(c for c, one in zip(out, cells, strict=False) if one.judge == cell.judge))
    return out


def _averaged(study: Published, cells: Sequence[PosteriorCell], scales: Floats, progress: Progress) -> Floats:
    try:
        return average_folds(
            [cell.verdicts for cell in cells], scales, np.random.default_rng(study.seed), n_folds=study.folds,
            report=lambda share: progress(0.7 + 0.3 * share, "refitting without a part of the prompts"),
        )  # fmt: skip
    except NotIdentifiedError as error:
        raise NotIdentifiedError(f"--folds {study.folds}: {error}") from error


# -- what is told -------------------------------------------------------------------------------------------------


def _table(
    level: float, cells: Sequence[PosteriorCell], found: Posteriors, weight: Floats, names: Sequence[str]
) -> pd.DataFrame:
    """A row a fit and factor that its answers differ in."""
    table = found.table(level, names).drop(columns="fit")
    k = len(names)
    table["weight"] = floats(weight.reshape(-1))
    table["effect"] = floats(100 * expit(weight.reshape(-1)))
    table.insert(0, "scenario", pd.Series(np.repeat([cell.scenario for cell in cells], k), dtype=object))
    table.insert(0, "judge", np.repeat([cell.judge for cell in cells], k))
    differs = np.concatenate([cell.differs for cell in cells])
    table["differs"] = integers(differs.tolist())
    table["judgments"] = integers(np.repeat([cell.design.n_judgments for cell in cells], k).tolist())
    table["pairs"] = integers(np.repeat([int(cell.design.pairs.sum()) for cell in cells], k).tolist())
    return table[differs > 0]


def _judges(study: Published, cells: Sequence[PosteriorCell], found: Posteriors) -> pd.DataFrame:
    rows: list[dict[str, Any]] = [
        {
            "judge": cell.judge, "judgments": cell.design.n_judgments, "pairs": int(cell.design.pairs.sum()),
            "prompts": len(np.unique(cell.verdicts.prompt)), "factors": int((cell.differs > 0).sum()),
            "prior_scale": float(found.scale[at]), "folds": study.folds or None,
            "log_evidence": float(found.log_evidence[at]),
            "effective_draws": found.drawn[at].effective if at in found.drawn else None,
        }
        for at, cell in enumerate(cells) if cell.scenario is None
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    table["folds"] = integers([row["folds"] for row in rows])
    table["effective_draws"] = floats([row["effective_draws"] for row in rows])
    return table


def _left_out(
    cells: Sequence[PosteriorCell], void: Sequence[PosteriorCell], names: Sequence[str]
) -> pd.DataFrame:
    rows = [
        {"judge": cell.judge, "scenario": cell.scenario, "factor": name, "cause": SAME}
        for cell in cells
        for name, n in zip(names, cell.differs, strict=True)
        if not n and name in cell.design.names
    ]
    rows += [{"judge": cell.judge, "scenario": cell.scenario, "factor": name, "cause": VOID}
             for cell in void for name in cell.design.names]  # fmt: skip
    return pd.DataFrame(rows, columns=["judge", "scenario", "factor", "cause"])


def _scales(cells: Sequence[PosteriorCell], choices: Sequence[ScaleChoice | None]) -> pd.DataFrame:
    rows = [
        {"judge": cell.judge, "scenario": cell.scenario, "prior_scale": float(scale), "log_loss": float(loss),
         "chosen": bool(scale == choice.chosen), "held_out_parts": choice.n_folds}
        for cell, choice in zip(cells, choices, strict=True) if choice is not None
        for scale, loss in zip(choice.scales, choice.log_loss, strict=True)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _caption(study: Published, cells: Sequence[PosteriorCell]) -> str:
    whole = [cell for cell in cells if cell.scenario is None]
    weighed = [int((cell.differs > 0).sum()) for cell in whole]
    few, most = min(weighed), max(weighed)
    factors = words.plural(most, "factor") if few == most else f"{few:,} to {words.plural(most, 'factor')}"
    judges = ", ".join(f"{cell.judge} ({words.plural(cell.design.n_judgments, 'judgment')})" for cell in whole)
    scale = f"scale {study.prior_scale}"
    if study.prior_scale == CV:
        scale = "a scale chosen by the log-loss of held-out prompts"
    means = (
        f"means over {study.folds} refits, each without a part of the prompts, beside" if study.folds
        else "posterior means with"
    )  # fmt: skip
    prompts = len(np.unique(np.concatenate([cell.verdicts.prompt for cell in whole])))
    return (
        f"Bayesian logistic regression of the verdicts of {judges} on {factors} "
        f"({CODINGS['sign']}), without intercept or position term; {words.plural(prompts, 'prompt')}; ties left out; "
        f"Laplace prior of {scale}. {means[:1].upper() + means[1:]} central {words.percent(study.level)} posterior "
        "intervals, judgments taken as independent (not clustered)."
    )
