"""Annotations as plain rows, as the writers of other formats need them."""

from collections.abc import Iterable, Iterator

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
    """Distribute sorted annotations over as few lists as possible without overlaps in any list."""
    lanes: list[list[Row]] = []
    for row in rows:
        _, start, stop = row
        is_free = (lane[-1][2] < start or (lane[-1][2] == start and stop > start) for lane in lanes)
        place = next((i for i, free in enumerate(is_free) if free), len(lanes))
        lanes[place:] = lanes[place:] or [[]]
        lanes[place].append(row)
    return lanes
