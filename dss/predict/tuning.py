"""Choose the detection options with the best scores on the validation split."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import pandas as pd

from dss.data.annotations import EVENT, SEGMENT
from dss.errors import DssError
from dss.evaluate.matching import score_pairs
from dss.evaluate.pair import Pair
from dss.options import DetectOptions, TuneOptions, takes_options
from dss.options.arguments import TuneArguments
from dss.predict.calibrate import RECALL_THRESHOLDS, calibrated, lowered
from dss.predict.detection import are_consistent, detect
from dss.predict.validation import ValidationStretch, blocks_of, validation_stretches
from dss.runs import Run, open_run, run_file, write_params
from dss.support import yaml_files
from dss.support.files import check_writable
from dss.support.progress import bar

MAX_SWEEPS = 4
THRESHOLDS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
SECONDS = [0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1]
# The values to try for each option, by its category.
CANDIDATES: dict[str, dict[str, list]] = {
    EVENT: {
        "event_threshold": THRESHOLDS,
        "event_distance_seconds": SECONDS[:-2],
        "event_interval_max_seconds": [None, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0],
    },
    SEGMENT: {
        "segment_threshold": THRESHOLDS,
        "segment_hold_threshold": [None, 0.1, 0.2, 0.3, 0.4],
        "segment_fill_seconds": SECONDS,
        "segment_min_seconds": SECONDS,
    },
}
# See dss.train.durations.
LEARNED = (
    "segment_durations",
    "segment_min_seconds",
    "segment_fill_seconds",
    "segment_join_touching",
    "event_interval_max_seconds",
)


@dataclass(frozen=True)
class Tuned:
    """The chosen options, and their scores.

    Attributes:
        options: the chosen value of each option, for the song's categories: events, segments or
            both.
        defaults: the same with the defaults and what training learned.
        scores: a row for each song type and `all`: f1 with the defaults, and f1 with the chosen
            options, on the data used for choosing.
    """

    options: dict[str, Any]
    defaults: dict[str, Any]
    scores: pd.DataFrame


@takes_options
def tune(
    run: str | Path | Run, *, options: TuneOptions | None = None, **named: Unpack[TuneArguments]
) -> Tuned:
    """Choose thresholds, distances, gaps and durations, and store them with the run.

    The validation split of the run's dataset is annotated once; then each option in turn takes the
    value with the highest F1 over all song types of its category, until no single change improves
    it by more than a standard error of F1: smaller gains, from a few annotations, would not hold on
    other data. The choices are stored in `_params.yaml` under `detect`, where `dss.predict` finds
    them; options that you give to `dss.predict` take precedence. Tuning again starts afresh from
    what training learned.

    Arguments:
        run: the trunk of a run's files, any of them, their folder, or a `dss.runs.Run`.

    Raises: DssError if the dataset is missing, does not fit the run, or has no song in its
        validation split.
    """
    options = TuneOptions.given(options, named)
    run = open_run(run)
    stored = _stored_params(run)
    stretches = validation_stretches(run, options.data_dir)
    if not any(len(stretch.true) for stretch in stretches):
        raise DssError(
            f"{run.trunk}: the validation split contains no song to tune with. Make a dataset "
            "whose validation split has song, and give it (--data-dir)."
        )
    check_writable(run.trunk.parent)
    kinds = [kind for kind in (EVENT, SEGMENT) if kind in run.song_types.values()]
    with tempfile.TemporaryDirectory() as folder:
        stored_p = [s.store(Path(folder) / f"{i}.npy") for i, s in enumerate(stretches)]
        validation = _Validation(run, stretches, stored_p, options)
        start = chosen = DetectOptions.checked(_learned(stored))
        with bar(unit="try", desc="tune") as progress:
            for kind in kinds:
                chosen = _search(kind, validation, chosen, progress.update)
        before, after = (validation.scores(tried)["f1"] for tried in (start, chosen))
        scores = pd.DataFrame({"f1_default": before, "f1": after})
        found = {least: validation.pairs(lowered(chosen, least)) for least in RECALL_THRESHOLDS}
        calibration = calibrated(validation.pairs(chosen), found, run.song_types, options)
    names = [name for kind in kinds for name in CANDIDATES[kind]]
    values, defaults = chosen.to_yaml_types(), start.to_yaml_types()
    result = Tuned({n: values[n] for n in names}, {n: defaults[n] for n in names}, scores)
    stored["detect"] = {
        "options": {**_learned(stored), **result.options},
        "learned": _learned(stored),
        **scores.loc["all"].to_dict(),
        "tolerance_seconds": options.tolerance_seconds,
        **calibration,
    }
    write_params(run.trunk, stored)
    return result


def format_tuned(tuned: Tuned) -> str:
    """The chosen options and the gain, as text."""
    values = pd.DataFrame({"default": tuned.defaults, "chosen": tuned.options}, dtype=object)
    scores = tuned.scores.rename(columns={"f1_default": "F1, default", "f1": "F1, chosen"})
    gain = tuned.scores["f1"]["all"] - tuned.scores["f1_default"]["all"]
    return "\n\n".join(
        [
            values.to_string(na_rep="none"),
            scores.rename_axis(None).to_string(float_format="{:.3f}".format),
            f"F1 gained: {gain:+.3f} on the validation split used for tuning",
        ]
    )


@dataclass(frozen=True)
class _Validation:
    """The validation split with its probabilities, and how predictions are compared."""

    run: Run
    stretches: Sequence[ValidationStretch]
    p: Sequence[np.ndarray]  # [samples, classes] of each stretch
    options: TuneOptions

    def pairs(self, options: DetectOptions, kind: str = "") -> list[Pair]:
        """The true annotations of one kind, or of both, and the predictions with these options."""
        types = {n: k for n, k in self.run.song_types.items() if not kind or k == kind}
        columns = [0, *(1 + list(self.run.song_types).index(name) for name in types)]
        pairs = []
        for stretch, p in zip(self.stretches, self.p, strict=True):
            blocks = (block[:, columns] for block in blocks_of(p))
            predicted = detect(blocks, types, self.run.samplerate_hz, options=options)
            pairs.append(stretch.pair(predicted, frozenset(types)))
        return pairs

    def scores(self, options: DetectOptions, kind: str = "") -> pd.DataFrame:
        """The scores of these pairs, as `dss.evaluate.evaluate` returns them."""
        return score_pairs(self.pairs(options, kind), self.options)


def _stored_params(run: Run) -> dict[str, Any]:
    source = run_file(run.trunk, "_params.yaml")
    try:
        return yaml_files.read(source)
    except DssError:
        raise DssError(
            f"{source}: was written by another program, so dss does not change it. Give "
            "thresholds, gaps and durations to `dss predict`."
        ) from None


def _learned(params: dict[str, Any]) -> dict[str, Any]:
    """The durations of segments and gaps, and the intervals of events, as learned in training.

    A tuned run stores them separately from the tuned values.
    """
    detect = params.get("detect", {})
    options = detect.get("learned", detect.get("options", {}))
    return {name: options[name] for name in LEARNED if name in options}


def _search(
    kind: str, validation: _Validation, start: DetectOptions, after_try: Callable[[], object]
) -> DetectOptions:
    """The best options for one kind of song, choosing one option after the other."""
    chosen, (best, error) = start, _f1(validation.scores(start, kind))
    for _ in range(MAX_SWEEPS):
        before = chosen
        for name, values in CANDIDATES[kind].items():
            tried = [chosen.model_copy(update={name: value}) for value in values]
            tried = [candidate for candidate in tried if are_consistent(candidate)]
            found = []
            for candidate in tried:
                found.append(_f1(validation.scores(candidate, kind)))
                after_try()
            highest = max(found)
            if highest[0] > best + error:
                equal = [c for c, f1 in zip(tried, found, strict=True) if f1 == highest]
                (best, error), chosen = highest, equal[(len(equal) - 1) // 2]
        if chosen == before:
            break
    return chosen


def _f1(scores: pd.DataFrame) -> tuple[float, float]:
    """F1 over all song types (0 if there are none) and its standard error."""
    row = scores.loc["all"]
    f1 = 0.0 if np.isnan(row["f1"]) else float(row["f1"])
    return f1, float(np.sqrt(f1 * (1 - f1) / max(row["true"], 1)))
