"""The options of proposals without a network (`dss.review.proposals`)."""

from functools import partial
from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator

from dss.options.base import Options, option
from dss.options.song_type_names import SongTypeName

proposal_option = partial(option, group="Proposals")


class ProposeOptions(Options):
    """How song is found without a network (`dss.review.proposals.propose`)."""

    threshold_db: float | None = proposal_option(None, "Threshold", unit="dB", gt=0, le=200)
    """How much louder than the noise song must be. By default, each recording gets the lowest
    threshold at which onsets and offsets hardly move when it rises by a few dB."""
    kind: Literal["segment", "event"] = proposal_option("segment", "Kind of song")
    """Propose segments, with an onset and an offset, or events, at peaks of the loudness."""
    song_type: SongTypeName = proposal_option("song", "Name")
    """The name that all proposals get until you rename them."""
    fill_seconds: float = proposal_option(0.003, "Fill gaps", unit="s", ge=0)
    """Fill gaps shorter than this."""
    min_seconds: float | None = proposal_option(None, "Shortest", unit="s", ge=0)
    """Leave out segments shorter than this. By default, a quarter of the typical duration of sounds
    in the recording, from 10 to 20 ms."""
    max_seconds: float | None = proposal_option(None, "Longest", unit="s", gt=0)
    """Leave out segments longer than this."""
    event_distance_seconds: float = proposal_option(0.01, "Distance of events", unit="s", gt=0)
    """The shortest time between two events; of events that are closer together, only the loudest is
    kept."""
    lowest_hz: float = proposal_option(0, "Lowest frequency", unit="Hz", ge=0)
    """Ignore lower frequencies."""
    highest_hz: float | None = proposal_option(None, "Highest frequency", unit="Hz", gt=0)
    """Ignore higher frequencies."""
    save_dir: Path | None = option(None, "Save folder", group="Files", path="folder")
    """Where to save the annotations. Defaults to the folder of each recording."""

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.highest_hz is not None and self.highest_hz <= self.lowest_hz:
            raise ValueError("highest_hz should be above lowest_hz")
        if self.max_seconds is not None and self.max_seconds < (self.min_seconds or 0):
            raise ValueError("max_seconds should be at least min_seconds")
        return self
