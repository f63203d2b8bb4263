"""The options of proposals without a network (`dss.review.proposals`)."""

from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator

from dss.options.base import Options, option


class ProposeOptions(Options):
    """What counts as song where no network says so (`dss.review.proposals.propose`)."""

    threshold_db: float | None = option(
        None,
        "Threshold",
        "Song is louder than the noise by so many dB. Chosen from each recording if not given: "
        "where onsets and offsets move least when it changes.",
        unit="dB",
        group="Proposals",
        gt=0,
        le=200,
    )
    kind: Literal["segment", "event"] = option(
        "segment",
        "Kind of song",
        "Propose segments, from onset to offset, or events, where the sound is loudest.",
        group="Proposals",
    )
    song_type: str = option(
        "song",
        "Name",
        "The name of all proposals, until you give them others.",
        group="Proposals",
        min_length=1,
    )
    fill_seconds: float = option(
        0.003, "Fill gaps", "Shorter gaps in song are filled.", unit="s", group="Proposals", ge=0
    )
    min_seconds: float = option(
        0.01, "Shortest", "Shorter segments are left out.", unit="s", group="Proposals", ge=0
    )
    max_seconds: float | None = option(
        None, "Longest", "Longer segments are left out.", unit="s", group="Proposals", gt=0
    )
    event_distance_seconds: float = option(
        0.01,
        "Distance of events",
        "Events are at least so far apart; of nearer ones the loudest counts.",
        unit="s",
        group="Proposals",
        gt=0,
    )
    lowest_hz: float = option(
        0, "Lowest frequency", "What is lower does not count.", unit="Hz", group="Proposals", ge=0
    )
    highest_hz: float | None = option(
        None,
        "Highest frequency",
        "What is higher does not count.",
        unit="Hz",
        group="Proposals",
        gt=0,
    )
    save_dir: Path | None = option(
        None,
        "Save in",
        "Where the annotations go. Defaults to the folders of the recordings.",
        group="Files",
        path="folder",
    )

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.highest_hz is not None and self.highest_hz <= self.lowest_hz:
            raise ValueError("highest_hz should be above lowest_hz")
        if self.max_seconds is not None and self.max_seconds < self.min_seconds:
            raise ValueError("max_seconds should be at least min_seconds")
        return self
