"""A viewer of predictions: move thresholds, see scores, and find what is worth checking."""

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

import ipywidgets as widgets
import pandas as pd

from dss.data.annotations import COLUMNS
from dss.data.recordings import open_at_own_rate
from dss.errors import DssError
from dss.evaluate.true_annotations import TrueAnnotations
from dss.options import FileOptions, SourceOptions, takes_options
from dss.options.arguments import FileArguments
from dss.predict.pending import find_matching
from dss.predict.stored_probabilities import detect_stored, stored_probabilities
from dss.review import comparison
from dss.review.predictions import Predictions
from dss.review.rounds import find_novel_in_run
from dss.review.views import recording_view
from dss.widgets.elements import problem_html
from dss.widgets.forms.prediction import Annotated, PredictForm
from dss.widgets.threads import wait_for
from dss.widgets.viewer.checklist import CheckList
from dss.widgets.viewer.saving import SaveRow
from dss.widgets.viewer.thresholds import Thresholds, scores_html
from dss.widgets.viewer.viewer import Viewer

MANUAL, PREDICTED = "manual", "predicted"
AROUND_SECONDS = 2.0  # beside the view, detected again at once
PATIENCE_SECONDS = 0.3  # after the last move of a slider, until everything is detected again


class PredictionViewer(Viewer):
    """Predictions below manual annotations, and the probabilities that they come from.

    When you move a threshold, the view changes at once; scores and lists follow as soon as all
    recordings have been processed.

    Arguments:
        source: a form, whose results are shown as they come; or a result of the form.
        start_seconds, stop_seconds: as for `Viewer`.

    The options say how manual annotations are read, as for `dss.data.check_annotations`, such as
    annotations_at="../labels/{stem}.txt".

    Attributes:
        thresholds: the options of `dss.predict.detection.detect`; assign a dictionary to set some.
        scores: the table from `dss.evaluate.evaluate`, on the recordings that the network did not
            learn from, if there are any; without rows if there are no manual annotations.
        least_certain: the table from `dss.review.proofread.least_certain`.
    """

    proposes = False  # the network does

    @takes_options
    def __init__(
        self,
        source: PredictForm | Annotated,
        *,
        start_seconds: float | None = None,
        stop_seconds: float | None = None,
        options: FileOptions | None = None,
        **named: Unpack[FileArguments],
    ):
        """Show what a form annotated."""
        options = FileOptions.given(options, named)
        result = source.result if isinstance(source, PredictForm) else source
        if result is None:
            raise DssError("Nothing is annotated yet: press Annotate, or run form.run()")
        self._file_options = options
        self._scores = pd.DataFrame()
        self.sliders = Thresholds(self._moved)
        self.checking = CheckList(self._check_at, self._find_novel_sounds)
        self.saving = SaveRow(lambda: self.save(self.saving.folder, self.saving.format))
        self._message = widgets.HTML()
        self._take(result)
        super().__init__(
            self._views_of(result), start_seconds=start_seconds, stop_seconds=stop_seconds
        )
        below = [self.sliders.widget, self._message, self.checking.widget, self.saving.widget]
        self.widget.children = [*self.widget.children, *below]
        self._later(0)
        if isinstance(source, PredictForm):
            source.when_done(self.show_result)

    def show_result(self, annotated: Annotated) -> None:
        """Show other recordings that were annotated."""
        self.saving.clear()
        self.checking.forget_novel()
        with self._one_draws:
            self._take(annotated)
            self._open(self._views_of(annotated))
            self._later(0)

    @property
    def thresholds(self) -> dict[str, Any]:
        """How probabilities become annotations, as set by the sliders."""
        return self.sliders.values

    @thresholds.setter
    def thresholds(self, values: Mapping[str, Any]) -> None:
        self.sliders.values = values
        self._moved()

    @property
    def scores(self) -> pd.DataFrame:
        """The scores with the current thresholds; waits until they are known."""
        wait_for(self._worker)
        return self._scores

    @property
    def compared(self) -> tuple[list[TrueAnnotations], list[pd.DataFrame]]:
        """What the scores compare, in the form `dss.evaluate` takes: manual annotations and
        predicted tables.

        Waits until the tables are known.
        """
        wait_for(self._worker)
        return self._predictions.compared(self._predictions.found)

    @property
    def least_certain(self) -> pd.DataFrame:
        """What to check first; waits until it is known."""
        wait_for(self._worker)
        return self.checking.table

    def save(self, save_dir: str | Path | None = None, format: str = "csv") -> list[Path]:
        """Write the annotations of all recordings, with the current thresholds.

        Arguments:
            save_dir: the folder; default: where they were written before.
            format: as for `dss.data.write_annotations`.

        Returns: the files.
        """
        wait_for(self._worker)
        targets = self._annotated.targets(Path(save_dir) if save_dir else None, format)
        how, rate = self._annotated.options, self._predictions.samplerate_hz
        found = self._predictions.found
        return comparison.save(found, targets, format, how.proposals, how.loader, rate)

    @property
    def manual_label(self) -> str:
        """The label of the annotation table that you edit."""
        return MANUAL

    def annotations_to_edit(self) -> pd.DataFrame:
        """The table that edits start from: the manual annotations, or else the predictions."""
        if MANUAL in self._tables:
            return self._tables[MANUAL]
        wait_for(self._worker)
        return self._predictions.found[self.recording.path][COLUMNS]

    def saved(self, recordings: Sequence[Path]) -> None:
        """Use annotations that were saved as manual annotations from now on."""
        super().saved(recordings)
        for recording in recordings:
            if recording in self._annotated.files:
                self._predictions.read_manual(recording)
        self._later(0)

    def _take(self, annotated: Annotated) -> None:
        loader = self._file_options.loader or annotated.options.loader
        self._reading = self._file_options.model_copy(update={"loader": loader})
        self._annotated = annotated
        self._folder = find_matching(annotated.options.recordings, annotated.options.endings)[1]
        where = annotated.trunk, annotated.files, self._folder
        self._predictions = Predictions(*where, self._reading, annotated.options.samplerate_hz)
        stored = all(stored_probabilities(file) is not None for file in annotated.files.values())
        self.sliders.fit(annotated.options, {*self._predictions.types.values()}, stored)
        self._as_written = self.sliders.options

    def _views_of(self, annotated: Annotated):
        """The recordings, starting with those that the network did not learn from."""
        views, how, fallback_hz = [], dict(self._reading), self._predictions.samplerate_hz
        for file in sorted(annotated.files, key=self._predictions.was_learned):
            rate = open_at_own_rate(file, self._reading.loader, fallback_hz).samplerate_hz
            options = SourceOptions(**how, samplerate_hz=rate)
            views.append(recording_view(file, self._folder, options=options))
        return views

    def _first_names(self) -> list[str]:
        return [*self._predictions.types, *super()._first_names()]

    def _load(self) -> None:
        self._player.children, self._status.value = [], ""
        recording = self.recording.path
        self.values = stored = stored_probabilities(self._annotated.files[recording])
        self.value_names = [] if stored is None else self._predictions.class_names
        self.values_hz = None if stored is None else stored.attrs["samplerate_hz"]
        hand = {MANUAL: self.view.annotations} if recording in self._predictions.manual else {}
        self._tables = hand | {PREDICTED: self._predictions.found[recording]}

    def _draw(self) -> None:
        with self._one_draws:
            rate = self.values_hz
            if rate and self.sliders.options != self._as_written:
                start, stop = self.stretch
                edges = max(0, start - AROUND_SECONDS) * rate, (stop + AROUND_SECONDS) * rate
                self._tables[PREDICTED] = detect_stored(
                    self.values,
                    self._predictions.types,
                    *map(round, edges),
                    options=self.sliders.options,
                )
            super()._draw()

    def _whole_tables(self) -> dict[str, pd.DataFrame]:
        return self._tables | {PREDICTED: self._predictions.found[self.recording.path]}

    def _moved(self) -> None:
        self._draw()
        self._later(PATIENCE_SECONDS)

    def _find_novel_sounds(self) -> pd.DataFrame:
        annotated = self._annotated
        return find_novel_in_run(annotated.files, annotated.trunk, options=self._reading)

    def _check_at(self, row) -> None:
        names = {str(self._annotated.files[m.recording.path]): m.name for m in self.views}
        if names[row.file] != self.view.name:
            self.show(names[row.file])
        self.look_at((row.start_seconds + row.stop_seconds) / 2)
        self.editor.mark(row.start_seconds, row.stop_seconds, PREDICTED)
        if row.name:
            self.editor.suggest(row.name)

    def _later(self, wait_seconds: float) -> None:
        """Detect everything again in a thread, unless a slider is moved first."""
        work = [wait_seconds]
        self._worker = threading.Thread(target=self._detect_all, args=work, daemon=True)
        self._worker.start()

    def _detect_all(self, wait_seconds: float) -> None:
        def go_on() -> None:
            if threading.current_thread() is not self._worker:
                raise _Superseded

        try:
            time.sleep(wait_seconds)
            go_on()
            found, options = self._predictions.found, self.sliders.options
            if options != self._as_written:
                found = self._predictions.detect_again(options, go_on)
            scores, judged = self._predictions.scores(found), self._predictions.judged()
            with self._one_draws:
                go_on()
                self._predictions.found, self._as_written, self._scores = found, options, scores
                self._message.value = _message(scores, *judged)
                self.checking.fill(*self._predictions.to_check())
                self._tables[PREDICTED] = found[self.recording.path]
                self.events.fit(self._tables)
        except _Superseded:
            pass
        except DssError as error:
            self._message.value = problem_html(str(error))


def _message(scores: pd.DataFrame, judged: Sequence[Path], what: str) -> str:
    """The scores as HTML, with the recordings they come from."""
    if not judged:
        return "Nothing to compare with: none of these recordings has manual annotations."
    return scores_html(scores, len(judged), what)


class _Superseded(Exception):
    """A slider was moved again."""
