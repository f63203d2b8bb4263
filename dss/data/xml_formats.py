"""Annotations in XML: layers of Sonic Visualiser (.svl) and tiers of ELAN (.eaf).

https://www.sonicvisualiser.org and the schema EAFv3.0 of https://archive.mpi.nl/tla/elan.
"""

from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

from dss.errors import DssError

Row = tuple[str, float, float]  # name, start, stop
MS = 1000


def read_svl(text: str, path: Path) -> list[Row]:
    """The points of a layer of Sonic Visualiser that have a label; with a duration, segments.

    Raises: DssError if it is no such layer, or a time is missing.
    """
    root = _parse(text, path, "sv", "a layer of Sonic Visualiser")
    rates = {model.get("dataset"): model.get("sampleRate") for model in root.iter("model")}
    rows = []
    for dataset in root.iter("dataset"):
        rate = _number(rates.get(dataset.get("id")), path, "the sample rate of a layer")
        for i, point in enumerate(dataset.iter("point"), start=1):
            name = (point.get("label") or "").strip()
            if not name or not rate:
                continue
            start = _number(point.get("frame"), path, f"the frame of point {i} ({name})")
            length = _number(point.get("duration") or "0", path, f"the duration of point {i}")
            rows.append((name, start / rate, (start + length) / rate))
    return sorted(rows, key=lambda row: row[1])


def read_elan(text: str, path: Path, tiers: list[str]) -> list[Row]:
    """The annotations of an ELAN file that have a text.

    Arguments:
        text: the content of the file.
        path: the file, for error messages.
        tiers: the names of the tiers to read; if empty, the only tier that holds anything.

    Raises: DssError if it is no such file, a time is missing, or it is not clear which tiers are
        meant.
    """
    root = _parse(text, path, "ANNOTATION_DOCUMENT", "an ELAN file")
    slots = {slot.get("TIME_SLOT_ID"): slot.get("TIME_VALUE") for slot in root.iter("TIME_SLOT")}
    there = {}
    for tier in root.iter("TIER"):
        name = tier.get("TIER_ID") or ""
        there[name] = [*_elan_rows(tier.iter("ALIGNABLE_ANNOTATION"), slots, path)]
    missing = [name for name in tiers if name not in there]
    if missing:
        raise DssError(
            f"{path}: there is no tier {missing[0]!r}, only {', '.join(map(repr, there))}"
        )
    filled = [name for name, rows in there.items() if rows]
    if not tiers and len(filled) > 1:
        raise DssError(
            f"{path}: there are {len(filled)} tiers, {', '.join(filled)}. Say which one to read, "
            f"or which ones: annotation_format elan:{filled[0]}."
        )
    return sorted((row for name in tiers or filled for row in there[name]), key=lambda r: r[1])


def _elan_rows(annotations: Iterable[ElementTree.Element], slots, path: Path) -> Iterable[Row]:
    for annotation in annotations:
        name = (annotation.findtext("ANNOTATION_VALUE") or "").strip()
        if name:
            of = f"a time of {annotation.get('ANNOTATION_ID')} ({name})"
            ends = (slots.get(annotation.get(f"TIME_SLOT_REF{i}")) for i in (1, 2))
            start, stop = (_number(end, path, of) / MS for end in ends)
            yield name, start, stop


def _parse(text: str, path: Path, root: str, what: str) -> ElementTree.Element:
    try:
        if "<!ENTITY" in text:  # which could make a small file huge
            raise ElementTree.ParseError("it defines entities")
        element = ElementTree.fromstring(text.encode())
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise DssError(f"{path}: cannot be read as {what} ({error})") from None
    if element.tag != root:
        raise DssError(f"{path}: cannot be read as {what} (it holds {element.tag})")
    return element


def _number(text: str | None, path: Path, what: str) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = float("nan")
    if not abs(value) < float("inf"):
        raise DssError(f"{path}: {what} is {text!r}, but should be a number")
    return value
