"""Annotate one long recording with dss or with DAS, with networks of the same size.

python benchmarks/annotate.py make WAV [--minutes 30]
PYTHON benchmarks/annotate.py {dss,das} WAV [--preset songbird]

The recording is noise, 32 kHz; the network has random weights, but says noise nearly always: what
it costs does not depend on what is heard. Both write CSV, dss by `predict_files`, DAS by what its
`das predict` runs.
"""

import argparse
import tempfile
from pathlib import Path

SAMPLERATE_HZ = 32_000
DAS_BATCH_SIZE = 32  # its default; dss has its own
CLASS_NAMES = ["noise", *"abcdef"]
NETWORK = {
    "nb_hist": 16384,
    "nb_filters": 32,
    "kernel_size": 16,
    "nb_conv": 4,
    "nb_pre_conv": 4,
    "pre_nb_dft": 256,
}
NOISE_BIAS = 6.0


def main() -> None:
    """Read the command line and annotate."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("system", choices=("make", "dss", "das"))
    parser.add_argument("recording", type=Path)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--preset", help="the network of this preset, with dss, not one as in DAS")
    arguments = parser.parse_args()
    if arguments.system == "make":
        make(arguments.recording, arguments.minutes)
        return
    with tempfile.TemporaryDirectory() as folder:
        if arguments.system == "das":
            written = with_das(arguments.recording, Path(folder))
        else:
            written = with_dss(arguments.recording, Path(folder), arguments.preset)
        print(f"{written.name}: {len(written.read_text().splitlines()) - 1} annotations")


def make(path: Path, minutes: float, n_channels: int = 1) -> None:
    """Write 16-bit noise, minute by minute."""
    import numpy as np
    import soundfile

    rng = np.random.default_rng(0)
    left = round(60 * minutes * SAMPLERATE_HZ)
    with soundfile.SoundFile(path, "w", SAMPLERATE_HZ, n_channels, subtype="PCM_16") as file:
        while left:
            n_samples = min(left, 60 * SAMPLERATE_HZ)
            file.write(0.05 * rng.standard_normal((n_samples, n_channels), np.float32))
            left -= n_samples


def with_dss(
    recording: Path, folder: Path, preset: str | None, n_types: int = 6, n_channels: int = 1
) -> Path:
    """Annotate with `dss.predict.predict_files`."""
    from dss import models
    from dss.predict import predict_files
    from dss.runs import run_file, write_params
    from dss.train.presets import PRESETS

    options = network_options(PRESETS[preset] if preset else NETWORK)
    names = ["noise", *(f"type{i}" for i in range(n_types))]
    model = models.build(options, n_channels, len(names))
    _say_noise(model.get_layer("scores"))
    trunk = folder / "random"
    models.save_weights(model, run_file(trunk, "_model.h5"))
    params = {
        "class_names": names,
        "class_types": ["segment"] * len(names),
        "samplerate_x_Hz": SAMPLERATE_HZ,
        "samplerate_y_Hz": SAMPLERATE_HZ,
        "nb_channels": n_channels,
    }
    write_params(trunk, {**params, **options.to_yaml_types()})
    return predict_files(recording, trunk, save_dir=folder)[0]


def network_options(options: dict):
    """The shape of the network in the options of a training."""
    from dss.options import NetworkOptions

    return NetworkOptions.checked(
        {name: options[name] for name in NetworkOptions.model_fields if name in options}
    )


def with_das(recording: Path, folder: Path) -> Path:
    """Annotate with `das.predict.cli_predict`."""
    import das.models
    import das.predict
    import das.utils

    model = das.models.model_dict["tcn"](nb_freq=1, nb_classes=len(CLASS_NAMES), **NETWORK)
    _say_noise([layer for layer in model.layers if "dense" in layer.name][-1])
    padding = NETWORK["kernel_size"] * NETWORK["nb_conv"] * 2 ** NETWORK["nb_pre_conv"]
    trunk = str(folder / "random")
    model.save(f"{trunk}_model.h5")
    params = {
        **NETWORK,
        "class_names": CLASS_NAMES,
        "class_types": ["segment"] * len(CLASS_NAMES),
        "samplerate_x_Hz": SAMPLERATE_HZ,
        "samplerate_y_Hz": SAMPLERATE_HZ,
        "nb_freq": 1,
        "nb_channels": 1,
        "nb_classes": len(CLASS_NAMES),
        "data_padding": padding,
        "stride": NETWORK["nb_hist"] - 2 * padding,
        "batch_size": DAS_BATCH_SIZE,
        "with_y_hist": True,
        "model_name": "tcn",
    }
    das.utils.save_params(params, trunk)
    target = folder / "das_annotations.csv"
    das.predict.cli_predict(str(recording), trunk, save_filename=str(target))
    return target


def _say_noise(scores) -> None:
    """Set the bias of the last layer so that noise is by far the most probable class."""
    kernel, bias = scores.get_weights()
    bias[0] = NOISE_BIAS
    scores.set_weights([0.1 * kernel, bias])


if __name__ == "__main__":
    main()
