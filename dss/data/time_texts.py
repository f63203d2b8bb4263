"""Numbers and clock times that are written as text."""

import numpy as np
import pandas as pd

CLOCK = r"^\s*(?:(\d+):)?(\d+):(\d+(?:\.\d*)?)\s*$"  # h:m:s or m:s


def numbers(column: pd.Series) -> pd.Series:
    """Parse numbers, with decimal points or commas, and clock times (1:02.5, 0:00:01.2), as
    seconds.

    NaN for anything else, and for infinity.
    """
    if column.dtype != float:
        column = column.astype(str).str.replace(",", ".")
    parsed = pd.to_numeric(column, errors="coerce").astype(float)
    if parsed.isna().any() and column.dtype != float:
        parts = column.str.extract(CLOCK).astype(float)
        parsed = parsed.fillna(parts[0].fillna(0) * 3600 + parts[1] * 60 + parts[2])
    return parsed.where(np.isfinite(parsed))
