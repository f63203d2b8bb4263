"""Calibrated confidence: the probability that an annotation is correct.

Networks are overconfident. By how much shows on the validation split, where each annotation is
known to be right or wrong: a logistic curve maps the network's probability to how often it is
right (Platt 1999). A prior assumes that the network judges itself correctly, so that few
annotations change little. Each song type gets its own curve, with the curve of all types as prior.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from pydantic import BaseModel, Field, ValidationError
from scipy.special import expit, logit

from dss.data.annotations import occurrences, read_annotations
from dss.errors import DssError
from dss.runs import read_params, run_trunk
from dss.support.units import counted

Predicted: TypeAlias = str | Path | pd.DataFrame

FEWEST = 10  # annotations needed for a curve
LEAST_DOUBT = 1e-4  # the network's probabilities are taken to be no surer than this
PRIOR = np.array([0.0, 1.0])  # for intercept and slope: leaves the probability unchanged
PRIOR_DEVIATIONS = np.array([1.5, 0.5])
TYPE_DEVIATIONS = np.array([1.0, 0.2])  # of a song type, from the curve of all types
DEVIATION, WEIGHT = 0.75, 3  # of intercepts between recordings: as if seen in so many of them
LEAST_SLOPE = 0.05  # higher probabilities never mean more errors
SUREST = 1e-9
N_STORED = 100  # confidences stored from the validation split
N_DRAWS = 2000
INTERVAL = 0.05, 0.95


class NotCalibratedError(DssError):
    """The confidence of a run is what the network says, not how often it is right."""


class Expected(NamedTuple):
    """How many annotations are probably wrong, with a 90 % interval."""

    n: int  # annotations
    wrong: float  # as many of them are expected to be wrong
    low: float  # the limits of the interval
    high: float

    def __str__(self) -> str:
        interval = f"{self.low:,.0f} to {self.high:,.0f}"
        return f"{counted(self.n, 'annotation')}: about {self.wrong:,.0f} ({interval}) are wrong"


class Curve(BaseModel, frozen=True, allow_inf_nan=False):
    """The probability that an annotation is correct, given the network's probability."""

    curve: tuple[float, float]  # intercept and slope, on the log odds
    covariance: tuple[tuple[float, float], tuple[float, float]]  # of these
    # The confidences of the annotations in the validation split, sorted.
    validation: list[float] = Field(min_length=1)

    def confidence(self, p: np.ndarray) -> np.ndarray:
        """The confidence of annotations, given the network's probabilities [annotations]."""
        intercept, slope = self.curve
        return expit(intercept + slope * _log_odds(p))

    def threshold(self, precision: float) -> float | None:
        """The confidence above which this fraction of the annotations is correct on average.

        None if even the surest annotations do not reach that.
        """
        sure = np.sort(np.asarray(self.validation))[::-1]
        reached = np.flatnonzero(np.cumsum(sure) / np.arange(1, len(sure) + 1) >= precision)
        return float(sure[reached[-1]]) if len(reached) else None

    def wrong(self, confidence: np.ndarray, chance: np.ndarray, shift: np.ndarray) -> np.ndarray:
        """Draw how many of the annotations with these confidences may be wrong: [draws].

        `chance` [draws, 3] are normal random numbers: for the curve, and for what it leaves open.
        `shift` [draws] moves the intercept, as other recordings may sound different.
        """
        intercept, slope = self.curve
        x = (_log_odds(confidence, SUREST) - intercept) / slope
        # In bins, because there may be millions of annotations.
        values, counts = np.unique(np.round(x, 1), return_counts=True)
        draws = np.asarray(self.curve) + chance[:, :2] @ _root(np.asarray(self.covariance)).T
        draws[:, 0] += shift
        draws[:, 1] = np.maximum(draws[:, 1], 0)
        right = expit(draws @ np.stack([np.ones(len(values)), values]))
        drawn = (1 - right) @ counts + chance[:, 2] * np.sqrt((right * (1 - right)) @ counts)
        return drawn.clip(0, len(x))


Recall: TypeAlias = Annotated[list[tuple[float, float]], Field(min_length=1)]


class Calibration(Curve, frozen=True):
    """A curve for all song types together, and one for each type with enough annotations."""

    types: dict[str, Curve] = {}
    # For each category: thresholds, with the fraction of the true annotations that each finds.
    recall: dict[Literal["event", "segment"], Recall] = {}
    deviation: float = Field(DEVIATION, ge=0)  # of the intercepts between recordings

    def of(self, name: str) -> Curve:
        """The curve of a song type."""
        return self.types.get(name, self)

    def confidences(self, names: pd.Series, p: pd.Series) -> np.ndarray:
        """The confidence of annotations, given their names and the network's probabilities."""
        found_p, confidence = p.to_numpy(float), np.empty(len(p))
        for name, rows in names.groupby(names).indices.items():
            confidence[rows] = self.of(name).confidence(found_p[rows])
        return confidence

    def expected(self, names: pd.Series, confidence: pd.Series) -> Expected:
        """The expected number of wrong annotations, given their names and confidences."""
        confidence = confidence.to_numpy(float)
        drawn = np.zeros(N_DRAWS)
        rng = np.random.default_rng(0)
        curves = rng.standard_normal((N_DRAWS, 2))  # the same for all types: they err alike
        shift = self.deviation * rng.standard_normal(N_DRAWS)
        for name, rows in names.groupby(names).indices.items():
            chance = np.column_stack([curves, rng.standard_normal(N_DRAWS)])
            drawn += self.of(name).wrong(confidence[rows], chance, shift)
        low, high = np.quantile(drawn, INTERVAL)
        wrong = float(np.sum(1 - confidence))
        return Expected(len(confidence), wrong, min(float(low), wrong), max(float(high), wrong))

    def to_yaml_types(self) -> dict[str, Any]:
        """The calibration as plain types, for `_params.yaml`."""
        return self.model_dump(mode="json")


def fit(
    p: np.ndarray,
    is_right: np.ndarray,
    names: Sequence[str] | None = None,
    recordings: Sequence[str] | None = None,
) -> Calibration | None:
    """Fit the curves to the annotations of the validation split.

    Arguments:
        p: the network's probability of each annotation.
        is_right: whether it matches a true annotation.
        names: the song type of each annotation, to fit a curve for each: the curve of all types,
            shifted up or down.
        recordings: the recording of each annotation: how much these differ tells how much other
            recordings may differ.

    Returns: the calibration; None if there are fewer than ten annotations.

    Source: Platt (1999), with a Gaussian prior, fitted by Newton's method.
    """
    if len(p) < FEWEST:
        return None
    log_odds = _log_odds(p)
    curve, covariance = _fit(log_odds, is_right, PRIOR, PRIOR_DEVIATIONS)
    of_all = _curve(curve, covariance, log_odds)
    types = {}
    of_type = pd.Series(names if names is not None else [], dtype=object)
    for name, rows in of_type.groupby(of_type).indices.items():
        if FEWEST <= len(rows) < len(p):
            own = _fit(log_odds[rows], is_right[rows], curve, TYPE_DEVIATIONS)
            types[name] = _curve(*own, log_odds[rows])
    deviation = DEVIATION
    if recordings is not None:
        numbers = pd.factorize(np.asarray(recordings, object))[0]
        deviation = _deviation(expit(curve[0] + curve[1] * log_odds), is_right, numbers)
    return Calibration(**dict(of_all), types=types, deviation=deviation)


def _deviation(right: np.ndarray, is_right: np.ndarray, recording: np.ndarray) -> float:
    """The standard deviation of the intercepts between recordings.

    Estimated by expectation maximization (Dempster, Laird & Rubin 1977), with a prior.

    Arguments:
        right: the confidence of each annotation.
        is_right: whether it is right.
        recording: the number of its recording.
    """
    excess, information = (
        np.bincount(recording, values) for values in (is_right - right, right * (1 - right))
    )
    variance = DEVIATION**2
    for _ in range(50):
        posterior = 1 / (information + 1 / variance)
        found = (excess * posterior) ** 2 + posterior
        variance = (WEIGHT * DEVIATION**2 + found.sum()) / (WEIGHT + len(found))
    return float(f"{np.sqrt(variance):.3g}")


def _fit(
    log_odds: np.ndarray, is_right: np.ndarray, prior: np.ndarray, deviations: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Intercept and slope, and their covariance."""
    x = np.stack([np.ones(len(log_odds)), log_odds])
    precision = np.diag(deviations**-2.0)
    curve = prior.copy()
    for _ in range(50):
        right = expit(curve @ x)
        gradient = x @ (is_right - right) - precision @ (curve - prior)
        curvature = (x * right * (1 - right)) @ x.T + precision
        step = np.linalg.solve(curvature, gradient)
        if curve[1] + step[1] < LEAST_SLOPE:
            step = np.array([gradient[0] / curvature[0, 0], LEAST_SLOPE - curve[1]])
        curve = curve + np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-6:
            break
    return curve, np.linalg.inv(curvature)


def _curve(curve: np.ndarray, covariance: np.ndarray, log_odds: np.ndarray) -> Curve:
    """A fitted curve, with the confidences of the annotations that it was fitted to."""
    confidence = np.sort(expit(curve[0] + curve[1] * log_odds))
    if len(confidence) > N_STORED:
        confidence = np.quantile(confidence, np.linspace(0, 1, N_STORED))
    fitted = {"curve": _plain(curve), "covariance": [_plain(row) for row in covariance]}
    return Curve.model_validate(fitted | {"validation": _plain(confidence)})


def calibration_of(params: Mapping[str, Any], source: str | Path = "the run") -> Calibration | None:
    """The calibration among the parameters of a run, if there is one; see `read_calibration`.

    `source` is the run, for messages.
    """
    try:
        return read_calibration(params.get("detect", {}).get("calibration"))
    except DssError as error:
        raise DssError(f"{source}: {error}") from None


def read_calibration(stored: Mapping[str, Any] | None) -> Calibration | None:
    """Read the output of `to_yaml_types`.

    Raises: DssError if it is damaged.
    """
    if not stored:
        return None
    try:
        return Calibration.model_validate(stored)
    except ValidationError:
        raise DssError(
            "detect: the calibration in _params.yaml is damaged. Run `dss tune` again."
        ) from None


def expected_errors(annotations: Predicted | Sequence[Predicted], run: str | Path) -> Expected:
    """Estimate how many of the annotations predicted by a network are wrong.

    An annotation is wrong if no true annotation of the same name starts near it (within 10 ms, or
    the tolerance given to `dss tune`). The estimate comes from the validation split; the interval
    allows for recordings that differ as much as those of the validation split do.

    Arguments:
        annotations: a table with a confidence, as `predict` returns it, or its file; or several.
        run: the trunk of a run's files, or any of them.

    Raises: DssError if the run has no calibration, or annotations have no confidence.

    Example:
        >>> from dss.predict import expected_errors, predict
        >>> expected = expected_errors(predict("finch/bird1_08.wav", run), run)
        >>> expected.low <= expected.wrong <= expected.high
        True
    """
    calibration = calibration_of(read_params(run_trunk(run)), run)
    if calibration is None:
        raise NotCalibratedError(
            f"{run}: is not calibrated, so confidence is the network's own probability. Run `dss "
            f"tune {run}` once; if the validation split of its dataset has fewer than {FEWEST} "
            "annotations, make a dataset with a larger one (--val-fraction)."
        )
    several = [annotations] if isinstance(annotations, Predicted) else annotations
    tables = [pd.DataFrame({"name": pd.Series(dtype=str), "confidence": pd.Series(dtype=float)})]
    for one in several:
        table = occurrences(one if isinstance(one, pd.DataFrame) else read_annotations(one))
        if len(table) and "confidence" not in table:
            raise DssError("Annotations have no confidence. Give annotations that dss predicted.")
        if len(table):
            confidence = pd.to_numeric(table["confidence"], errors="coerce")
            tables.append(pd.DataFrame({"name": table["name"], "confidence": confidence}))
    table = pd.concat(tables, ignore_index=True).dropna()  # manual annotations have no confidence
    return calibration.expected(table["name"], table["confidence"])


def _log_odds(p: np.ndarray, least: float = LEAST_DOUBT) -> np.ndarray:
    return logit(np.clip(np.asarray(p, float), least, 1 - least))


def _plain(values: np.ndarray) -> list[float]:
    return [float(f"{value:.5g}") for value in values]


def _root(covariance: np.ndarray) -> np.ndarray:
    """A matrix whose product with its transpose is the covariance."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0))
