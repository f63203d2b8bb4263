"""How long annotations take to come when audio is annotated live.

python benchmarks/stream.py [--seconds 60] [--block-ms 20]

Audio comes in blocks, as from a sound card, by a simulated clock that advances with the audio and
with the time of computing. Two networks: as for a fly's song (raw audio, 10 kHz) and for a
songbird's (32 kHz, a frontend). Their weights are random: the cost does not depend on what is
heard.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from annotate import network_options

from dss import models
from dss.predict.stream import Stream
from dss.runs import load_run, run_file, write_params
from dss.train.presets import PRESETS

SAMPLERATES_HZ = {"fly": 10_000, "songbird": 32_000}  # by preset


def main() -> None:
    """Read the command line and measure both networks."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--block-ms", type=float, default=20)
    arguments = parser.parse_args()
    for preset, rate in SAMPLERATES_HZ.items():
        found = measure(rate, PRESETS[preset], arguments.seconds, arguments.block_ms / 1000)
        print(f"{preset}: {found}")


def measure(rate: int, network: dict, seconds: float, block_seconds: float) -> str:
    """Feed noise block by block, and tell how far the annotations lag behind."""
    with tempfile.TemporaryDirectory() as folder:
        stream = Stream(_random_run(Path(folder) / "random", rate, network))
    rng = np.random.default_rng(0)
    block_samples = round(block_seconds * rate)
    now, lags, busy = 0.0, [], 0.0
    for number in range(round(seconds / block_seconds)):
        block = 0.1 * rng.standard_normal((block_samples, 1), dtype=np.float32)
        recorded = (number + 1) * block_seconds
        started = time.perf_counter()
        stream.add(block)
        took = time.perf_counter() - started
        busy += took
        now = max(now, recorded) + took  # the next block waits if this one is not done
        lags.append(now - recorded)
    lags = 1000 * np.array(lags)
    return (
        f"audio that must follow: at most {1000 * stream.delay_seconds:.0f} ms, then "
        f"{np.quantile(lags, 0.95):.1f} ms of computing (95 % of blocks of "
        f"{1000 * block_seconds:g} ms; the longest {lags.max():.1f} ms); busy "
        f"{100 * busy / seconds:.1f} % of the time"
    )


def _random_run(trunk: Path, rate: int, network: dict):
    options = network_options(network)
    model = models.build(options, 1, 3)
    models.save_weights(model, run_file(trunk, "_model.h5"))
    params = {
        "class_names": ["noise", "pulse", "sine"],
        "class_types": ["segment", "event", "segment"],
        "samplerate_x_Hz": rate,
        "samplerate_y_Hz": rate,
        "nb_channels": 1,
    }
    write_params(trunk, {**params, **options.to_yaml_types()})
    return load_run(trunk)


if __name__ == "__main__":
    main()
