"""Audio levels: find channels that are silent, clipped, or on another scale."""

from collections.abc import Iterable, Iterator

import numpy as np

from dss.data.recordings import BLOCK_SAMPLES, Recording

LIMIT = 0.999  # of full scale
CLIPPED = 1e-3  # a channel with a larger fraction of samples at the limit is clipped
HIGHEST_CLIPPED = 1.25  # times full scale: clipped audio may overshoot when it is resampled
LOUDEST = 8  # times full scale; louder floats are on another scale
# The loudest 16-bit value in 32-bit integers; real 16-bit audio is 0, or at least twice as loud.
SOFTEST = 2**-16
N_BLOCKS, BLOCK_SECONDS = 60, 0.5  # read per recording


def level_problems(blocks: Iterable[np.ndarray], samples: str) -> list[tuple[int, str]]:
    """Find channels that are silent or clipped, or whose values are on another scale.

    Arguments:
        blocks: the audio, [samples, channels] each.
        samples: what to call the samples, such as "samples in train".

    Returns: channels, and what is wrong with them.
    """
    n_samples, peak, at_limit = 0, np.zeros(1), np.zeros(1, int)
    for block in blocks:
        level = np.abs(block)
        n_samples += len(level)
        peak = np.maximum(peak, level.max(axis=0))
        at_limit = at_limit + (level >= LIMIT).sum(axis=0)
    problems = []
    for channel, n_at_limit in enumerate(at_limit):
        part = n_at_limit / n_samples
        if peak[channel] == 0:
            problems.append((channel, f"is silent: all {samples} are 0"))
        elif message := _other_scale(float(peak[channel])):
            problems.append((channel, message))
        elif part > CLIPPED and peak[channel] < HIGHEST_CLIPPED:  # floats may well be louder
            text = f"is clipped: {100 * part:.1f} % of the {samples} are at the limit"
            problems.append((channel, text))
    return problems


def _other_scale(peak: float) -> str:
    """How to fix audio whose peak cannot be on a full scale of 1; empty if it can."""
    if peak > LOUDEST:
        largest = "32,768" if peak <= 2**15 else "the largest value of the recorder"
        kind = "16-bit integers stored as floats" if peak <= 2**15 else "in another unit"
        return (
            f"reaches {peak:,.0f}, but full scale is 1: its values are probably {kind}; divide "
            f"them by {largest}"
        )
    if peak <= SOFTEST:
        return (
            f"reaches only {peak:.2g} of full scale: its values are probably 16-bit integers "
            "stored in 32 bits; save them as 16-bit integers"
        )
    return ""


def spread_blocks(recording: Recording) -> Iterator[np.ndarray]:
    """Half a minute of a recording in short blocks, spread evenly; all of a shorter recording."""
    length = max(1, round(BLOCK_SECONDS * recording.samplerate_hz))
    step = max(length, recording.n_samples // N_BLOCKS)
    if step == length:  # whole recording: read as few blocks as memory allows
        step = length = max(length, BLOCK_SAMPLES)
    for start in range(0, recording.n_samples, step):
        yield recording.read(start, start + length)
