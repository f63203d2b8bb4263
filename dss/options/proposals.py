"""The options of proposals without a network (`dss.review.proposals`)."""

from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator

from dss.options.base import Options, option


class ProposeOptions(Options):
    """How song is found without a network (`dss.review.proposals.propose`)."""

    threshold_db: float | None = option(
        None,
        "Threshold",
        "How much louder than the noise song must be. By default, each recording gets the lowest "
        "threshold at which onsets and offsets hardly move when it rises by a few dB.",
        unit="dB",
        group="Proposals",
        gt=0,
        le=200,
    )
    kind: Literal["segment", "event"] = option(
        "segment",
        "Kind of song",
        "Propose segments, with an onset and an offset, or events, at peaks of the loudness.",
        group="Proposals",
    )
    song_type: str = option(
        "song",
        "Name",
        "The name that all proposals get until you rename them.",
        group="Proposals",
        min_length=1,
    )
    fill_seconds: float = option(
        0.003, "Fill gaps", "Fill gaps shorter than this.", unit="s", group="Proposals", ge=0
    )
    min_seconds: float | None = option(
        None,
        "Shortest",
        "Leave out segments shorter than this. By default, a quarter of the typical "
        "duration of sounds in the recording, from 10 to 20 ms.",
        unit="s",
        group="Proposals",
        ge=0,
    )
    max_seconds: float | None = option(
        None, "Longest", "Leave out segments longer than this.", unit="s", group="Proposals", gt=0
    )
    event_distance_seconds: float = option(
        0.01,
        "Distance of events",
        "The shortest time between two events; of events that are closer together, only the "
        "loudest is kept.",
        unit="s",
        group="Proposals",
        gt=0,
    )
    lowest_hz: float = option(
        0, "Lowest frequency", "Ignore lower frequencies.", unit="Hz", group="Proposals", ge=0
    )
    highest_hz: float | None = option(
        None,
        "Highest frequency",
        "Ignore higher frequencies.",
        unit="Hz",
        group="Proposals",
        gt=0,
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
