"""How well song is found without a network, names aside.

python benchmarks/proposals.py [--corpora meerkat canary ...] [--everywhere]

The scores are F1 of onsets and offsets within 10 ms, on the first 45 s of recordings of each
corpus. `dss` proposes with the threshold that it chooses; `dss, best` with the best one for the
corpus. `envelope` is like DAS's way: a smoothed envelope above a threshold, here relative to the
median of the recording; with the single setting that is best over all corpora, and with the best
one for each corpus. Both are chosen with the annotations, which dss does not see.

In `zebra_finch`, calls and introductory notes are not annotated. So proposals count only within
song there, where annotations follow each other within 0.1 s; with `--everywhere`, all count.
"""

import argparse
import itertools
import sys
from pathlib import Path

import numpy as np
import scipy.ndimage

RECORDINGS = Path(__file__).resolve().parents[2] / "shared" / "data"
CORPORA = [
    *("zebra_finch", "zebra_finch_adults", "zebra_finch_backpack", "zebra_finch_calls"),
    *("bengalese_finch", "canary", "meerkat", "mouse"),
]
WITHIN_SONG, PAUSE_SECONDS = {"zebra_finch"}, 0.1
SECONDS, ALL_SECONDS, TOLERANCE_SECONDS = 45, 90, 0.01
THRESHOLDS_DB = range(3, 45)
SETTINGS = [
    *itertools.product(
        (0.001, 0.002, 0.005, 0.01), np.geomspace(1, 60, 25), (0, 0.005, 0.01), (0.01, 0.02, 0.03)
    )
]  # of envelopes: seconds of smoothing, threshold, longest gap, shortest segment


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--corpora", nargs="+", default=CORPORA, choices=CORPORA)
    parser.add_argument("--everywhere", action="store_true")
    arguments = parser.parse_args()
    if not RECORDINGS.is_dir():
        print(f"{RECORDINGS} is not here", file=sys.stderr)
        return 1
    within = set() if arguments.everywhere else WITHIN_SONG
    scores = {name: judge(name, name in within) for name in arguments.corpora}
    everywhere = {s: np.mean([scores[name][s] for name in scores]) for s in SETTINGS}
    single = max(everywhere, key=everywhere.__getitem__)
    print("| corpus | dss | dss, best | envelope, one setting | envelope, best |")
    print("| --- | ---: | ---: | ---: | ---: |")
    rows = []
    for name, of in scores.items():
        rows.append([of["dss"], of["best"], of[single], max(of[s] for s in SETTINGS)])
        print(f"| `{name}` |", " | ".join(f"{score:.3f}" for score in rows[-1]), "|")
    print("| mean |", " | ".join(f"{score:.3f}" for score in np.mean(rows, axis=0)), "|")
    return 0


def judge(name: str, is_within_song: bool) -> dict:
    """The scores on a corpus: of dss, and of all settings of the envelope."""
    from dss.review.loudness import find_segments, measure_loudness
    from dss.review.proposals import propose

    counts: dict = {}
    for recording, true in recordings(name):
        loudness = measure_loudness(recording)
        found = {"dss": propose(recording)[["start_seconds", "stop_seconds"]].to_numpy()}
        found |= {t: find_segments(loudness, t) for t in THRESHOLDS_DB}
        found |= by_envelope(recording)
        for way, segments in found.items():
            if is_within_song:
                segments = within_song(true, segments)
            counts.setdefault(way, []).append(count(true, segments))
    scores = {way: f1(np.sum(of, axis=0)) for way, of in counts.items()}
    return scores | {"best": max(scores[t] for t in THRESHOLDS_DB)}


def recordings(name: str):
    """The first part of some annotated recordings, and [segments, 2] seconds of their song."""
    from dss.data.recordings import array_recording
    from dss.review.views import open_views

    seconds = 0.0
    for view in open_views(RECORDINGS / name):
        rate, table = view.recording.samplerate_hz, view.annotations
        table = table[table["stop_seconds"] > table["start_seconds"]]
        x = view.recording.read(0, min(view.recording.n_samples, round(SECONDS * rate)))
        true = table[["start_seconds", "stop_seconds"]].to_numpy(float)
        true = true[true[:, 0] < len(x) / rate]
        if len(true) and seconds < ALL_SECONDS:
            seconds += len(x) / rate
            yield array_recording(x.mean(axis=1, keepdims=True), rate), true


def by_envelope(recording) -> dict[tuple, np.ndarray]:
    """[segments, 2] seconds, by setting."""
    from dss.review.loudness import Loudness, find_segments

    rate, found = recording.samplerate_hz, {}
    x = np.abs(recording.read()[:, 0].astype(float))
    step = max(1, round(rate / 1000))
    for smooth_seconds, settings in itertools.groupby(SETTINGS, lambda setting: setting[0]):
        envelope = scipy.ndimage.gaussian_filter1d(x, smooth_seconds * rate, truncate=3)[::step]
        loudness = Loudness(envelope / max(np.median(envelope), 1e-12), rate / step)
        for setting in settings:
            found[setting] = find_segments(loudness, *setting[1:])
    return found


def within_song(true: np.ndarray, found: np.ndarray) -> np.ndarray:
    """The proposals with their middle in song."""
    true = np.sort(true, axis=0)
    is_pause = true[1:, 0] - true[:-1, 1] > PAUSE_SECONDS
    starts, stops = true[np.r_[True, is_pause], 0], true[np.r_[is_pause, True], 1]
    middle = found.mean(axis=1)[:, None]
    return found[((middle > starts) & (middle < stops)).any(axis=1)]


def count(true: np.ndarray, found: np.ndarray) -> tuple[int, int]:
    """Boundaries that agree, one to one, and all boundaries in both."""
    pairs = zip(np.sort(true, axis=0).T, np.sort(found, axis=0).T, strict=True)
    return sum(n_agreeing(*pair) for pair in pairs), 2 * (len(true) + len(found))


def n_agreeing(one: np.ndarray, other: np.ndarray) -> int:
    i = j = n = 0
    while i < len(one) and j < len(other):
        if abs(one[i] - other[j]) <= TOLERANCE_SECONDS:
            i, j, n = i + 1, j + 1, n + 1
        elif one[i] < other[j]:
            i += 1
        else:
            j += 1
    return n


def f1(counts: np.ndarray) -> float:
    agreeing, all_of_both = counts
    return 2 * agreeing / max(1, all_of_both)


if __name__ == "__main__":
    sys.exit(main())
