"""The options of proposals without a network (`dss.review.proposals`)."""

from functools import partial
from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator

from dss.options.base import Options, option

proposal_option = partial(option, group="Proposals")


class ProposeOptions(Options):
    """How song is found without a network (`dss.review.proposals.propose`)."""

    threshold_db: float | None = proposal_option(
        None,
        "Threshold",
        "How much louder than the noise song must be. By default, each recording gets the lowest "
        "threshold at which onsets and offsets hardly move when it rises by a few dB.",
        unit="dB",
        gt=0,
        le=200,
    )
    kind: Literal["segment", "event"] = proposal_option(
        "segment",
        "Kind of song",
        "Propose segments, with an onset and an offset, or events, at peaks of the loudness.",
    )
    song_type: str = proposal_option(
        "song", "Name", "The name that all proposals get until you rename them.", min_length=1
    )
    fill_seconds: float = proposal_option(
        0.003, "Fill gaps", "Fill gaps shorter than this.", unit="s", ge=0
    )
    min_seconds: float | None = proposal_option(
        None,
        "Shortest",
        "Leave out segments shorter than this. By default, a quarter of the typical "
        "duration of sounds in the recording, from 10 to 20 ms.",
        unit="s",
        ge=0,
    )
    max_seconds: float | None = proposal_option(
        None, "Longest", "Leave out segments longer than this.", unit="s", gt=0
    )
    event_distance_seconds: float = proposal_option(
        0.01,
        "Distance of events",
        "The shortest time between two events; of events that are closer together, only the "
        "loudest is kept.",
        unit="s",
        gt=0,
    )
    lowest_hz: float = proposal_option(
        0, "Lowest frequency", "Ignore lower frequencies.", unit="Hz", ge=0
    )
    highest_hz: float | None = proposal_option(
        None, "Highest frequency", "Ignore higher frequencies.", unit="Hz", gt=0
    )
    save_dir: Path | None = option(
        None,
        "Save folder",
        "Where to save the annotations. Defaults to the folder of each recording.",
        group="Files",
        path="folder",
    )

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.highest_hz is not None and self.highest_hz <= self.lowest_hz:
            raise ValueError("highest_hz should be above lowest_hz")
        if self.max_seconds is not None and self.max_seconds < (self.min_seconds or 0):
            raise ValueError("max_seconds should be at least min_seconds")
        return self
