"""Annotate live: audio comes in block by block, from a sound card, and annotations go out."""

from pathlib import Path
from typing import Unpack

import numpy as np
import pandas as pd

from dss import models
from dss.data.audio import as_float
from dss.errors import DssError
from dss.options import DetectOptions, takes_options
from dss.options.arguments import DetectArguments
from dss.predict.confidence import calibration_of
from dss.predict.detection import Detector, no_annotations_found, with_run_options
from dss.runs import Run, open_run

# Blocks overlap by the receptive field: the shorter they are, the more is computed twice.
SHORTEST_BLOCK_SECONDS = 0.02


class Stream:
    """Annotates audio block by block, with the same results as `dss.predict.predict`.

    An annotation is returned as soon as nothing that follows can change it: at most `delay_seconds`
    after the end of an event or of a stretch of song, plus computing time. Most of this delay is
    the receptive field and half of the background window, or three quarters with
    `pre_relative_floor`: a run with fewer `dilations` and a shorter `pre_background` responds
    faster::

        stream = Stream(run)
        for block in sound_card:  # [samples, channels], of any length
            act_on(stream.add(block))
        act_on(stream.end())

    Attributes:
        samplerate_hz: the sample rate that the blocks must have.
        delay_seconds: the longest audio, in seconds, that must follow before an annotation is
            returned.
    """

    @takes_options
    def __init__(
        self,
        run: str | Path | Run,
        *,
        options: DetectOptions | None = None,
        **named: Unpack[DetectArguments],
    ):
        """Prepare the network, which takes a few seconds.

        Arguments:
            run: the trunk of a run's files, any of them, their folder, or a `dss.runs.Run`.

        Raises: DssError if the run cannot be read.
        """
        options = DetectOptions.given(options, named)
        run = open_run(run)
        options = with_run_options(options, run.params)
        self.samplerate_hz = run.samplerate_hz
        self._n_channels = run.params["nb_channels"]
        reach = models.reach(run.options)
        shortest = round(SHORTEST_BLOCK_SECONDS * run.samplerate_hz)
        self._network = run.network(1 if reach is None else max(reach // 4, shortest))
        self._detector = Detector(
            run.song_types, run.samplerate_hz, options, calibration_of(run.params, run.trunk)
        )
        self._n_samples, self._n_done = 0, self._network.first_sample
        before = self._network.padding - self._network.first_sample
        self._audio = np.zeros((before, self._n_channels), np.float32)
        chunk = self._network.stride + self._network.padding
        self.delay_seconds = chunk / run.samplerate_hz + self._detector.delay_seconds
        self._network.block(np.zeros((self._network.nb_hist, self._n_channels), np.float32))

    def add(self, block: np.ndarray) -> pd.DataFrame:
        """Process the next block of audio [samples, channels] or [samples]: floats in -1..1, or
        integers of a sound card, such as int16.

        Returns: the annotations that are now certain, in seconds since the very first sample: name,
            start_seconds, stop_seconds and confidence.
        Raises: DssError if the number of channels differs from the network's, or the block is not
            audio.
        """
        block = audio_array(block, "the block")
        if block.shape[1] != self._n_channels:
            raise DssError(
                f"the block: has {block.shape[1]} channels, but the network was trained with "
                f"{self._n_channels}"
            )
        self._n_samples += len(block)
        return self._advance(as_float(block) if len(block) else block)

    def end(self) -> pd.DataFrame:
        """Return the remaining annotations, once no more audio follows."""
        silence = np.zeros((2 * self._network.nb_hist, self._n_channels), np.float32)
        return _joined([self._advance(silence), self._detector.end()])

    def _advance(self, block: np.ndarray) -> pd.DataFrame:
        """Annotate all chunks that this block of audio completes."""
        network = self._network
        self._audio = np.concatenate([self._audio, block.astype(np.float32)])
        tables = []
        while len(self._audio) >= network.nb_hist and self._n_done < self._n_samples:
            p = network.block(self._audio[: network.nb_hist])
            within = slice(max(-self._n_done, 0), self._n_samples - self._n_done)
            tables.append(self._detector.add(p[within]))
            self._n_done += network.stride
            self._audio = self._audio[network.stride :]
        return _joined(tables)


def audio_array(x: np.ndarray, what: str) -> np.ndarray:
    """Convert audio in memory to [samples, channels], keeping its type (`dss.data.audio.as_float`).

    Raises: DssError, which names `what`, unless it contains numbers on a known scale.
    """
    is_known = x.dtype.kind == "f" or (x.dtype.kind in "iu" and x.dtype.itemsize < 8)
    if not is_known or x.ndim not in (1, 2):
        raise DssError(
            f"{what}: is {x.dtype} with shape {x.shape}; it should be [samples, channels] of "
            "floats from -1 to 1, or of integers of a recorder, such as int16"
        )
    return x[:, None] if x.ndim == 1 else x


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([no_annotations_found(), *tables], ignore_index=True)
