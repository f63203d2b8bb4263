"""What each form last used and made in this folder."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from dss.errors import DssError
from dss.support import yaml_files
from dss.support.files import replacing

MEMORY = Path(".dss_forms.yaml")


def remembered(name: str | None) -> dict[str, Any]:
    """The values with which the form of this name last ran here; empty if it never did."""
    return _values(name or "")


def chosen(name: str | None) -> dict[str, Any]:
    """The values that you last chose, as opposed to the initial values of a notebook."""
    return _values(f"{name} chosen")


def last_result(name: str | None) -> Path | None:
    """The last result, if it still exists: a dataset, or the trunk of a run."""
    path = Path(_read().get(f"{name} result", "nothing"))
    # Of a run, all files begin with this name.
    return path if any(path.parent.glob(f"{path.name}*")) else None


def remember(
    name: str, values: dict[str, Any], result: Any = None, *, is_chosen: bool = False
) -> None:
    """Store the values of a form, whether you chose them, and its result if it is a path."""
    kept: dict[str, Any] = {name: values}
    if is_chosen:
        kept[f"{name} chosen"] = values
    if isinstance(result, Path):
        kept[f"{name} result"] = str(result)
    with suppress(DssError, OSError), replacing(MEMORY) as part:  # or nothing is remembered
        part.write_text(yaml.safe_dump(_read() | kept, sort_keys=False), encoding="utf-8")


def _values(key: str) -> dict[str, Any]:
    values = _read().get(key)
    return values if isinstance(values, dict) else {}  # edited by hand


def _read() -> dict[str, Any]:
    with suppress(DssError):
        kept = yaml_files.read(MEMORY)
        return kept if isinstance(kept, dict) else {}
    return {}
