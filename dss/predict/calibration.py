"""Confidence that can be taken at its word: how probable it is that an annotation is right.

A network is surer than it should be. How much, the validation split tells: its annotations are
right or wrong, and a logistic curve from the network's probability to how often it is right is
fitted to them (Platt 1999), with a prior that the network is right about itself, so that few
annotations change little.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from dss.data.annotations import found, read_annotations
from dss.errors import DssError
from dss.evaluate.pairs import Annotations
from dss.runs import read_params, run_trunk

FEWEST = 10  # annotations, for a curve
LEAST_DOUBT = 1e-4  # the network's probabilities are no surer than this
PRIOR = np.array([0.0, 1.0])  # of intercept and slope: the probability as it is
PRIOR_DEVIATIONS = np.array([1.5, 0.5])
SUREST = 1e-9
N_STORED = 100  # confidences of the validation split
N_DRAWS = 2000
INTERVAL = 0.05, 0.95


class Expected(NamedTuple):
    """How many of some annotations are probably wrong, with a 90 % interval.

    Attributes:
        n: how many annotations there are.
        wrong: how many of them are wrong in the mean.
        low, high: between these it lies nine times of ten.
    """

    n: int
    wrong: float
    low: float
    high: float

    def __str__(self) -> str:
        annotations = f"annotation{'' if self.n == 1 else 's'}"
        interval = f"{self.low:,.0f} to {self.high:,.0f}"
        return f"{self.n:,} {annotations}: about {self.wrong:,.0f} ({interval}) are wrong"


@dataclass(frozen=True)
class Calibration:
    """How probable it is that an annotation is right, by the network's probability.

    Attributes:
        curve: intercept and slope, on the log odds.
        covariance: [2][2] of them.
        validation: confidences of the annotations of the validation split, sorted.
        matched: the part of the true annotations there that were found.
    """

    curve: Sequence[float]
    covariance: Sequence[Sequence[float]]
    validation: Sequence[float]
    matched: float

    def confidence(self, p: np.ndarray) -> np.ndarray:
        """How probable annotations are right, from the network's probabilities [annotations]."""
        intercept, slope = self.curve
        return expit(intercept + slope * _log_odds(p))

    def threshold(self, precision: float) -> float:
        """The confidence from which on this part of the annotations is right in the mean.

        Raises: DssError if not even the surest annotations reach that.
        """
        sure = np.sort(np.asarray(self.validation))[::-1]
        reached = np.flatnonzero(np.cumsum(sure) / np.arange(1, len(sure) + 1) >= precision)
        if not len(reached):
            raise DssError(
                f"precision: {precision:g} is more than this network reaches; even its surest "
                f"annotations are right with a probability of {sure[0]:.3f}. Give less."
            )
        return float(sure[reached[-1]])

    def expected(self, confidence: np.ndarray) -> Expected:
        """How many of the annotations with these confidences are wrong, probably."""
        intercept, slope = self.curve
        x = (_log_odds(confidence, SUREST) - intercept) / slope
        # In bins, as there may be millions of annotations.
        values, counts = np.unique(np.round(x, 1), return_counts=True)
        right = expit(self._draws @ np.stack([np.ones(len(values)), values]))
        chance = np.random.default_rng(0).standard_normal(N_DRAWS)
        drawn = (1 - right) @ counts + chance * np.sqrt((right * (1 - right)) @ counts)
        low, high = np.quantile(drawn.clip(0, len(x)), INTERVAL)
        wrong = float(np.sum(1 - np.asarray(confidence)))
        return Expected(len(x), wrong, min(float(low), wrong), max(float(high), wrong))

    @cached_property
    def _draws(self) -> np.ndarray:
        """Curves that fit the validation split as well: [draws, 2]."""
        rng = np.random.default_rng(0)
        curves = rng.multivariate_normal(self.curve, self.covariance, N_DRAWS)
        curves[:, 1] = np.maximum(curves[:, 1], 0)
        return curves

    def to_yaml_types(self) -> dict[str, Any]:
        """What `_params.yaml` holds."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}


def fit(p: np.ndarray, is_right: np.ndarray, matched: float) -> Calibration | None:
    """Fit the curve to the annotations of the validation split.

    Arguments:
        p: the network's probability of each annotation.
        is_right: whether it fits a true one.
        matched: the part of the true annotations that were found.

    Returns: the calibration; None if there are fewer than ten annotations.

    Source: Platt (1999), with a Gaussian prior; found by Newton's method.
    """
    if len(p) < FEWEST:
        return None
    x = np.stack([np.ones(len(p)), _log_odds(p)])
    precision = np.diag(PRIOR_DEVIATIONS**-2.0)
    curve = PRIOR.copy()
    for _ in range(50):
        right = expit(curve @ x)
        gradient = x @ (is_right - right) - precision @ (curve - PRIOR)
        curvature = (x * right * (1 - right)) @ x.T + precision
        step = np.linalg.solve(curvature, gradient)
        curve = curve + np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-6:
            break
    curve[1] = max(curve[1], 0.05)  # a surer network is not wrong more often
    confidence = np.sort(expit(curve @ x))
    stored = confidence
    if len(confidence) > N_STORED:
        stored = np.quantile(confidence, np.linspace(0, 1, N_STORED))
    covariance = np.linalg.inv(curvature)
    return Calibration(
        _plain(curve), [_plain(row) for row in covariance], _plain(stored), round(matched, 4)
    )


def calibration_of(params: Mapping[str, Any]) -> Calibration | None:
    """The calibration that is stored with a run, if there is one; see `read_calibration`."""
    return read_calibration(params.get("detect", {}).get("calibration"))


def read_calibration(stored: Mapping[str, Any] | None) -> Calibration | None:
    """The calibration that `to_yaml_types` gave.

    Raises: DssError if it is damaged.
    """
    if not stored:
        return None
    shapes = {"curve": (2,), "covariance": (2, 2), "matched": ()}
    try:
        arrays = {name: np.asarray(value, float) for name, value in stored.items()}
        fits = all(arrays[name].shape == shape for name, shape in shapes.items())
        fits = fits and arrays["validation"].ndim == 1 and len(arrays["validation"]) > 0
        if not fits or not all(np.isfinite(array).all() for array in arrays.values()):
            raise ValueError
        return Calibration(**stored)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise DssError(
            "detect: the calibration in _params.yaml is damaged. Run `dss tune` again."
        ) from None


def expected_errors(annotations: Annotations | Sequence[Annotations], run: str | Path) -> Expected:
    """How many of the annotations that a network predicted are probably wrong.

    Wrong is what no true annotation of the same name starts near (within 10 ms, or what `dss tune`
    was given). That is known from the validation split: recordings that sound otherwise have more
    mistakes than this says.

    Arguments:
        annotations: a table with a confidence, as `predict` gives it, or a file of it; or several.
        run: the trunk of a run's files, or any one of them.

    Raises: DssError if the run has no calibration, or annotations have no confidence.

    Example:
        >>> from dss.predict import expected_errors, predict
        >>> expected = expected_errors(predict("finch/bird1_08.wav", run), run)
        >>> expected.low <= expected.wrong <= expected.high
        True
    """
    calibration = calibration_of(read_params(run_trunk(run)))
    if calibration is None:
        raise DssError(
            f"{run}: is not calibrated. Run `dss tune {run}` once; the validation split of its "
            f"dataset needs {FEWEST} annotations or more."
        )
    several = [annotations] if isinstance(annotations, Annotations) else annotations
    confidences = []
    for one in several:
        table = found(one if isinstance(one, pd.DataFrame) else read_annotations(one))
        if len(table) and "confidence" not in table:
            raise DssError("Annotations have no confidence. Give annotations that dss predicted.")
        if len(table):  # what was drawn by hand has no confidence
            confidences.append(pd.to_numeric(table["confidence"], errors="coerce").dropna())
    return calibration.expected(np.concatenate([[], *confidences]))


def _log_odds(p: np.ndarray, least: float = LEAST_DOUBT) -> np.ndarray:
    return logit(np.clip(np.asarray(p, float), least, 1 - least))


def _plain(values: np.ndarray) -> list[float]:
    return [float(f"{value:.5g}") for value in values]
