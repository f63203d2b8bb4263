"""The XML of the BirdsongRecognition dataset: one file for many recordings, with times in samples.

Koumura & Okanoya (2016), doi:10.1371/journal.pone.0159188. A recording has sequences, and each of
them notes, whose positions count from the start of the sequence.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path, PureWindowsPath
from xml.etree import ElementTree

from dss.data.formats.rows import Row, in_order, in_samples
from dss.data.formats.xml_formats import number, parse_xml, write_xml
from dss.data.text_files import read_text

KOUMURA = "birdsong-recognition-dataset"
WHAT = "a file of the BirdsongRecognition dataset"


def read_koumura(text: str, path: Path) -> dict[str, list[Row]]:
    """The notes of each recording, by its file name: name, first and last sample.

    Raises: DssError if it is not such a file, or a position is not a number.
    """
    by_recording: dict[str, list[Row]] = {}
    for sequence in parse_xml(text, path, "Sequences", WHAT).findall("Sequence"):
        recording = _recording(sequence)
        by_recording.setdefault(recording, []).extend(_notes(sequence, recording, path))
    return by_recording


def write_koumura(
    rows: Iterable[Row], path: Path, recording: Path, samplerate_hz: float, replaced: Path
) -> None:
    """Write the notes of a recording as one sequence; the other recordings stay as they are."""
    if replaced.is_file():
        root = parse_xml(read_text(replaced), replaced, "Sequences", WHAT)
    else:
        root = ElementTree.Element("Sequences")
    own = [each for each in root.findall("Sequence") if _recording(each) == recording.name]
    place = [*root].index(own[0]) if own else len(root)
    for sequence in own:
        root.remove(sequence)
    root.insert(place, _sequence(rows, recording, samplerate_hz))
    count = root.find("NumSequence")
    if count is None:
        count = ElementTree.Element("NumSequence")
        root.insert(0, count)
    count.text = str(len(root.findall("Sequence")))
    write_xml(root, path)


def _recording(sequence: ElementTree.Element) -> str:
    """The name of the recording of a sequence, without folders of any system."""
    return PureWindowsPath(sequence.findtext("WaveFileName") or "").name


def _notes(sequence: ElementTree.Element, recording: str, path: Path) -> Iterator[Row]:
    begin = number(sequence.findtext("Position"), path, f"the position of a sequence ({recording})")
    for i, note in enumerate(sequence.iter("Note"), start=1):
        of = f"of note {i} in a sequence ({recording})"
        first = begin + number(note.findtext("Position"), path, f"the position {of}")
        length = number(note.findtext("Length"), path, f"the length {of}")
        yield (note.findtext("Label") or "").strip(), first, first + length


def _sequence(rows: Iterable[Row], recording: Path, samplerate_hz: float) -> ElementTree.Element:
    notes = [*in_samples(in_order(rows), samplerate_hz)]
    begin = min((first for _, first, _ in notes), default=0)
    end = max((last for _, _, last in notes), default=0)
    sequence = ElementTree.Element("Sequence")
    _add(sequence, WaveFileName=recording.name, Position=begin, Length=end - begin)
    _add(sequence, NumNote=len(notes))
    for name, first, last in notes:
        note = ElementTree.SubElement(sequence, "Note")
        _add(note, Position=first - begin, Length=last - first, Label=name)
    return sequence


def _add(element: ElementTree.Element, **texts: object) -> None:
    for tag, text in texts.items():
        ElementTree.SubElement(element, tag).text = str(text)
