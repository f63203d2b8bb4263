"""Train DAS with a dataset that dss made, and annotate recordings, for animals.py.

PYTHON_OF_DAS benchmarks/with_das.py STORE RECORDINGS ANNOTATED [--seed N]

The network, and how it learns, are what DAS proposes for songbirds, with a wider filter for the
spectrogram of recordings above 100 kHz. Gaps and shortest durations are those of dss.
"""

import argparse
from pathlib import Path

from annotate import NETWORK
from training import TRAINING

NB_EPOCH = 400  # at most: DAS stops when the validation loss no longer falls
FILL_SECONDS, MIN_SECONDS = 0.005, 0.02


def main() -> None:
    """Read the command line, train and annotate."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("recordings", type=Path)
    parser.add_argument("annotated", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    from das.predict import cli_predict
    from das.train import train

    save_dir = arguments.annotated.with_name("das.res")
    train(
        data_dir=str(arguments.store),
        save_dir=str(save_dir),
        nb_epoch=NB_EPOCH,
        seed=arguments.seed,
        **NETWORK,
        **TRAINING,
    )
    (params,) = save_dir.glob("*_params.yaml")
    trunk = str(params).removesuffix("_params.yaml")
    arguments.annotated.mkdir()
    for path in sorted(arguments.recordings.iterdir()):
        if path.suffix == ".csv":
            continue
        cli_predict(
            str(path),
            trunk,
            save_filename=str(arguments.annotated / f"{path.stem}_annotations.csv"),
            segment_fillgap=FILL_SECONDS,
            segment_minlen=MIN_SECONDS,
        )


if __name__ == "__main__":
    main()
