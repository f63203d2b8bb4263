"""Levels of audio: which channels are silent or clipped."""

from collections.abc import Iterable, Iterator

import numpy as np

from dss.data.recordings import BLOCK_SAMPLES, Recording

LIMIT = 0.999  # of full scale
CLIPPED = 1e-3  # the part of samples at the limit above which a channel is called clipped
N_BLOCKS, BLOCK_SECONDS = 60, 0.5  # that are read of a recording


def level_problems(blocks: Iterable[np.ndarray], samples: str) -> list[tuple[int, str]]:
    """Channels that are silent or clipped.

    Arguments:
        blocks: the audio, [samples, channels] each.
        samples: what the samples are called, such as "samples in train".

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
        elif part > CLIPPED:
            text = f"is clipped: {100 * part:.1f} % of the {samples} are at the limit"
            problems.append((channel, text))
    return problems


def spread_blocks(recording: Recording) -> Iterator[np.ndarray]:
    """Half a minute of a recording in short blocks, spread evenly; all of a shorter one."""
    length = max(1, round(BLOCK_SECONDS * recording.samplerate_hz))
    step = max(length, recording.n_samples // N_BLOCKS)
    if step == length:  # all of it: as few reads as memory allows
        step = length = max(length, BLOCK_SAMPLES)
    for start in range(0, recording.n_samples, step):
        yield recording.read(start, start + length)
