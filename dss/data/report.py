"""The report on a dataset: how much of each song type is in each split, and what is missing."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd

from dss.data.annotated_recordings import annotations_of
from dss.data.annotation_paths import annotation_finder
from dss.data.annotations import EVENT, definitions_path, occurrences
from dss.data.corpus import Corpus
from dss.data.overlaps import target_seconds
from dss.data.recording_files import find_recordings
from dss.data.recordings import open_readable
from dss.data.song_type_problems import NEVER_FOUND
from dss.data.song_types import read_definitions
from dss.data.splits import SPLITS, Stretch
from dss.data.text_tables import TIMES
from dss.errors import DssError, warn
from dss.options import SourceOptions, takes_options
from dss.options.arguments import SourceArguments
from dss.support.units import counted

if TYPE_CHECKING:
    import xarray as xr

MOST = 2**53  # annotations or seconds
FACTS = ("seconds", "unknown", "samplerate_hz", "channels")  # columns that are not song types


def count(plan: Mapping[str, Sequence[Stretch]], corpus: Corpus) -> dict[str, dict[str, Any]]:
    """Returns: for each split: `seconds`, `unknown_seconds`, `annotations` (by song type: those
    that begin in the split), `song_seconds` (of segments in the targets, by song type) and
    `recordings` (by song type: how many contain it).
    """
    return {split: _count_split(stretches, corpus) for split, stretches in plan.items()}


def describe(tree: "xr.DataTree") -> pd.DataFrame:
    """Seconds and annotations by song type, for each split and the whole dataset, as a table.

    A song type that is itself called `seconds` or `unknown` has the column `seconds (song type)`.
    The column `unknown`, with the seconds that are not annotated, exists if there are any. For a
    dataset that dss did not make, annotations are counted in the targets, which are read.

    Example:
        >>> from dss.data import describe, open_dataset
        >>> describe(open_dataset("finch.npy")).loc["all", ["a", "f"]].astype(int).to_dict()
        {'a': 48, 'f': 40}
    """
    report = _sound_report(tree) or {split: _count_targets(tree, split) for split in SPLITS}
    rows = {
        split: {
            "seconds": report[split]["seconds"],
            "unknown": report[split]["unknown_seconds"],
            **_by_column(report[split]["annotations"]),
        }
        for split in SPLITS
    }
    table = pd.DataFrame.from_dict(rows, orient="index").fillna(0)  # types that a split lacks
    table.loc["all"] = table.sum()
    if not table["unknown"].any():
        table = table.drop(columns="unknown")
    return table.astype(dict.fromkeys(table.columns.difference(FACTS), int))


def format_report(tree: "xr.DataTree") -> str:
    """The report as text: one row per song type, one column per split."""
    counts = describe(tree).T
    rows = counts.index.difference(["seconds", "unknown"], sort=False)
    table = counts.loc[rows].astype(int).astype(str)
    report = _sound_report(tree)
    if report:
        seconds = {split: _by_column(report[split]["song_seconds"]) for split in SPLITS}
        seconds = pd.DataFrame(seconds)
        seconds["all"] = seconds.sum(axis=1)
        seconds = seconds.reindex(rows).map(lambda s: "" if np.isnan(s) else f"{s:.1f}")
        table = pd.concat({"annotations": table, "seconds of song": seconds}, axis=1)
    lengths = [
        f"{split} {counts.at['seconds', split]:.1f} s"
        + (f" ({counts.at['unknown', split]:.1f} s unknown)" if "unknown" in counts.index else "")
        for split in counts.columns
    ]
    chosen = "".join(f"{name}: {why}\n" for name, why in tree.attrs.get("chosen", {}).items())
    fixed = "".join(f"fixed: {sentence}\n" for sentence in tree.attrs.get("fixed", []))
    parts = [f"{', '.join(lengths)}\n", f"{table.to_string()}\n", chosen, fixed]
    return "\n".join(part for part in parts if part)


@takes_options
def list_recordings(
    folder: str | Path, *, options: SourceOptions | None = None, **named: Unpack[SourceArguments]
) -> pd.DataFrame:
    """The contents of a data folder: one row per recording, with totals in the last row.

    Arguments: as for `dss.data.check_annotations`.

    Returns: a table by file with the columns seconds, samplerate_hz, channels, and the number of
        annotations of each song type, including types that are only looked for or defined; NaN for
        unreadable recordings, no numbers for recordings without annotations, and no samplerate_hz
        and channels in the last row if they differ.
    Raises: DssError if there is no readable recording.

    Example:
        >>> from dss.data import list_recordings
        >>> list_recordings("finch")[["seconds", "a", "b"]].head(2)
                      seconds  a  b
        file
        bird1_01.wav   8.0241  6  6
        bird1_02.wav   8.1812  6  6
    """
    options = SourceOptions.given(options, named)
    folder, rows, counts, defined = Path(folder), {}, {}, set()
    files = find_recordings(folder, options.endings)
    recordings, _ = open_readable(files, options)
    find_file = annotation_finder(options.annotations_at, folder)
    for path in files:
        recording = recordings.get(path)
        name = path.name if path == folder else path.relative_to(folder).as_posix()
        rows[name] = {
            "seconds": recording.duration_seconds if recording else np.nan,
            "samplerate_hz": recording.samplerate_hz if recording else np.nan,
            "channels": recording.n_channels if recording else np.nan,
        }
        with suppress(DssError):
            rate = recording.own_samplerate_hz if recording else None
            table = annotations_of(path, options, find_file, rate)[1]
            none = dict.fromkeys(table["name"], 0)
            counts[name] = _by_column(none | occurrences(table)["name"].value_counts().to_dict())
        if definitions_path(path).is_file():
            with suppress(DssError):
                defined |= {*_by_column(read_definitions(definitions_path(path)))}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("file")
    table[["samplerate_hz", "channels"]] = table[["samplerate_hz", "channels"]].convert_dtypes()
    counted = pd.DataFrame.from_dict(counts, orient="index")
    counted = counted.reindex(columns=sorted({*counted, *defined})).fillna(0)
    counted = counted.reindex(table.index).astype("Int64")
    of_all = {"seconds": table["seconds"].sum(), **counted.sum()}
    for column in ("samplerate_hz", "channels"):
        values = table[column].dropna().unique()
        of_all[column] = values[0] if len(values) == 1 else pd.NA
    table = table.join(counted)
    table.loc["all"] = of_all
    return table


def missing(attributes: Mapping[Any, Any]) -> list[str]:
    """What a dataset lacks: a sentence for each song type that is missing from a split."""
    report = attributes["report"]
    sentences = []
    for name in attributes["class_names"][1:]:
        without = [s for s in SPLITS if report[s]["seconds"] and not report[s]["annotations"][name]]
        total = sum(report[split]["annotations"][name] for split in SPLITS)
        if not total:
            sentences.append(f"{name} {NEVER_FOUND}")
        elif without:
            n_recordings = sum(report[split]["recordings"][name] for split in SPLITS)
            sentences.append(
                f"{name} does not occur in {' and '.join(without)}: it has "
                f"{counted(total, 'annotation')}, in {counted(n_recordings, 'recording')} or "
                "parts of recordings. Split by samples in blocks, or in shorter ones "
                "(--block-seconds), try another seed, or annotate more of it."
            )
    return sentences


def _sound_report(tree: "xr.DataTree") -> dict[str, dict[str, Any]] | None:
    """The result of `count` when the dataset was made; None if it is not stored.

    Warns: DssWarning if it is damaged, which counts as missing.
    """
    report = tree.attrs.get("report")
    if not report:
        return None
    names = set(tree.attrs["class_names"])
    try:
        for split in SPLITS:
            of_split = report[split]
            by_type = [of_split[what] for what in ("annotations", "song_seconds")]
            numbers = [of_split["seconds"], of_split["unknown_seconds"]]
            numbers += [value for values in by_type for value in values.values()]
            if not all(
                isinstance(number, int | float) and 0 <= number < MOST for number in numbers
            ):
                raise ValueError("a number is out of range")
            if not all(names >= values.keys() for values in by_type):
                raise ValueError("it names other song types")
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        warn(f"{tree.name or 'The dataset'}: its report is damaged, so the targets are counted")
        return None
    return report


def _by_column(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by column instead of by song type, avoiding the names of other columns."""
    return {f"{k} (song type)" if k in FACTS else k: value for k, value in values.items()}


def _count_split(stretches: Sequence[Stretch], corpus: Corpus) -> dict[str, Any]:
    types, rate = corpus.types, corpus.samplerate_hz
    annotations, recordings = dict.fromkeys(types, 0), dict.fromkeys(types, 0)
    song_seconds = {name: 0.0 for name, kind in types.items() if kind != EVENT}
    seconds = unknown = 0.0
    for stretch in stretches:
        start, stop = stretch.start_sample, stretch.stop_sample
        seconds += (stop - start) / rate
        unknown += corpus.sources[stretch.recording].unknown_seconds(start, stop)
        table = occurrences(corpus.tables[stretch.recording])
        names, times = table["name"].to_numpy(), table[TIMES].to_numpy(float)
        begins = (times[:, 0] * rate >= start) & (times[:, 0] * rate < stop)
        for name, of_type in target_seconds(table, types, rate, start, stop).items():
            song_seconds[name] += of_type
        for name in types:
            n = int(((names == name) & begins).sum())
            annotations[name] += n
            recordings[name] += n > 0
    return {
        "seconds": seconds,
        "unknown_seconds": unknown,
        "annotations": annotations,
        "song_seconds": song_seconds,
        "recordings": recordings,
    }


def _count_targets(tree: "xr.DataTree", split: str) -> dict[str, Any]:
    """Seconds, and how often each song type occurs in the targets."""
    from dss.data.batches import array_of, split_stretches  # they import xarray
    from dss.data.contents import song_stretches

    y = array_of(tree[split]["y"])
    song = song_stretches(y, split_stretches(tree, split))[1:]
    return {
        "seconds": len(y) / tree.attrs["samplerate_x_Hz"],
        "unknown_seconds": 0.0,
        "annotations": dict(zip(tree.attrs["class_names"][1:], map(len, song), strict=True)),
    }
