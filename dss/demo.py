"""The demo: go all the way from the included recordings to annotations and scores."""

from pathlib import Path
from typing import Any, Unpack

from dss.data import (
    annotations_path,
    format_report,
    make_dataset,
    open_dataset,
    open_recording,
    read_annotations,
)
from dss.data.ownership import write
from dss.evaluate import evaluate, format_scores
from dss.examples import shipped
from dss.options import DemoOptions, DetectOptions, takes_options
from dss.options.arguments import DemoArguments
from dss.predict import probabilities
from dss.predict.confidence import calibration_of
from dss.predict.detection import detect, with_run_options
from dss.runs import load_run
from dss.support.files import replacing
from dss.train import train

# Settings for each song: dataset, training, detection, and scoring. dss chooses the others.
SONGS: dict[str, dict[str, dict[str, Any]]] = {
    "finch": {
        "dataset": {"test_fraction": 0.2},
        "train": {},
        "detect": {},
        "evaluate": {"tolerance_seconds": 0.01},
    },
    "fly": {
        "dataset": {"test_fraction": 0.3, "event_std_seconds": 0.002},
        "train": {"preset": "fly"},
        "detect": {"segment_fill_seconds": 0.05, "segment_min_seconds": 0.1},
        # Sine song fades in and out, so nobody can place its onset within 10 ms.
        "evaluate": {"tolerance_seconds": 0.025},
    },
}
SHOWN_SECONDS = 3.0


@takes_options
def demo(*, options: DemoOptions | None = None, **named: Unpack[DemoArguments]) -> Path:
    """Make a dataset of the included recordings, train, annotate the test recordings, and score.

    Returns: the folder with the dataset, the run, the annotations and the figures.
    Raises: DssError if the included recordings are missing.
    """
    options = DemoOptions.given(options, named)
    recordings = shipped("data") / options.song
    settings = SONGS[options.song]
    folder = options.save_dir
    store = make_dataset(
        recordings,
        store_dir=folder / f"{options.song}.npy",
        overwrite=True,
        seed=options.seed,
        **settings["dataset"],
    )
    tree = open_dataset(store)
    print(f"Dataset {store}: train and val are split by samples, test by files:\n")
    print(f"{format_report(tree)}\n")
    trunk = train(data_dir=store, seed=options.seed, **settings["train"])
    print(f"The files of the run begin with {trunk}\n")
    held_out = [recordings / name for name in tree.attrs["filename_test"]]
    written = _annotate(held_out, trunk, folder, settings["detect"])
    true = [annotations_path(recording) for recording in held_out]
    scores = evaluate(true, written[0::2], **settings["evaluate"])
    tolerance = 1000 * settings["evaluate"]["tolerance_seconds"]
    print(f"\n{len(held_out)} test recordings: correct name, onset within {tolerance:g} ms:\n")
    print(format_scores(scores))
    print("\nWritten:", *written, sep="\n  ")
    return folder


def _annotate(
    recordings: list[Path], trunk: Path, folder: Path, settings: dict[str, float]
) -> list[Path]:
    """Write the annotations of each recording and a figure of its first song; return the files."""
    from dss.plot import plot_recording

    run = load_run(trunk)
    options = with_run_options(DetectOptions.checked(settings), run.params)
    written = []
    for path in recordings:
        recording, manual = open_recording(path), read_annotations(annotations_path(path))
        p = probabilities(path, run)
        calibration = calibration_of(run.params, run.trunk)
        predicted = detect([p], run.song_types, run.samplerate_hz, calibration, options=options)
        written.append(folder / annotations_path(path).name)
        write(predicted, written[-1], "csv")
        first = max(0.0, manual["start_seconds"].min() - 0.5)
        start, stop = (round(t * run.samplerate_hz) for t in (first, first + SHOWN_SECONDS))
        figure = plot_recording(
            recording.read(start, stop),
            run.samplerate_hz,
            annotations={"manual": manual, "predicted": predicted},
            probabilities=p[start:stop],
            class_names=run.params["class_names"],
            start_seconds=start / run.samplerate_hz,
            title=path.name,
        )
        written.append(folder / f"{path.stem}.png")
        with replacing(written[-1]) as part:
            figure.savefig(part, format="png", dpi=120)
    return written
