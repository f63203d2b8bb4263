"""What all forms about recordings and annotations share: how to read them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from dss.options import Options, SourceOptions
from dss.widgets.forms.form import Form
from dss.widgets.forms.hints import recording_facts


class SourceForm(Form, ABC):
    """A form about recordings and their annotations.

    Arguments:
        values: the initial values; other options start with their defaults. By default, the values
            last used in this folder.
        loader, annotation_loader: for formats of your own; see `dss.data.make_dataset`.
    """

    shows: ClassVar[tuple[type[Options], str, str]]  # options, button, name in memory
    folder: ClassVar[str]  # the option with the folder of recordings

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
        """The recordings, and their song types."""
        how = SourceOptions.checked(self._values_of(SourceOptions) | self._loaders)
        return recording_facts(self.options.get(self.folder, ""), how)
