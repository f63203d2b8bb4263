"""Recordings: find the audio files of a folder, and read stretches of them as float arrays."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from dss.errors import DssError

AUDIO_ENDINGS = (".wav", ".flac", ".ogg")


@dataclass(frozen=True)
class Recording:
    """An audio file: what its header says, and its samples when they are asked for."""

    path: Path
    samplerate_hz: float
    n_samples: int
    n_channels: int

    @property
    def duration_seconds(self) -> float:
        """Length of the recording in seconds."""
        return self.n_samples / self.samplerate_hz

    def read(self, start_sample: int = 0, stop_sample: int | None = None) -> np.ndarray:
        """The samples from `start_sample` to before `stop_sample`: [samples, channels] float32.

        Integer audio is scaled to -1..1. Raises DssError where the file holds fewer samples than
        its header says, or values that are not numbers.
        """
        stop_sample = self.n_samples if stop_sample is None else min(stop_sample, self.n_samples)
        x, _ = soundfile.read(
            self.path, start=start_sample, stop=stop_sample, dtype="float32", always_2d=True
        )
        if len(x) != stop_sample - start_sample:
            raise DssError(
                f"{self.path}: the audio ends after {start_sample + len(x)} samples, but the "
                f"header says {self.n_samples}. The file is truncated: copy it again."
            )
        if not np.isfinite(x).all():
            row = start_sample + int(np.argmin(np.isfinite(x).all(axis=1)))
            raise DssError(f"{self.path}: sample {row} is not a number (NaN or infinite)")
        return x

    def blocks(self, block_samples: int) -> Iterator[tuple[int, np.ndarray]]:
        """The recording in blocks: (first sample, [up to block_samples, channels] float32)."""
        for start in range(0, self.n_samples, block_samples):
            yield start, self.read(start, start + block_samples)


def find_recordings(path: str | Path) -> list[Path]:
    """The audio files in a folder and its subfolders, sorted by path; or the one file itself.

    Hidden files and folders are left out. Raises DssError if there is no such folder, or no
    recording in it.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise DssError(f"{path}: there is no such file or folder")
    found = sorted(
        file
        for file in path.rglob("*")
        if file.suffix.lower() in AUDIO_ENDINGS
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    if not found:
        raise DssError(f"{path}: holds no recordings ({', '.join(AUDIO_ENDINGS)})")
    return found


def open_recording(path: str | Path) -> Recording:
    """Read the header of an audio file.

    Raises DssError for a file that is missing, empty, truncated, or not audio.
    """
    path = Path(path)
    if not path.is_file():
        raise DssError(f"{path}: there is no such recording")
    if path.stat().st_size == 0:
        raise DssError(f"{path}: the file is empty (0 bytes)")
    try:
        info = soundfile.info(path)
    except soundfile.LibsndfileError as error:
        raise DssError(f"{path}: cannot be read as audio ({error.error_string})") from None
    if info.frames == 0:
        raise DssError(f"{path}: holds no samples")
    _check_wav_is_whole(path)
    return Recording(path, info.samplerate, info.frames, info.channels)


def _check_wav_is_whole(path: Path) -> None:
    """libsndfile takes a truncated wav for a shorter one: compare its header with its size."""
    with path.open("rb") as file:
        head = file.read(8)
    stated = int.from_bytes(head[4:8], "little") + 8
    # Programs that write to a pipe do not know the size and leave 0 or the largest number there.
    is_stated = head[:4] == b"RIFF" and 8 < stated < 0xFFFFFFFF
    if is_stated and path.stat().st_size < stated - 1:
        raise DssError(
            f"{path}: the file is truncated: it has {path.stat().st_size} bytes, but its header "
            f"says {stated}. Copy it again."
        )
