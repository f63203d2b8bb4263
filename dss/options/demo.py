"""The options of the demo (`dss.demo`) and of the notebooks (`dss.examples`)."""

from pathlib import Path
from typing import Literal

from dss.options.base import Options, option


class DemoOptions(Options):
    """How the demo runs (`dss.demo.demo`)."""

    song: Literal["finch", "fly"] = option("finch", "Song", group="Demo")
    """Which example recordings to use: finch or fly song."""
    save_dir: Path = option(Path("dss_demo"), "Save folder", group="Demo", path="folder")
    """Where the demo saves its files."""
    seed: int = option(0, "Seed", group="Demo", ge=0, le=2**32 - 1)
    """The same seed gives the same result on the same machine."""


class NotebooksOptions(Options):
    """How the notebooks are copied (`dss.examples.write_notebooks`)."""

    overwrite: bool = option(False, "Overwrite", group="Notebooks")
    """Replace notebooks and recordings that already exist and differ."""
