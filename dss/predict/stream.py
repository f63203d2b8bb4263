"""Annotate live: blocks of audio in, as they come from a sound card, annotations out."""

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
from dss.predict.detection import Detector, nothing_found, tuned
from dss.runs import Run, open_run

# Blocks overlap by what the filters reach: the shorter they are, the more is computed twice.
SHORTEST_BLOCK_SECONDS = 0.02


class Stream:
    """Annotate audio block by block; the same annotations as `dss.predict.predict` gives.

    An annotation comes as soon as nothing that follows can change it: `delay_seconds` after the
    end of an event, or of a stretch of song, at the latest, and the time that the computer takes.
    Most of that is what the filters reach, and half of the background: a run with fewer
    `dilations` and a shorter `pre_background` answers sooner::

        stream = Stream(run)
        for block in sound_card:  # [samples, channels], of any length
            act_on(stream.add(block))
        act_on(stream.end())

    Attributes:
        samplerate_hz: the sample rate that the blocks must have.
        delay_seconds: the seconds of audio that must follow, at most, until an annotation comes.
    """

    @takes_options
    def __init__(
        self,
        run: str | Path | Run,
        *,
        options: DetectOptions | None = None,
        **named: Unpack[DetectArguments],
    ):
        """Make the network ready, which takes a few seconds.

        Arguments:
            run: the trunk of a run's files, any one of them, or what `dss.runs.load_run` gave.

        Raises: DssError if the run cannot be read.
        """
        options = DetectOptions.given(options, named)
        run = open_run(run)
        options = tuned(options, run.params)
        self.samplerate_hz = run.samplerate_hz
        self._n_channels = run.params["nb_channels"]
        reach = models.reach(run.options)
        shortest = round(SHORTEST_BLOCK_SECONDS * run.samplerate_hz)
        self._network = run.network(1 if reach is None else max(reach // 4, shortest))
        self._detector = Detector(
            run.song_types, run.samplerate_hz, options, calibration_of(run.params)
        )
        self._n_samples, self._n_done = 0, self._network.first_sample
        before = self._network.padding - self._network.first_sample
        self._audio = np.zeros((before, self._n_channels), np.float32)
        chunk = self._network.stride + self._network.padding
        self.delay_seconds = chunk / run.samplerate_hz + self._detector.delay_seconds
        self._network.block(np.zeros((self._network.nb_hist, self._n_channels), np.float32))

    def add(self, block: np.ndarray) -> pd.DataFrame:
        """Take the next block of audio [samples, channels] or [samples]: floats in -1..1, or the
        integers of a sound card, such as int16.

        Returns: the annotations that are certain now, in seconds since the first sample of all:
            name, start_seconds, stop_seconds and confidence.
        Raises: DssError if the number of channels is not that of the network, or it is not audio.
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
        """The annotations that waited for more audio, when none comes."""
        silence = np.zeros((2 * self._network.nb_hist, self._n_channels), np.float32)
        return _joined([self._advance(silence), self._detector.end()])

    def _advance(self, block: np.ndarray) -> pd.DataFrame:
        """Annotate all chunks that are complete with this block of audio."""
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
    """Audio in memory as [samples, channels], of the type it has: see `dss.data.audio.as_float`.

    Raises: DssError, which names `what`, for anything but numbers of a scale that is known.
    """
    is_known = x.dtype.kind == "f" or (x.dtype.kind in "iu" and x.dtype.itemsize < 8)
    if not is_known or x.ndim not in (1, 2):
        raise DssError(
            f"{what}: is {x.dtype} of the shape {x.shape}; it should be [samples, channels] of "
            "floats from -1 to 1, or of the integers of a recorder, such as int16"
        )
    return x[:, None] if x.ndim == 1 else x


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    tables = [table for table in tables if len(table)]
    return pd.concat(tables, ignore_index=True) if tables else nothing_found()
