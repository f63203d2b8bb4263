"""Numbers and clock times that are written as text."""

import numpy as np
import pandas as pd

CLOCK = r"^\s*(?:(\d+):)?(\d+):(\d+(?:\.\d*)?)\s*$"  # h:m:s or m:s


def numbers(column: pd.Series, per_second: float = 1) -> pd.Series:
    """Parse numbers, with decimal points or commas, and clock times (1:02.5, 0:00:01.2), as
    seconds.

    NaN for anything else, and for infinity.

    Arguments:
        column: texts or numbers.
        per_second: what numbers count in a second, such as 1000 for milliseconds; clock times do
            not depend on it.
    """
    if column.dtype != float:
        column = column.astype(str).str.replace(",", ".")
    parsed = pd.to_numeric(column, errors="coerce").astype(float)
    parsed = parsed / per_second if per_second != 1 else parsed
    if parsed.isna().any() and column.dtype != float:
        parts = column.str.extract(CLOCK).astype(float)
        parsed = parsed.fillna(parts[0].fillna(0) * 3600 + parts[1] * 60 + parts[2])
    return parsed.where(np.isfinite(parsed))
