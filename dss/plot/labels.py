"""Legends and names that fit: in as many columns as there is space for, long names cut."""

from collections.abc import Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.figure import Figure, FigureBase
from matplotlib.patches import Patch

from dss.plot.figure import ROW_INCHES

LEGEND_LINE_INCHES = 0.2
LETTER_INCHES = 0.077  # per letter at font size 9
UNKNOWN: dict[str, Any] = {"fc": "#ffffff66", "ec": "#a0a0a0", "hatch": "///", "lw": 0}


def draw_legend(figure: FigureBase, names: list[str], colors, with_unknown: bool) -> int:
    """Draw names and colours below the figure: at most 60, in as many columns as fit.

    Returns: the number of lines.
    """
    handles = [Patch(color=colors[name], label=name) for name in names[:60]]
    if len(names) > 60:
        handles.append(Patch(alpha=0, label=f"+ {len(names) - 60}"))
    if with_unknown:
        handles.append(Patch(label="not annotated", **UNKNOWN))
    return _put_legend(figure, handles, ROW_INCHES, loc="lower center") if handles else 0


def legend_below(figure: Figure, handles: Sequence[Artist], title: str | None = None) -> None:
    """Make a figure taller, and put a legend there, with as many columns as fit."""
    width, height = figure.get_size_inches()
    n_lines = _put_legend(figure, handles, width, loc="outside lower center", title=title)
    n_lines += title is not None
    figure.set_size_inches(width, height + LEGEND_LINE_INCHES * n_lines + 0.1)


def _put_legend(figure: FigureBase, handles: Sequence[Artist], inches: float, **look) -> int:
    """Draw a legend of at most this width. Returns: the number of lines."""
    longest = max(len(str(handle.get_label())) for handle in handles)
    n_columns = max(1, int(inches / (LETTER_INCHES * longest + 0.6)))
    look |= {"ncols": n_columns, "handlelength": 1.2, "fontsize": 9, "borderaxespad": 0.2}
    figure.legend(handles=handles, **look)
    return -(-len(handles) // n_columns)


def shortened(name: str, n_letters: int = 22) -> str:
    """Cut the middle out of long names: their beginnings and ends distinguish them."""
    if len(name) <= n_letters:
        return name
    n_last = (n_letters - 1) // 2
    return f"{name[: n_letters - 1 - n_last]}…{name[-n_last:]}"


def ending_of(name: str, n_letters: int) -> str:
    """Cut off the beginning of the long name of a file, which says less than its end."""
    return name if len(name) <= n_letters else f"…{name[1 - n_letters :]}"
