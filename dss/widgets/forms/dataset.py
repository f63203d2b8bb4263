"""The form for making a dataset: first a preview, then the dataset."""

import html
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import xarray as xr

from dss.data import check_annotations, describe, make_dataset, open_dataset, preview_dataset
from dss.data.annotation_paths import files_by_pattern
from dss.data.assembly import default_store, differing_options
from dss.data.recording_groups import groups_in_filenames, recording_groups
from dss.data.report import missing
from dss.data.stores import check_ending
from dss.errors import DssError
from dss.options import DatasetOptions, SourceOptions
from dss.options.base import option
from dss.plot import plot_splits
from dss.plot.figure import png
from dss.support.units import counted, listed
from dss.widgets.elements import PICTURE, doubt_html
from dss.widgets.forms.problems import problems_table, rate_buttons
from dss.widgets.forms.sources import SourceForm

MOST_NAMED = 6  # individuals; the rest are counted


class DatasetFormOptions(DatasetOptions):
    """The options of a dataset, and the data folder."""

    data_dir: Path = option(..., "Data folder", group="Files", path="recordings")
    """Your recordings, each with its annotations next to it. Subfolders are included."""


class DatasetForm(SourceForm):
    """A form for `dss make-dataset`: Preview, Make dataset, Stop.

    Arguments: see `dss.widgets.forms.sources.SourceForm`.
    """

    shows = DatasetFormOptions, "Make dataset", "dataset"
    folder = "data_dir"

    def _make_buttons(self, text: str) -> widgets.HBox:
        buttons, tooltip = super()._make_buttons(text), "Show the splits without writing"
        self._preview = self._work_button("Preview", tooltip, self.preview)
        buttons.children = (self._preview, *buttons.children)
        return buttons

    @property
    def problems(self) -> dict[str, str]:
        """Why the form cannot be run, by option; empty if it can."""
        problems = super().problems
        try:
            check_ending(Path(self.options.get("store_dir", "default.npy")))
        except DssError as error:
            problems["store_dir"] = str(error)
        store = self._store()
        is_there = store is not None and store.exists() and not self.options["overwrite"]
        if store and is_there and not problems and (differs := self._differing_options(store)):
            problems["store_dir"] = (
                f"{store} already exists, {differs}: tick Overwrite, or choose another name"
            )
        if problems:
            return problems
        try:
            files, _ = self._recordings()
        except DssError as error:
            return {"data_dir": str(error)}
        try:
            self._individuals(files)
        except DssError as error:
            others = f", such as {error.problems[0]}" if error.problems else ""
            problems["groups"] = str(error).split(":\n")[0] + others
        return problems

    @property
    def hints(self) -> dict[str, str]:
        """What the recordings contain, where the dataset goes, and whether it already exists."""
        return self._recording_hints() | self._store_hints()

    def _recording_hints(self) -> dict[str, str]:
        try:
            files, names = self._recordings()
        except DssError:
            return {}
        hints = {"data_dir": f"{counted(len(files), 'recording')}."}
        if pattern := self.options.get("annotations_at"):
            hints["annotations_at"] = _places_hint(pattern, Path(self.options["data_dir"]), files)
        if names:
            hints["song_types"] = f"Found: {', '.join(names)}."
        with suppress(DssError):
            groups = groups_in_filenames(files)
            if individuals := self._individuals(files):
                named = listed(individuals, MOST_NAMED)
                hints["groups"] = f"{counted(len(individuals), 'individual')}: {named}."
            elif groups and groups.are_enough:
                n, named = len(groups.n_recordings), listed(sorted(groups.n_recordings), MOST_NAMED)
                hints["groups"] = f"The names show {n} {groups.kind}s: {named}."
        return hints

    def _individuals(self, files: tuple[str, ...]) -> list[str]:
        """The individuals that the groups name, if any."""
        groups = self.options.get("groups")
        return sorted(set(recording_groups(files, groups))) if groups else []

    def _store_hints(self) -> dict[str, str]:
        store = self._store()
        if not store:
            return {}
        if not store.exists():
            return {} if "store_dir" in self.options else {"store_dir": f"{store}."}
        if self.options["overwrite"]:
            return {"store_dir": f"{store} will be replaced."}
        if self._differing_options(store):  # reported as a problem
            return {}
        return {"store_dir": f"{store} already exists with these settings and will be replaced."}

    def _store(self) -> Path | None:
        """Where the dataset goes, if that is known."""
        if "store_dir" in self.options:
            return Path(self.options["store_dir"])
        with suppress(DssError):
            return default_store(self.options.get("data_dir", ""))
        return None

    def _differing_options(self, store: Path) -> str:
        """How the existing dataset differs from these settings; empty if it does not."""
        try:
            options = DatasetOptions.checked(self._values_of(DatasetOptions))
            names = differing_options(store, self.options.get("data_dir", ""), options)
        except DssError:
            return "and cannot be read as a dataset"
        fields = [self._fields["data_dir" if name == "folder" else name] for name in names]
        titles = ", ".join(str(field.option.title) for field in fields)
        return f"with other settings ({titles})" if titles else ""

    def preview(self) -> xr.DataTree:
        """Show in the form what the dataset would contain, and any problems with the data.

        Returns: the preview of `dss.data.preview_dataset`.
        Raises: DssError if no dataset can be made.
        """
        options = self._given()
        folder = options.pop("data_dir", "")
        named = self._values_of(SourceOptions)
        problems = check_annotations(folder, **self._loaders, **named)
        heading = widgets.HTML("<h3>Preview (nothing is written)</h3>")
        shown = [heading, widgets.HTML(problems_table(problems)), *rate_buttons(self, problems)]
        self._below.children = shown if len(problems) else []
        with self._work.showing_work(self._aside):
            tree = preview_dataset(folder, **self._loaders, **options)
        shown.append(widgets.HTML(_counts_table(tree) + doubt_html(missing(tree.attrs))))
        shown.append(widgets.Image(value=png(plot_splits(tree)), layout=PICTURE))
        self._below.children = shown
        self._made_with[self._below] = self._of_result()
        self._check()
        return tree

    def _of_result(self) -> Any:
        return self._as_values(self.options | {"overwrite": False})

    def _make(self, data_dir: str, **named) -> Path:
        named["overwrite"] = True  # same settings, or to be replaced
        return make_dataset(data_dir, **self._loaders, **named)

    def _describe(self, result: Path) -> str:
        self._below.children = []
        tree = open_dataset(result)
        return f"The dataset is in <b>{html.escape(str(result))}</b>.{_counts_table(tree)}"

    def _check(self) -> None:
        super()._check()
        # Nothing is written, so the store folder does not matter.
        self._preview.disabled = bool(self._work.is_busy or self.problems.keys() - {"store_dir"})


def _places_hint(pattern: str, folder: Path, files: tuple[str, ...]) -> str:
    """How many recordings have annotations where the pattern points, with an example."""
    found = files_by_pattern(pattern, folder, [folder / file for file in files])
    message = f"{len(found)} of {len(files)} recordings have annotations there"
    if not found:
        return f"{message}."
    recording, file = found[0]
    return f"{message}, such as {recording.name}: {os.path.relpath(file, folder)}."


def _counts_table(tree: xr.DataTree) -> str:
    """The duration of each split and how many annotations of each song type it has, as HTML."""
    table = describe(tree).T
    head = "".join(f"<th>{html.escape(str(name))}</th>" for name in ("", *table.columns))
    rows = []
    for name, values in table.iterrows():
        is_time = name in ("seconds", "unknown")
        cells = "".join(
            f"<td>{n:.1f} s</td>" if is_time else f'<td class="dss-n{n:.0f}">{n:.0f}</td>'
            for n in values
        )
        rows.append(f"<tr><th>{html.escape(str(name))}</th>{cells}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
