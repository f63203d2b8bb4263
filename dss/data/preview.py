"""Preview a dataset before anything is written."""

from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from dss.data.assembly import dataset_attributes, plan_splits
from dss.data.corpus import read_corpus
from dss.options import DatasetOptions, takes_options
from dss.options.arguments import DatasetArguments

if TYPE_CHECKING:
    import xarray as xr


@takes_options
def preview_dataset(
    folder: str | Path, *, options: DatasetOptions | None = None, **named: Unpack[DatasetArguments]
) -> "xr.DataTree":
    """Preview the dataset that `make_dataset` would make, without its arrays; nothing is written.

    It has the attributes of the dataset, so `describe`, `format_report`, `dss.plot.plot_counts` and
    `dss.plot.plot_splits` can show which stretches of which recordings are used for training,
    validation and testing, and how much of each song type they contain.

    Arguments: as for `make_dataset`.
    Raises: DssError as `make_dataset`, except for a dataset that already exists.

    Example:
        >>> from dss.data import preview_dataset
        >>> tree = preview_dataset("finch", test_fraction=0.2)  # nothing is written
        >>> tree.attrs["class_names"][:3]
        ['noise', 'a', 'b']
    """
    options = DatasetOptions.given(options, named)
    import xarray as xr

    folder = Path(folder)
    corpus = read_corpus(folder, options)
    plan = plan_splits(corpus)
    attributes = dataset_attributes(folder, plan, corpus, corpus.tables(), options)
    return xr.DataTree(xr.Dataset(attrs=attributes))
