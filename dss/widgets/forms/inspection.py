"""The form for looking at data: choose recordings or a dataset, and see any problems."""

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dss.errors import DssError
from dss.options import SourceOptions
from dss.options.base import option
from dss.review.view import View
from dss.review.views import find_problems, is_dataset, open_views
from dss.support.units import counted, listed, readable
from dss.widgets.forms.problems import problems_table, rate_buttons
from dss.widgets.forms.sources import SourceForm

MISSING = "there are no annotations next to it; add "  # how that problem begins
NOTHING_YET = (
    "Nothing is annotated yet. Unfold <b>Propose song</b> below the picture in the viewer, and "
    "keep and save what is song; then name it on the map of segments."
)


class InspectFormOptions(SourceOptions):
    """What to look at, and how to read it."""

    path: Path = option(..., "Recordings or dataset", group="Files", path="view")
    """A folder of recordings, each with its annotations next to it; one recording; or a dataset."""


class InspectForm(SourceForm):
    """A form that opens recordings or a dataset, and lists any problems with them.

    Its result is the list of views from `dss.review.views.open_views`.

    Attributes:
        path: what was opened last; None before.
        how: how it was read: arguments of `dss.review.views` and of `dss.data.make_dataset`.

    Arguments: see `dss.widgets.forms.sources.SourceForm`.
    """

    shows = InspectFormOptions, "Look", "inspect"
    folder = "path"
    path: str | None = None
    _options: Mapping[str, Any] | None = None  # with which it was opened

    @property
    def how(self) -> dict[str, Any]:
        """How the data were read, including the loaders."""
        return {**(self._options or {}), **self._loaders}

    @property
    def hints(self) -> dict[str, str]:
        """A summary of what the path contains."""
        try:
            if is_dataset(self.options.get("path", "")):
                return {"path": "A dataset."}
            files, names = self._recordings()
        except DssError:
            return {}
        types = ", ".join(names) or "no annotations"
        return {"path": f"{counted(len(files), 'recording')}; {types}."}

    def _make(self, path: str, **named: Any) -> list[View]:
        how = named | self._loaders
        self._problems = find_problems(path, **how)
        self._below.children = rate_buttons(self, self._problems)
        views = open_views(path, **how)
        self.path, self._options = path, named
        return views

    def _describe(self, result: list[View]) -> str:
        seconds = sum(view.recording.duration_seconds for view in result)
        names = html.escape(listed([view.name for view in result]))
        message = f"{names}: {readable(seconds)}"
        problems = self._problems
        is_missing = problems["problem"].str.startswith(MISSING)
        if is_missing.sum() == len(result):
            problems = problems[~is_missing]
            message += f"<div>{NOTHING_YET}</div>"
            if problems.empty:
                return message
        return f"{message}<div>{problems_table(problems)}</div>"
