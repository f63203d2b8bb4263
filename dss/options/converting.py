"""The options of writing annotations in another format (`dss convert`)."""

from functools import partial
from pathlib import Path

from dss.options.base import option
from dss.options.dataset import FileOptions
from dss.options.notation import Renames
from dss.options.written_formats import WrittenFormat

file_option = partial(option, group="Files")


class ConvertOptions(FileOptions):
    """Which annotations to write in which format (`dss.data.convert_annotations`)."""

    format: WrittenFormat = file_option("csv", "Format")
    """The format to write. csv, Audacity labels, Raven selection tables, Praat TextGrids, layers of
    Sonic Visualiser (svl), ELAN, .not.mat files of evsonganaly, tabular events of BORIS and
    transcriptions of TIMIT have one file per recording; generic-seq, yarden (SongAnnotationGUI) and
    birdsong-recognition-dataset one for all recordings."""
    save_dir: Path | None = file_option(None, "Save folder", path="folder")
    """Where to save the files, in subfolders like those of the recordings. Defaults to the folder
    of each recording."""
    overwrite: bool = file_option(False, "Overwrite")
    """Replace existing files of this format. In a file of many recordings, only the annotations of
    these recordings are replaced."""
    rename: Renames = file_option({}, "Rename", rare=True)
    """Rename song types, as old=new, for formats that do not allow all names, such as a=1 b=2 for
    yarden."""
    samplerate_hz: float | None = file_option(None, "Sample rate", unit="Hz", rare=True, gt=0)
    """The sample rate of npy files, which do not store it."""
