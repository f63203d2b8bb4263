"""Excel workbooks as CSV text."""

import csv
import datetime
import importlib.util
import io
import warnings
import zipfile
from pathlib import Path
from typing import Any

from dss.errors import DssError
from dss.support.caching import cached_by_file

WORKBOOK = ".xlsx"
MOST_BYTES = 2**28  # unpacked


def can_read() -> bool:
    """Whether openpyxl is installed, which reads workbooks."""
    return importlib.util.find_spec("openpyxl") is not None


@cached_by_file(8)  # a file is looked at before it is read
def workbook_text(path: Path) -> str:
    """The first sheet of a workbook as CSV, a line per row.

    Raises: DssError if it cannot be read, is too large, or openpyxl is not installed.
    """
    if not can_read():
        raise DssError(f"{path}: is a spreadsheet; install openpyxl to read it, or save it as CSV")
    import openpyxl

    too_large = DssError(f"{path}: is too large for a table of annotations; save it as CSV")
    if path.stat().st_size > MOST_BYTES:
        raise too_large
    content = io.BytesIO(path.read_bytes())
    try:
        with zipfile.ZipFile(content) as archive:
            n_bytes = sum(member.file_size for member in archive.infolist())
        if n_bytes > MOST_BYTES:
            raise too_large
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of formatting that openpyxl does not keep
            book = openpyxl.load_workbook(content, read_only=True, data_only=True)
            rows = [[_text(value) for value in row] for row in book.worksheets[0].values]
            book.close()
    except (DssError, MemoryError):
        raise
    except Exception as error:  # zipfile and openpyxl raise whatever goes wrong in them
        what = f"{type(error).__name__}: {error}"
        raise DssError(f"{path}: is damaged or not an Excel workbook ({what})") from None
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _text(value: Any) -> str:
    if isinstance(value, datetime.timedelta):
        return str(value.total_seconds())
    return "" if value is None else " ".join(str(value).split("\n"))
