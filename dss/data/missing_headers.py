"""The columns of tables that programs write without a header."""

import pandas as pd

from dss.data.column_names import called
from dss.data.time_texts import numbers

# What Sonic Visualiser exports for instants, regions and notes, by the number of columns; of three
# columns, the second may be a value or a stop.
SONIC_VISUALISER = {
    2: ["TIME", "LABEL"],
    4: ["TIME", "VALUE", "DURATION", "LABEL"],
    5: ["TIME", "VALUE", "DURATION", "LEVEL", "LABEL"],
}
SONG_EXPLORER = ["file", "start_samples", "stop_samples", "kind", "label"]


def lacks_header(first: list[str]) -> bool:
    """Whether the first row of a table contains values."""
    return numbers(pd.Series(first, dtype=str)).notna().any() and not called("start_seconds", first)


def missing_header(first: list[str]) -> tuple[list[str], str] | None:
    """The columns of a table without a header, and the program that wrote it; None if unclear.

    They follow from its first row.
    """
    are_numbers = numbers(pd.Series(first, dtype=str)).notna().tolist()
    if are_numbers == [False, True, True, False, False] and "." in first[0]:
        return SONG_EXPLORER, "SongExplorer"
    if not are_numbers[0] or are_numbers == [True, True]:  # the latter may be starts and stops
        return None
    header = SONIC_VISUALISER.get(len(first))
    return (header, "Sonic Visualiser") if header else None
