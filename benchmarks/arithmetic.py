"""How near training comes to what the machine can compute: its own matrix products.

python benchmarks/arithmetic.py

For each network, in turns: products of two matrices of 2048 x 2048 float32 numbers (the faster of
NumPy's and TensorFlow's), and steps of training. Operations are counted as a multiplication and an
addition for each weight and place: forward once, backward twice; once where nothing that is trained
lies before the layer, and not at all where the layer is not. All else (normalisation, activations,
interpolation, loss, optimiser) counts as nothing, so that a step cannot come to 100 % but by doing
convolutions faster than matrix products.
"""

import time
from collections.abc import Callable

import numpy as np
from annotate import NETWORK

from dss import models
from dss.models.backend import keras, tf
from dss.models.turns import Turns
from dss.models.workers import ALONE
from dss.options import TrainOptions
from dss.train.presets import PRESETS

SIZE = 2048
TURNS = 5
N_CLASSES = 7
NETWORKS = {
    "as DAS, hop 16": {**NETWORK, "batch_size": 8},
    "songbird": PRESETS["songbird"],
    "the same, with filters on the spectrogram": {
        **PRESETS["songbird"],
        "pre_filters": 8,
        "pre_bins": [4, 110],
    },
    "fly, on the audio itself": PRESETS["fly"],
}


def main() -> None:
    """Measure all networks and print one line."""
    found = []
    for name, options in NETWORKS.items():
        training, product = rates(TrainOptions.checked({"data_dir": ".", **options}))
        found.append(f"{name}: {training:.0f} of {product:.0f} ({training / product:.0%})")
    print(f"GFLOP/CPU-s, training of matrix product: {'; '.join(found)}. {device()}")


def rates(options: TrainOptions) -> tuple[float, float]:
    """GFLOP in a CPU second: of training steps, and of matrix products."""
    model = models.build(options, 1, N_CLASSES)
    models.freeze(model, options.freeze)
    turns = Turns(model, options, 20, ALONE)
    rng = np.random.default_rng(0)
    shape = (options.batch_size, options.nb_hist)
    x = rng.standard_normal((*shape, 1)).astype(np.float32)
    y = np.eye(N_CLASSES, dtype=np.float32)[rng.integers(N_CLASSES, size=shape)]
    weight = np.ones(shape, np.float32)
    flop = operations(model) * options.batch_size
    a, b = rng.random((2, SIZE, SIZE), np.float32)
    ta, tb = tf.constant(a), tf.constant(b)
    products = {"numpy": lambda: a @ b, "tensorflow": lambda: tf.linalg.matmul(ta, tb).numpy()}
    found = []
    for _ in range(TURNS):
        training = flop / _cpu_seconds(lambda: turns.learn(x, y, weight).numpy())
        product = max(2 * SIZE**3 / _cpu_seconds(p) for p in products.values())
        found.append((training / 1e9, product / 1e9))
    training, product = np.median(found, axis=0)
    return float(training), float(product)


def operations(model: keras.Model) -> float:
    """Additions and multiplications of one step of training with one chunk."""
    total, is_first = 0, True
    for layer in model.layers:
        kernels = [weight for weight in layer.weights if len(weight.shape) > 1]
        passes = 1 if not layer.trainable else 2 if is_first else 3
        is_first &= not (kernels and layer.trainable)
        places = int(np.prod(layer.output.shape[1:-1]))
        total += passes * 2 * places * sum(int(np.prod(kernel.shape)) for kernel in kernels)
    return total


def _cpu_seconds(work: Callable[[], object], n: int = 4) -> float:
    """CPU seconds that one call takes, once it is warm."""
    work()
    began = time.process_time()
    for _ in range(n):
        work()
    return (time.process_time() - began) / n


def device() -> str:
    cards = tf.config.list_physical_devices("GPU")
    return (
        ", ".join(
            tf.config.experimental.get_device_details(card).get("device_name", card.name)
            for card in cards
        )
        or "no GPU"
    )


if __name__ == "__main__":
    main()
