"""Which names song types can have, and which names mark that there is none."""

from typing import Annotated

from pydantic import AfterValidator

NOISE = "noise"
ABSENT = "not_"  # a row named not_x says that x does not occur in this stretch


def checked_song_type(name: str) -> str:
    """The same name, or a ValueError if it cannot be that of a song type."""
    if not name.strip():
        raise ValueError("the name of a song type")
    if name == NOISE or name.startswith(ABSENT):
        raise ValueError(
            f"the name of a song type; {NOISE}, and names that begin with {ABSENT}, mark where "
            "there is none"
        )
    return name


SongTypeName = Annotated[str, AfterValidator(checked_song_type)]
