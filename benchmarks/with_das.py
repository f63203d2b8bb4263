"""Train DAS with a folder of recordings, and annotate those of another, for animals.py.

PYTHON_OF_DAS benchmarks/with_das.py LEARN JUDGE ANNOTATED [--seed N]

The dataset is made as in the graphical interface of DAS, with a fifth of each recording for
validation. The network is that of the other comparisons; gaps and shortest durations are those of
dss.
"""

import argparse
from pathlib import Path

from annotate import NETWORK
from training import TRAINING

SPLITS = {"train": 0.8, "val": 0.2}
NB_EPOCH = 400  # at most: DAS stops when the validation loss no longer falls
FILL_SECONDS, MIN_SECONDS = 0.005, 0.02


def main() -> None:
    """Read the command line, train and annotate."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("learn", type=Path, help="recordings with STEM_annotations.csv beside each")
    parser.add_argument("judge", type=Path)
    parser.add_argument("annotated", type=Path, help="the folder to write")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    from das.predict import cli_predict
    from das.train import train
    from xarray_behave.gui.das import make

    here = arguments.annotated.parent
    learn, judge = (
        as_wav(folder, here / f"{folder.name}_wav") for folder in (arguments.learn, arguments.judge)
    )
    store, save_dir = here / "das.npy", here / "das.res"
    make(
        data_folder=str(learn),
        store_folder=str(store),
        file_splits={},
        data_splits=SPLITS,
        make_csv_annotations=False,
    )
    train(
        data_dir=str(store),
        save_dir=str(save_dir),
        nb_epoch=NB_EPOCH,
        seed=arguments.seed,
        **NETWORK,
        **TRAINING,
    )
    (params,) = save_dir.glob("*_params.yaml")
    trunk = str(params).removesuffix("_params.yaml")
    arguments.annotated.mkdir()
    for path in sorted(judge.glob("*.wav")):
        cli_predict(
            str(path),
            trunk,
            save_filename=str(arguments.annotated / f"{path.stem}_annotations.csv"),
            segment_fillgap=FILL_SECONDS,
            segment_minlen=MIN_SECONDS,
        )


def as_wav(folder: Path, wavs: Path) -> Path:
    """Write the recordings as wav, the format that DAS reads, with their annotations."""
    import soundfile

    wavs.mkdir()
    for path in folder.iterdir():
        if path.suffix == ".csv":
            (wavs / path.name).symlink_to(path.resolve())
        else:
            soundfile.write(wavs / f"{path.stem}.wav", *soundfile.read(path))
    return wavs


if __name__ == "__main__":
    main()
