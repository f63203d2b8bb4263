"""How long the viewer takes to show another stretch of an hour-long recording.

`python benchmarks/viewer.py` prints the milliseconds between a step and the picture, the median and
the longest of several steps, for a wav file of an hour at 32 kHz with annotations and for a dataset
made of it; in the wav file also between moving the threshold of proposals and what is sent to the
browser, in elapsed time and in CPU time of all threads. Both are made once, in the folder given
(1.5 GB; default: the system's temporary one).
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

import dss
from dss.widgets import Viewer

RATE, MINUTES, NAMES = 32_000, 60, "abcdef"
STRETCHES_SECONDS = [0.5, 3, 10, 30, 60, 120, 600, 1800, 3600]


def make_recording(folder):
    """An hour of noise with tones of six kinds, annotated."""
    rng = np.random.default_rng(0)
    rows, t = [], 1.0
    while t < 60 * MINUTES - 1:
        duration = rng.uniform(0.04, 0.2)
        if t % 60 + duration < 60:
            rows.append((NAMES[rng.integers(6)], t, t + duration))
        t += duration + rng.uniform(0.03, 0.4)
    table = pd.DataFrame(rows, columns=["name", "start_seconds", "stop_seconds"])
    folder.mkdir(parents=True)
    dss.data.write_annotations(table, folder / "hour_annotations.csv")
    with soundfile.SoundFile(folder / "hour.wav", "w", RATE, 1, "PCM_16") as file:
        for minute in range(MINUTES):
            x = 0.01 * rng.standard_normal(60 * RATE)
            here = table[table["start_seconds"] // 60 == minute]
            for name, start, stop in here.itertuples(index=False):
                i, j = (round((t - 60 * minute) * RATE) for t in (start, stop))
                hz = 2000 + 1000 * NAMES.index(name)
                x[i:j] += 0.3 * np.sin(2 * np.pi * hz * np.arange(j - i) / RATE)
            file.write(x)


def milliseconds(action, clock=time.perf_counter):
    begun = clock()
    action()
    return 1000 * (clock() - begun)


def steps(viewer, seconds):
    """Scroll by tenths of what is shown, and zoom in and out."""
    whole = viewer.recording.duration_seconds
    viewer.stretch = (0.3 * (whole - seconds), 0.3 * (whole - seconds) + seconds)
    took = []
    for _ in range(4):
        took.append(milliseconds(lambda: viewer.move(0.1)))
        took.append(milliseconds(lambda: viewer.zoom(1.1)))
        took.append(milliseconds(lambda: viewer.zoom(1 / 1.1)))
    return took


def thresholds(viewer):
    """Drag the line of the threshold, once the loudness is measured."""
    viewer.stretch = (1000, 1003)
    viewer.proposer._is_on.value = True
    while viewer.proposer.threshold.disabled:
        time.sleep(1)
    time.sleep(5)  # until nothing is drawn any more
    rows = {}
    for what, clock in (("", time.perf_counter), (", CPU", time.process_time)):
        took = [
            milliseconds(lambda at=at: viewer.proposer.drag(at), clock)
            for at in np.linspace(0.3, 0.5, 21)
        ]
        rows[f"threshold moved, {viewer_seconds(3)}{what}"] = took
        time.sleep(5)
    viewer.proposer._is_on.value = False
    return rows


def measure(source):
    viewer = None

    def opened():
        nonlocal viewer
        viewer = Viewer(source)

    rows = {f"opened, {viewer_seconds(3)}": [milliseconds(opened)]}
    rows["the whole, at once"] = [milliseconds(lambda: setattr(viewer, "stretch", (0, np.inf)))]
    time.sleep(10)  # what it looks for in the background is found
    rows["next annotation"] = [milliseconds(lambda: viewer.go(1)) for _ in range(5)]
    if viewer.view.targets is None:
        rows |= thresholds(viewer)
    rows |= {viewer_seconds(s): steps(viewer, s) for s in STRETCHES_SECONDS}
    return {name: (np.median(took), max(took)) for name, took in rows.items()}


def viewer_seconds(seconds):
    return f"{seconds:g} s shown"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    folder = parser.parse_args().folder or Path(tempfile.gettempdir()) / "dss_viewer"
    if not (folder / "hour").is_dir():
        make_recording(folder / "hour")
    store = folder / "hour.npy"
    if not store.is_dir():
        dss.data.make_dataset(folder / "hour", store_dir=store, test_fraction=0, val_fraction=0.01)
    for source in (folder / "hour" / "hour.wav", store):
        table = pd.DataFrame(measure(source), index=["median (ms)", "longest (ms)"]).T
        print(f"{source.name}\n{table.round(1)}\n")
