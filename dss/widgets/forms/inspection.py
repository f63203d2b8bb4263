"""The form for looking at data: choose recordings or a dataset, and see what is wrong with them."""

import html
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dss.errors import DssError
from dss.options import SourceOptions
from dss.options.base import option
from dss.review.views import View, find_problems, is_dataset, open_views
from dss.support.units import readable
from dss.widgets.forms.form import Form
from dss.widgets.forms.hints import recording_facts
from dss.widgets.forms.rate_buttons import rate_buttons
from dss.widgets.forms.tables import problems_table

MOST_NAMED = 3  # recordings; the rest are counted


class InspectFormOptions(SourceOptions):
    """What to look at, and how it is read."""

    path: Path = option(
        ...,
        "Recordings or dataset",
        "A folder of recordings, each with its annotations beside it; one recording; or a dataset.",
        group="Files",
        path="view",
    )


class InspectForm(Form):
    """A form that opens recordings or a dataset, and lists what is wrong with them.

    Its result is what `dss.review.views.open_views` gives.

    Attributes:
        path: what was looked at last; None before.
        how: how it was read: arguments of `dss.review.views` and of `dss.data.make_dataset`.

    Arguments:
        values: what the fields hold at first, the others their defaults; by default what was last
            used in this folder.
        loader, annotation_loader: for formats of your own; see `dss.data.check_annotations`.
    """

    def __init__(
        self,
        values: Mapping[str, Any] | None = None,
        *,
        loader: Callable | None = None,
        annotation_loader: Callable | None = None,
    ):
        self._loaders = {"loader": loader, "annotation_loader": annotation_loader}
        self.path: str | None = None
        self.how = self._loaders
        super().__init__(InspectFormOptions, self._look, "Look", values=values, remember="inspect")

    @property
    def hints(self) -> dict[str, str]:
        """What there is."""
        try:
            path = self.options.get("path", "")
            if is_dataset(path):
                return {"path": "A dataset."}
            read = SourceOptions.checked(self._of(SourceOptions))
            loader = self._loaders["annotation_loader"]
            endings = tuple(read.endings or ())
            how = endings, read.annotation_format, loader, read.annotations_at
            files, names = recording_facts(path, *how)
        except DssError:
            return {}
        n = len(files)
        return {"path": f"{n} recording{'s' * (n > 1)}; {', '.join(names) or 'no annotations'}."}

    def _look(self, path: str, **named) -> list[View]:
        how = named | self._loaders
        self._problems = find_problems(path, **how)
        self._below.children = rate_buttons(self, self._problems)
        views = open_views(path, **how)
        self.path, self.how = path, how
        return views

    def _describe(self, result: list[View]) -> str:
        seconds = sum(view.recording.duration_seconds for view in result)
        names = ", ".join(view.name for view in result[:MOST_NAMED])
        more = len(result) - MOST_NAMED
        names += f", and {more} more" if more > 0 else ""
        said = f"{html.escape(names)}: {readable(seconds)}"
        return f"{said}<div>{problems_table(self._problems)}</div>"
