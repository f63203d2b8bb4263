"""Annotations in XML: layers of Sonic Visualiser (.svl) and tiers of ELAN (.eaf).

See https://www.sonicvisualiser.org and the schema EAFv3.0 of https://archive.mpi.nl/tla/elan.
"""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

from dss.data.formats.rows import Row, in_order, in_samples, lanes
from dss.data.formats.textgrid import rows_of_tiers
from dss.errors import DssError

MS = 1000
EXACT = "dss:"  # prefix of properties with exact times


def read_svl(text: str, path: Path) -> list[Row]:
    """Read the labelled points of a layer of Sonic Visualiser; points with a duration are segments.

    Raises: DssError if it is not such a layer, or a time is missing.
    """
    root = parse_xml(text, path, "sv", "a layer of Sonic Visualiser")
    rates = {model.get("dataset"): model.get("sampleRate") for model in root.iter("model")}
    rows = []
    for dataset in root.iter("dataset"):
        rate = number(rates.get(dataset.get("id")), path, "the sample rate of a layer")
        for i, point in enumerate(dataset.iter("point"), start=1):
            name = (point.get("label") or "").strip()
            if not name or not rate:
                continue
            start = number(point.get("frame"), path, f"the frame of point {i} ({name})")
            length = number(point.get("duration") or "0", path, f"the duration of point {i}")
            rows.append((name, start / rate, (start + length) / rate))
    return in_order(rows)


def read_elan(text: str, path: Path, tiers: list[str]) -> list[Row]:
    """Read the annotations in these tiers of an ELAN file that have a text (see `rows_of_tiers`).

    Raises: DssError if it is not such a file, a time is missing, or it is unclear which tiers to
        read.
    """
    root = parse_xml(text, path, "ANNOTATION_DOCUMENT", "an ELAN file")
    exact = {entry.get("NAME"): entry.text for entry in root.iter("PROPERTY")}
    slots = {slot.get("TIME_SLOT_ID"): slot.get("TIME_VALUE") for slot in root.iter("TIME_SLOT")}
    there = []
    for tier in root.iter("TIER"):
        rows = [*_elan_rows(tier.iter("ALIGNABLE_ANNOTATION"), slots, exact, path)]
        there.append((tier.get("TIER_ID") or "", rows))
    return rows_of_tiers(there, tiers, path, "elan")


def write_svl(rows: Iterable[Row], path: Path, samplerate_hz: float) -> None:
    """Write annotations as a layer of Sonic Visualiser: regions, or instants if all are events."""
    frames = [*in_samples(in_order(rows), samplerate_hz)]
    regions = any(last > first for _, first, last in frames)
    root = ElementTree.Element("sv")
    data = ElementTree.SubElement(root, "data")
    dimensions = "3" if regions else "1"
    model = {"id": "1", "name": "", "sampleRate": f"{samplerate_hz:.15g}", "type": "sparse"}
    model |= {"start": str(min((first for _, first, _ in frames), default=0))}
    model |= {"end": str(max((last for _, _, last in frames), default=0)), "dimensions": dimensions}
    model |= {"resolution": "1", "notifyOnAdd": "true", "dataset": "0"}
    if regions:
        model |= {"subtype": "region", "minimum": "0", "maximum": "0", "units": ""}
    ElementTree.SubElement(data, "model", model)
    dataset = ElementTree.SubElement(data, "dataset", {"id": "0", "dimensions": dimensions})
    for name, first, last in frames:
        point = {"frame": str(first), "label": name}
        if regions:
            point |= {"value": "0", "duration": str(last - first)}
        ElementTree.SubElement(dataset, "point", point)
    layer = {"id": "2", "type": "regions" if regions else "timeinstants", "model": "1"}
    display = ElementTree.SubElement(root, "display")
    ElementTree.SubElement(display, "layer", layer | {"name": "Annotations", "visible": "true"})
    write_xml(root, path, "<!DOCTYPE sonic-visualiser>\n")


def write_elan(rows: Iterable[Row], path: Path) -> None:
    """Write annotations as tiers of ELAN without overlaps.

    ELAN counts whole milliseconds, and an annotation lasts at least one; the exact times are stored
    in properties of the document.
    """
    shown = [(i, *row, *_in_ms(*row[1:])) for i, row in enumerate(in_order(rows))]
    head = {"AUTHOR": "", "DATE": "2000-01-01T00:00:00+00:00", "FORMAT": "3.0", "VERSION": "3.0"}
    root = ElementTree.Element("ANNOTATION_DOCUMENT", head)
    units = {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"}
    header = ElementTree.SubElement(root, "HEADER", units)
    times = ElementTree.SubElement(root, "TIME_ORDER")
    for i, _, start, stop, *in_ms in shown:
        exact = ElementTree.SubElement(header, "PROPERTY", {"NAME": f"{EXACT}a{i + 1}"})
        exact.text = f"{start:.6f} {stop:.6f}"
        for at, value in enumerate(in_ms, start=2 * i + 1):
            slot = {"TIME_SLOT_ID": f"ts{at}", "TIME_VALUE": str(value)}
            ElementTree.SubElement(times, "TIME_SLOT", slot)
    by_start = sorted(shown, key=lambda row: row[4])
    tiers = lanes([(str(i), start, stop) for i, *_, start, stop in by_start])
    for number, lane in enumerate(tiers or [[]], start=1):
        name = "annotations" + f" {number}" * (number > 1)
        named = {"TIER_ID": name, "LINGUISTIC_TYPE_REF": "default-lt"}
        tier = ElementTree.SubElement(root, "TIER", named)
        for i in (int(index) for index, _, _ in lane):
            one = ElementTree.SubElement(tier, "ANNOTATION")
            slots = {f"TIME_SLOT_REF{end}": f"ts{2 * i + end}" for end in (1, 2)}
            own = {"ANNOTATION_ID": f"a{i + 1}", **slots}
            aligned = ElementTree.SubElement(one, "ALIGNABLE_ANNOTATION", own)
            ElementTree.SubElement(aligned, "ANNOTATION_VALUE").text = shown[i][1]
    kind = {"LINGUISTIC_TYPE_ID": "default-lt", "TIME_ALIGNABLE": "true"}
    kind |= {"GRAPHIC_REFERENCES": "false"}
    ElementTree.SubElement(root, "LINGUISTIC_TYPE", kind)
    write_xml(root, path)


def _in_ms(start: float, stop: float) -> tuple[int, int]:
    """The times that ELAN shows for an annotation."""
    first = max(round(start * MS), 0)
    return first, max(round(stop * MS), first + 1)


def _elan_rows(
    annotations: Iterable[ElementTree.Element], slots, exact, path: Path
) -> Iterable[Row]:
    for annotation in annotations:
        name = (annotation.findtext("ANNOTATION_VALUE") or "").strip()
        if name:
            of = f"a time of {annotation.get('ANNOTATION_ID')} ({name})"
            ends = (slots.get(annotation.get(f"TIME_SLOT_REF{i}")) for i in (1, 2))
            start, stop = (number(end, path, of) for end in ends)
            yield name, *_exact(exact.get(f"{EXACT}{annotation.get('ANNOTATION_ID')}"), start, stop)


def _exact(stated: str | None, start: float, stop: float) -> tuple[float, float]:
    """The times in seconds from `write_elan`, unless somebody has moved them since (in ms)."""
    with suppress(ValueError):
        first, last = (float(time) for time in (stated or "").split())
        if abs(last) < float("inf") and _in_ms(first, last) == (start, stop):
            return first, last
    return start / MS, stop / MS


def write_xml(root: ElementTree.Element, path: Path, doctype: str = "") -> None:
    """Write a document."""
    ElementTree.indent(root)
    text = ElementTree.tostring(root, "unicode")
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    path.write_bytes(f"{head}{doctype}{text}\n".encode())


def parse_xml(text: str, path: Path, root: str, what: str) -> ElementTree.Element:
    """The root of a document.

    Raises: DssError if it is not `what`, with a root of this name, or defines entities.
    """
    try:
        if "<!ENTITY" in text:  # could make a small file huge
            raise ElementTree.ParseError("it defines entities")
        element = ElementTree.fromstring(text.encode())
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise DssError(f"{path}: cannot be read as {what} ({error})") from None
    if element.tag != root:
        raise DssError(f"{path}: cannot be read as {what} (it contains {element.tag})")
    return element


def number(text: str | None, path: Path, what: str) -> float:
    """A number in a document; raises a DssError for anything else."""
    try:
        value = float(text or "")
    except ValueError:
        value = float("nan")
    if not abs(value) < float("inf"):
        raise DssError(f"{path}: {what} is {text!r}, but should be a number")
    return value
