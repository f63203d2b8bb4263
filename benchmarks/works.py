"""The works that are measured: what each runs with dss, and what with the peer, DAS.

A work is a context manager that prepares what it needs, gives its tasks, and cleans up.
It raises `Skipped` if it cannot run here.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
RECORDINGS = HERE.parent.parent / "shared" / "data"  # real recordings: beside the repository


@dataclass(frozen=True)
class Task:
    """One row of the table: what stands behind `python` on the command line."""

    label: str
    dss: list[str]
    peer: list[str] | None = None  # None: only dss does this
    has_result: bool = False  # the last line that it prints belongs in the report


class Skipped(Exception):
    """Why a work cannot run here."""


@contextmanager
def imports() -> Iterator[list[Task]]:
    """Import the package; print the help of its command."""
    yield [
        Task("import", ["-c", "import dss"], ["-c", "import das"]),
        Task("--help", _command("dss", "--help"), _command("das", "--help")),
    ]


@contextmanager
def assemble() -> Iterator[list[Task]]:
    """Make a dataset of 14 recordings of a zebra finch: 175 s at 32 kHz, 6 song types."""
    folder = _recordings("zebra_finch")
    with tempfile.TemporaryDirectory() as temporary:
        yield [_assembly("assemble, 175 s", folder, Path(temporary))]


@contextmanager
def assemble_2h() -> Iterator[list[Task]]:
    """Make a dataset of one recording of 2 hours at 10 kHz, with pulses and sines."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "recordings"
        subprocess.run([sys.executable, str(HERE / "long_recording.py"), str(folder)], check=True)
        yield [_assembly("assemble, 2 h", folder, Path(temporary))]


@contextmanager
def annotate() -> Iterator[list[Task]]:
    """Annotate one recording of 30 minutes at 32 kHz, with networks of the same size."""
    yield from _annotation("annotate, 30 min", 30, with_peer=True)


@contextmanager
def annotate_songbird() -> Iterator[list[Task]]:
    """The same with the network of the preset for songbirds, as `--auto` suggests it: dss alone."""
    words = ["--preset", "songbird"]
    yield from _annotation("annotate, songbird", 30, with_peer=False, words=words)


@contextmanager
def annotate_2h() -> Iterator[list[Task]]:
    """The same with 2 hours, dss alone: memory does not grow with the length."""
    yield from _annotation("annotate, 2 h", 120, with_peer=False)


@contextmanager
def training() -> Iterator[list[Task]]:
    """Train networks of the same size for four epochs with 105 s of a zebra finch."""
    folder, script = str(_recordings("zebra_finch")), str(HERE / "training.py")
    yield [Task("training", [script, "dss", folder], [script, "das", folder], has_result=True)]


@contextmanager
def arithmetic() -> Iterator[list[Task]]:
    """How near training comes to the machine's own matrix products."""
    yield [Task("arithmetic", [str(HERE / "arithmetic.py")], has_result=True)]


@contextmanager
def fly_pulses() -> Iterator[list[Task]]:
    """Train with one person's pulses of half of a recording, and compare with two people's."""
    _recordings("fly_pulses")
    yield [Task("fly pulses", [str(HERE / "fly_pulses.py")], has_result=True)]


@contextmanager
def zebra_finch() -> Iterator[list[Task]]:
    """Train with 12 recordings of a zebra finch, annotate two others and judge: fold 0."""
    _recordings("zebra_finch")
    yield [Task("zebra finch", [str(HERE / "zebra_finch.py")], has_result=True)]


WORKS = {
    "import": imports,
    "assemble": assemble,
    "assemble_2h": assemble_2h,
    "annotate": annotate,
    "annotate_songbird": annotate_songbird,
    "annotate_2h": annotate_2h,
    "training": training,
    "arithmetic": arithmetic,
    "zebra_finch": zebra_finch,
    "fly_pulses": fly_pulses,
}


def _recordings(name: str) -> Path:
    folder = RECORDINGS / name
    if not folder.is_dir():
        raise Skipped(f"{folder} is not here")
    return folder


def _command(package: str, *arguments: str) -> list[str]:
    """What the installed command of a package runs."""
    return ["-c", f"from {package}.cli import main; main()", *arguments]


def _annotation(
    label: str, minutes: int, with_peer: bool, words: Sequence[str] = ()
) -> Iterator[list[Task]]:
    with tempfile.TemporaryDirectory() as temporary:
        script, recording = str(HERE / "annotate.py"), f"{temporary}/noise.wav"
        make = [sys.executable, script, "make", recording, "--minutes", str(minutes)]
        subprocess.run(make, check=True)
        peer = [script, "das", recording] if with_peer else None
        yield [Task(label, [script, "dss", recording, *words], peer)]


def _assembly(label: str, folder: Path, temporary: Path) -> Task:
    dss, das = (
        [str(HERE / "assemble.py"), system, str(folder), str(temporary / f"{system}.npy")]
        for system in ("dss", "das")
    )
    return Task(label, dss, das)
