"""The predictions of a run beside manual annotations: scored, checked and detected again."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from dss.data.annotated_stretches import known_stretches, read_annotated
from dss.data.annotation_paths import annotation_finder
from dss.data.annotations import COLUMNS, occurrences
from dss.data.recordings import open_at_own_rate
from dss.errors import raise_problems
from dss.evaluate import evaluate
from dss.evaluate.true_annotations import TrueAnnotations
from dss.options import DetectOptions, FileOptions
from dss.predict.stored_probabilities import detect_stored, stored_probabilities
from dss.review import comparison
from dss.review.false_alarms import is_rejected
from dss.review.table_edits import joined
from dss.runs import read_params

Tables = Mapping[Path, pd.DataFrame]  # by recording


class Predictions:
    """What a run found in recordings, and what people annotated there.

    Arguments:
        trunk: the run.
        files: the annotation file of each recording.
        folder: what the recordings' paths, and so `options.annotations_at`, are relative to.
        options: how manual annotations are read.
        samplerate_hz: of recordings that do not store it; default: the rate of the run.

    Attributes:
        class_names: noise and the song types of the run.
        types: the category of each song type, in the order of the classes.
        samplerate_hz: of recordings that do not store it.
        manual: the manual annotations of each recording that has some.
        found: the annotations that the run found in each recording; assign others to replace them.
    """

    def __init__(
        self,
        trunk: Path,
        files: Mapping[Path, Path],
        folder: Path,
        options: FileOptions,
        samplerate_hz: float | None = None,
    ):
        params = read_params(trunk)
        self.files, self.class_names = files, params["class_names"]
        self.types = dict(zip(self.class_names[1:], params["class_types"][1:], strict=True))
        self.samplerate_hz: float = samplerate_hz or params["samplerate_x_Hz"]
        finder = annotation_finder(options.annotations_at, folder)
        self._how = options, finder, self.samplerate_hz
        by_hand = {r: comparison.manual_annotations(r, f, *self._how) for r, f in files.items()}
        self.manual = {r: annotations for r, annotations in by_hand.items() if annotations}
        self._learned = comparison.learned_from(trunk)
        self._learned_whole = comparison.learned_from(trunk, comparison.MOSTLY)
        self.found: Tables = {
            recording: comparison.annotations_in(file, recording, options, self.samplerate_hz)
            for recording, file in files.items()
        }

    def read_manual(self, recording: Path) -> None:
        """Read the manual annotations of a recording again."""
        self.manual[recording] = comparison.read_manual(recording, *self._how)

    def was_learned(self, recording: Path) -> bool:
        """Whether the network was trained or validated on a recording, as far as is known."""
        return self._learned is not None and comparison.is_among(recording, self._learned)

    def judged(self) -> tuple[list[Path], str]:
        """The recordings that are scored, and a description of them."""
        held_out = [recording for recording in self.manual if not self.was_learned(recording)]
        if not held_out:
            what = "that the network learned from; expect lower scores on new recordings"
            return [*self.manual], what
        if self._learned is None:
            return held_out, "with manual annotations; the network may have learned from them"
        return held_out, "that the network did not learn from"

    def compared(self, found: Tables) -> tuple[list[TrueAnnotations], list[pd.DataFrame]]:
        """Manual and predicted annotations of the scored recordings, as `evaluate` takes them."""
        judged, _ = self.judged()
        return [self.manual[r] for r in judged], [found[r] for r in judged]

    def scores(self, found: Tables) -> pd.DataFrame:
        """The scores of these annotations; without rows if there are no manual annotations."""
        scores = evaluate(*self.compared(found))
        return scores if self.manual else scores.iloc[:0]

    def detect_again(
        self, options: DetectOptions, after_block: Callable[[], None]
    ) -> dict[Path, pd.DataFrame]:
        """Annotate the recordings with other thresholds, from stored probabilities.

        `after_block` is called regularly on the way; anything it raises ends the work.

        Raises: DssError if the probabilities of a recording were not saved.
        """
        stored = {recording: stored_probabilities(file) for recording, file in self.files.items()}
        raise_problems(
            [str(recording) for recording, p in stored.items() if p is None],
            "The probabilities of these recordings were not saved (--probabilities), or are no "
            "longer there; annotate the recordings again:",
        )
        return {
            recording: detect_stored(p, self.types, after_block=after_block, options=options)
            for recording, p in stored.items()
        }

    def to_check(self) -> tuple[dict[Path, pd.DataFrame], Collection[Path]]:
        """The tables to look for mistakes in, by annotation file; and which files are known well.

        A table says which predictions are also manual annotations, or were rejected. Manual
        annotations follow, as nothing is missed there.
        """
        tables = {self.files[r]: self._reviewed(r, table) for r, table in self.found.items()}
        known = {recording for recording in self.found if self._is_known_well(recording)}
        return tables, {self.files[recording] for recording in known}

    def _is_known_well(self, recording: Path) -> bool:
        """Whether a recording, or most of it, is annotated or was learned from."""
        if self._learned_whole and comparison.is_among(recording, self._learned_whole):
            return True
        if recording not in self.manual:
            return False
        options, _, samplerate_hz = self._how
        duration = open_at_own_rate(recording, options.loader, samplerate_hz).duration_seconds
        stretches = read_annotated(recording, duration)
        known = known_stretches(self.manual[recording].table, self.types, stretches, 0)
        return np.diff(known).sum() >= comparison.MOSTLY * duration

    def _reviewed(self, recording: Path, table: pd.DataFrame) -> pd.DataFrame:
        if recording not in self.manual:
            return table
        manual = self.manual[recording]
        is_known = comparison.agrees_with_manual(table, manual) | is_rejected(table, manual.table)
        by_hand = occurrences(manual.table)[COLUMNS].assign(confirmed=True)
        return joined([table.assign(confirmed=is_known), by_hand])
