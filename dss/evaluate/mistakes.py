"""List wrong annotations, the worst first."""

from typing import Unpack

import numpy as np
import pandas as pd

from dss.evaluate.matching import match_pair
from dss.evaluate.pairs import Recordings, read_pairs
from dss.options import EvaluateOptions, takes_options
from dss.options.arguments import EvaluateArguments

COLUMNS = ["recording", "mistake", "name", "start_seconds", "stop_seconds", "confidence"]


@takes_options
def mistakes(
    true: Recordings,
    predicted: Recordings,
    *,
    options: EvaluateOptions | None = None,
    **named: Unpack[EvaluateArguments],
) -> pd.DataFrame:
    """List wrong annotations: false positives and missed annotations.

    False positives are sorted by confidence; missed annotations, and predictions without
    confidence, by duration, the longest first. The two kinds alternate.

    Arguments:
        true, predicted: as for `evaluate`.

    Returns: a table with recording (file of the true annotations, or its number), mistake ("false"
        or "missed"), name, start_seconds, stop_seconds, confidence (NaN for missed annotations).

    Example:
        >>> import pandas as pd
        >>> from dss.evaluate import mistakes
        >>> columns = ["name", "start_seconds", "stop_seconds"]
        >>> true = pd.DataFrame([("a", 0.1, 0.15), ("b", 0.2, 0.26)], columns=columns)
        >>> mistakes(true, true[:1])[["mistake", "name", "start_seconds"]]
          mistake name  start_seconds
        0  missed    b            0.2
    """
    options = EvaluateOptions.given(options, named)
    kinds: dict[str, list[pd.DataFrame]] = {"false": [], "missed": []}
    pairs = read_pairs(true, predicted, options)
    for pair in pairs:
        for match in match_pair(pair, options).values():
            wrong = {
                "false": pair.predicted.iloc[match.false],
                "missed": pair.true.iloc[match.missed].assign(confidence=np.nan),
            }
            for kind, table in wrong.items():
                kinds[kind].append(table.assign(recording=pair.source, mistake=kind))
    ranked = []
    for tables in kinds.values():
        table = pd.concat(tables) if tables else pd.DataFrame(columns=COLUMNS)
        if "confidence" not in table:  # predictions without confidence
            table["confidence"] = np.nan
        table["seconds"] = table["stop_seconds"] - table["start_seconds"]
        table = table.sort_values(["confidence", "seconds"], ascending=False, kind="stable")
        ranked.append(table.assign(rank=range(len(table))))
    both = pd.concat(ranked).sort_values("rank", kind="stable", ignore_index=True)
    return both[COLUMNS]
