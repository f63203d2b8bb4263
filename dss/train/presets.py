"""Settings that suit each kind of song, independent of the data."""

from typing import Any

from dss.options import AugmentOptions

OF_ALL = {"kernel_size": 7, "nb_conv": 2, "batch_size": 8, "nb_epoch": 30, "learning_rate": 0.004}
# A trainable spectrogram overfits small datasets (benchmarks/mouse.py).
WITH_SPECTROGRAM = {"freeze": ["spectrogram"], "dilations": [1, 4, 16, 48], **OF_ALL}
# For recordings at the usual sample rates: 4 to 10 kHz, 20 to 48 kHz, 200 to 300 kHz.
PRESETS: dict[str, dict[str, Any]] = {
    "fly": {
        "nb_hist": 4096,
        "nb_pre_conv": 2,
        "pre_nb_dft": 0,
        "nb_filters": 32,
        "dilations": [1, 4, 16],
        "augmentations": AugmentOptions(gain_db=6, invert=0.5, noise=0.1),
        **OF_ALL,
    },
    "songbird": {
        "nb_hist": 32768,
        "nb_pre_conv": 5,
        "pre_nb_dft": 256,
        "nb_filters": 32,
        **WITH_SPECTROGRAM,
    },
    "mouse": {
        "nb_hist": 131072,
        "nb_pre_conv": 7,
        "pre_nb_dft": 512,
        "nb_filters": 24,
        **WITH_SPECTROGRAM,
    },
}
