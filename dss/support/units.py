"""Format quantities and lists as text."""

from collections.abc import Sequence


def readable(seconds: float) -> str:
    """A duration with three digits and a suitable unit: ms, s, min or h."""
    seconds = float(f"{seconds:.3g}")
    if seconds < 1:
        return _three_digits(1000 * seconds, "ms")
    if seconds < 120:
        return _three_digits(seconds, "s")
    if seconds < 7200:
        return _three_digits(seconds / 60, "min")
    return _three_digits(seconds / 3600, "h")


def clock_time(seconds: float) -> str:
    """A time in a recording, minutes:seconds."""
    minutes, milliseconds = divmod(round(1000 * seconds), 60_000)
    return f"{minutes}:{milliseconds / 1000:06.3f}"


def counted(n: int, what: str) -> str:
    """A number of things, such as `1 recording` or `2 recordings`."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def listed(values: Sequence[object], most: int = 3) -> str:
    """The first few of many values: `3, 5, 9 and 12 more`."""
    more = len(values) - most
    return ", ".join(map(str, values[:most])) + (f" and {more:,} more" if more > 0 else "")


def _three_digits(value: float, unit: str) -> str:
    return f"{float(f'{value:.3g}'):g} {unit}"
