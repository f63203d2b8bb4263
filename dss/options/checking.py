"""The options of checking annotations with a network (`dss check --with-network`)."""

from functools import partial
from pathlib import Path

from dss.options.base import option
from dss.options.dataset import SourceOptions

network_check_option = partial(option, group="With a network")


class AnnotationErrorOptions(SourceOptions):
    """How annotation errors are found (`dss.review.annotation_errors`)."""

    min_certainty: float = network_check_option(0.5, "Minimum certainty", rare=True, ge=0, le=1)
    """List only errors that the networks are at least this sure of, from 0 to 1."""
    seed: int = network_check_option(0, "Seed", rare=True, ge=0, le=2**32 - 1)
    """A different seed splits the recordings differently and starts from different weights."""


class CheckOptions(AnnotationErrorOptions):
    """What `dss check` checks."""

    with_network: bool = network_check_option(False, "With a network")
    """Also train on each half of the recordings, let the network judge the other half, and list
    annotations that are probably wrong: wrong names, inaccurate onsets or offsets, missed song, and
    annotations where there is no song. Takes a few minutes."""
    save_dir: Path | None = network_check_option(None, "Save folder", path="folder")
    """Where to save the list and pictures of these annotations. Defaults to the data folder with
    .check appended."""
