"""What the forms about recordings and their annotations share: how these are read."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from dss.options import Options, SourceOptions
from dss.widgets.forms.form import Form
from dss.widgets.forms.hints import recording_facts


class SourceForm(Form, ABC):
    """A form about recordings and their annotations.

    Arguments:
        values: what the fields hold at first, the others their defaults; by default what was last
            used in this folder.
        loader, annotation_loader: for formats of your own; see `dss.data.make_dataset`.
    """

    shows: ClassVar[tuple[type[Options], str, str]]  # options, the button, what it is remembered as
    folder: ClassVar[str]  # the option that says where the recordings are

    def __init__(
        self,
        values: Mapping[str, Any] | None = None,
        *,
        loader: Callable | None = None,
        annotation_loader: Callable | None = None,
    ):
        self._loaders: dict[str, Any] = {"loader": loader, "annotation_loader": annotation_loader}
        options_class, button, remembered = self.shows
        super().__init__(options_class, self._make, button, values=values, remember=remembered)

    @abstractmethod
    def _make(self, *arguments: Any, **named: Any) -> Any:
        """What the button does."""

    def _recordings(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The recordings, and the song types in them."""
        how = SourceOptions.checked(self._of(SourceOptions) | self._loaders)
        return recording_facts(self.options.get(self.folder, ""), how)
