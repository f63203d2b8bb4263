"""Format quantities as text."""


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


def _three_digits(value: float, unit: str) -> str:
    return f"{float(f'{value:.3g}'):g} {unit}"
