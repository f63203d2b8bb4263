"""The form for annotating recordings with a trained network."""

import html
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from dss.data.audio import Loader
from dss.data.ownership import is_by_dss
from dss.errors import DssError
from dss.options import DetectOptions, PredictFilesOptions
from dss.options.base import option
from dss.predict import expected_errors, predict_files
from dss.predict.confidence import NotCalibratedError
from dss.predict.detection import with_run_options
from dss.predict.pending import annotated_already, target_paths
from dss.runs import read_params, run_trunk
from dss.support.units import counted
from dss.widgets.forms.form import Form

MOST_LOOKED_AT = 200  # annotation files that may be manual


class PredictFormOptions(PredictFilesOptions):
    """The options of annotating files, the recordings, and the run."""

    first_groups: ClassVar[tuple[str, ...]] = ("Recordings", "Files", "Events and segments")

    recordings: Path = option(..., "Recordings", group="Recordings", path="folder")
    """What to annotate: a file, a folder with its subfolders, or a pattern such as day1/*.wav."""
    run: Path = option(..., "Run", group="Recordings", path="run")
    """The trained network: any of its files, or the part of their names that they share."""


@dataclass(frozen=True)
class Annotated:
    """Recordings that were annotated.

    Attributes:
        files: the annotation file of each recording.
        trunk: the run that annotated them.
        options: how they were annotated, including the values stored with the run.
    """

    files: dict[Path, Path]
    trunk: Path
    options: PredictFormOptions

    def targets(self, save_dir: Path | None, format: str) -> dict[Path, Path]:
        """The annotation file of each recording in another folder or format."""
        other = {"save_dir": save_dir or self.options.save_dir, "format": format}
        return _targets(self.options.model_copy(update=other))


class PredictForm(Form):
    """A form for `dss predict`: Annotate, Stop.

    When you choose a run, the form fills in the thresholds, distances, gaps and durations that `dss
    tune` stored with it.

    Arguments:
        values: the initial values; other options start with their defaults. By default, the values
            last used in this folder.
        loader: for recordings in a format of your own; see `dss.predict.predict`.
    """

    stopped = "Stopped: recordings annotated so far stay annotated."

    def __init__(self, values: Mapping[str, Any] | None = None, *, loader: Loader | None = None):
        self._loader = loader
        self._files: dict[Path, Path] = {}  # annotation files by recording, as last checked
        if values is not None:
            values = {"probabilities": True, **_stored(values.get("run", "")), **values}
        super().__init__(
            PredictFormOptions, self._annotate, "Annotate", values=values, remember="predict"
        )

    @property
    def problems(self) -> dict[str, str]:
        """Why the form cannot be run, by option; empty if it can."""
        problems = super().problems
        self._files = {}
        try:
            options = PredictFormOptions.checked(self.options)
            self._files = _targets(options)
        except DssError as error:
            problems = problems or {"recordings": str(error)}
        by_hand = [] if problems or self.options["existing"] == "skip" else self._there()[1]
        if by_hand and self.options["existing"] == "overwrite":
            problems["save_dir"] = (
                f"{by_hand[0].name} has manual annotations, which would be overwritten: "
                "choose another folder"
            )
        return problems

    @property
    def hints(self) -> dict[str, str]:
        """What will be annotated, with which network, and what happens to existing annotations."""
        hints = self._source_hints()
        there, by_hand = self._there()
        if not there or self.options["existing"] != "skip":
            return hints
        if by_hand:
            name = by_hand[0].name
            hints["save_dir"] = f"{name} has manual annotations, so it is skipped: choose a folder."
        else:
            n = len(there)
            have = "s have" if n > 1 else " has"
            hints["existing"] = f"{n} recording{have} annotations already and will be skipped."
        return hints

    def _source_hints(self) -> dict[str, str]:
        n = len(self._files)
        hints = {"recordings": f"{counted(n, 'recording')}."} if n else {}
        with suppress(DssError):
            params = read_params(run_trunk(self.options.get("run", "")))
            n, names = params["nb_channels"], ", ".join(params["class_names"][1:])
            channels = f", {n} channels" if n > 1 else ""
            hints["run"] = f"{names}; {params['samplerate_x_Hz']:g} Hz{channels}."
        return hints

    def _given(self) -> dict[str, Any]:
        """The options, with None for blank options of detection, which override the run."""
        return self._blank(DetectOptions.model_fields) | self.options

    def _annotate(self, recordings: str, run: str, **named) -> Annotated:
        named["loader"] = self._loader
        options = PredictFormOptions.checked({"recordings": recordings, "run": run, **named})
        files = _targets(options)
        own = {n: value for n, value in named.items() if n in PredictFilesOptions.model_fields}
        predict_files(options.recordings, options.run, **own)
        trunk = run_trunk(options.run)
        return Annotated(files, trunk, with_run_options(options, read_params(trunk)))

    def _describe(self, result: Annotated) -> str:
        folder = html.escape(str(next(iter(result.files.values())).parent))
        n = counted(len(result.files), "recording")
        message = f"The annotations of {n} are in <b>{folder}</b>."
        if result.options.format == "csv":
            try:
                message += f" {expected_errors([*result.files.values()], result.trunk)}."
            except NotCalibratedError as error:
                message += f" {html.escape(str(error))}"
            except DssError:  # some annotations were there already, and have no confidence
                pass
        return message

    def _changed(self, name: str) -> None:
        if name == "run" and not self._is_filling:
            self.options = _stored(self._fields["run"].value)
        super()._changed(name)

    def _there(self) -> tuple[list[Path], list[Path]]:
        """The annotations that exist already, and which of them dss did not write."""
        found = (annotated_already(path, target) for path, target in self._files.items())
        there = [file for file in found if file]
        return there, [file for file in there[:MOST_LOOKED_AT] if not is_by_dss(file)]


def _targets(options: PredictFormOptions) -> dict[Path, Path]:
    """The file to write for each recording."""
    return target_paths(options.recordings, options.save_dir, options.format, options.endings)


def _stored(run: str | Path) -> dict[str, Any]:
    """The detection options stored with a run."""
    with suppress(DssError):  # all of them, to replace all of another run
        return dict(with_run_options(DetectOptions(), read_params(run_trunk(run))))
    return {}
