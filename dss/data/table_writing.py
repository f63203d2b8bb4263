"""Write annotation tables as CSV, or in the formats of other programs.

| format | what dss writes |
| --- | --- |
| csv | all rows and columns |
| audacity | one line per annotation; events are points |
| raven | one selection per annotation; events have no duration |
| textgrid | tiers of Praat: segments as intervals, events as points |
| svl | a layer of Sonic Visualiser: regions, or time instants if there are only events |
| elan | tiers of ELAN |
| notmat | evsonganaly; single-letter names |
"""

import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from dss.data import textgrid, xml_formats
from dss.data.notmat import write_notmat
from dss.data.text_tables import COLUMNS, RAVEN_TIMES
from dss.errors import DssError, raise_problems

RAVEN_COLUMNS = (
    *("Selection", "View", "Channel"),
    *RAVEN_TIMES,
    *("Low Freq (Hz)", "High Freq (Hz)", "Annotation"),
)
HIGHEST_HZ = 20_000  # of a box in a selection table, by default
WRITTEN = ("csv", "audacity", "raven", "textgrid", "svl", "elan", "notmat")
IN_SAMPLES = ("svl", "notmat")  # these need the sample rate
NO_NAMES = {
    "notmat": (r".{2,}", "Names in .not.mat files have one letter; rename (one=o):"),
    "svl": (r".*[^\x20-\ud7ff\ue000-\U0010ffff].*", "These names cannot be in XML; rename:"),
}
NO_NAMES["elan"] = NO_NAMES["svl"]


def check_names(names: Iterable[str], format: str) -> None:
    """Raise a DssError if dss cannot write a format, or it does not allow one of these names."""
    if format not in WRITTEN:
        raise DssError(
            f"Annotations cannot be written as {format}; choose {', '.join(WRITTEN[:-1])} "
            f"or {WRITTEN[-1]}"
        )
    if format == "csv":
        return
    names = dict.fromkeys(names)
    broken = [repr(name) for name in names if re.search(r"[\t\r\n]", name)]
    raise_problems(broken, "These names contain a tab or a line break; rename:")
    if format in NO_NAMES:
        pattern, heading = NO_NAMES[format]
        raise_problems([repr(n) for n in names if re.fullmatch(pattern, n, re.DOTALL)], heading)


def write_table(
    table: pd.DataFrame,
    path: Path,
    format: str,
    duration_seconds: float | None = None,
    samplerate_hz: float | None = None,
    replaced: Path | None = None,
) -> None:
    """Write annotations; formats other than csv keep only those that have a time.

    In notmat, the other contents of a replaced file are kept.

    Raises: DssError if dss cannot write the format, or it does not allow these annotations.
    """
    if format == "csv":
        table, further = table.copy(), table.columns.difference([*COLUMNS, "confidence"])
        # Only floats are rounded; whole numbers become floats when a row without one is added.
        table[further] = table[further].convert_dtypes().astype(object)
        table.to_csv(path, index=False, float_format="%.6f", na_rep="NaN")
        return
    table = table[table["start_seconds"].notna()]
    check_names(table["name"], format)
    if format in IN_SAMPLES and not samplerate_hz:
        raise DssError(f"{format} files store the sample rate; give samplerate_hz")
    rows = [*table[COLUMNS].itertuples(index=False, name=None)]
    match format:
        case "audacity":
            lines = (f"{a:.6f}\t{b:.6f}\t{name}\n" for name, a, b in rows)
            path.write_text("".join(lines), "utf-8")
        case "raven":
            lines = (
                f"{i}\tSpectrogram 1\t1\t{a:.6f}\t{b:.6f}\t0.0\t{HIGHEST_HZ:.1f}\t{name}\n"
                for i, (name, a, b) in enumerate(rows, start=1)
            )
            path.write_text("".join(["\t".join(RAVEN_COLUMNS) + "\n", *lines]), "utf-8")
        case "textgrid":
            textgrid.write(rows, path, duration_seconds)
        case "svl":
            xml_formats.write_svl(rows, path, samplerate_hz or 0)
        case "elan":
            xml_formats.write_elan(rows, path)
        case "notmat":
            write_notmat(rows, path, samplerate_hz or 0, replaced)
