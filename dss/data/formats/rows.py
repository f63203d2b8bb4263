"""Annotations as plain rows, as the writers of other formats need them."""

from collections.abc import Iterable, Iterator

from dss.errors import DssError

MOST_LANES = 100
Row = tuple[str, float, float]  # name, start, stop


def in_order(rows: Iterable[Row]) -> list[Row]:
    """The rows sorted by start."""
    return sorted(rows, key=lambda row: row[1])


def in_samples(rows: Iterable[Row], samplerate_hz: float) -> Iterator[tuple[str, int, int]]:
    """The rows with times in samples; a segment lasts at least one, or it would be an event."""
    for name, start, stop in rows:
        first, last = round(start * samplerate_hz), round(stop * samplerate_hz)
        yield name, first, max(last, first + (stop > start))


def lanes(rows: list[Row]) -> list[list[Row]]:
    """Distribute sorted annotations over as few lists as possible without overlaps in any list.

    Raises: DssError for more lists than any program shows.
    """
    lanes: list[list[Row]] = []
    for row in rows:
        _, start, stop = row
        is_free = (lane[-1][2] < start or (lane[-1][2] == start and stop > start) for lane in lanes)
        place = next((i for i, free in enumerate(is_free) if free), len(lanes))
        if place == MOST_LANES:
            raise DssError(f"more than {MOST_LANES} annotations overlap at {row[1]:g} s")
        lanes[place:] = lanes[place:] or [[]]
        lanes[place].append(row)
    return lanes
