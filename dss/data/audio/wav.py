"""Headers of wav files that do not match the file, as left by recorders that were switched off.

http://soundfile.sapp.org/doc/WaveFormat, and EBU Tech 3306 for files above 4 GB.
"""

import io
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from dss.data import fixes
from dss.data.audio import mp3
from dss.data.audio.chunks import WAV, are_chunks_from, chunks_from
from dss.errors import DssError
from dss.support.units import readable

# The name of a format in libsndfile, by its number in the header and its bits per sample.
SUBTYPES = {
    (1, 8): "PCM_U8",
    (1, 16): "PCM_16",
    (1, 24): "PCM_24",
    (1, 32): "PCM_32",
    (3, 32): "FLOAT",
    (3, 64): "DOUBLE",
    (6, 8): "ALAW",
    (7, 8): "ULAW",
}
EXTENSIBLE = 0xFFFE
WRAP = 2**32  # sizes are 32-bit numbers


class Wav(NamedTuple):
    """The contents of a header, and where in the file the samples are (bytes)."""

    format: int
    bits: int
    n_channels: int
    samplerate_hz: int
    bytes_per_second: int
    frame_bytes: int
    start: int
    claimed: int
    size: int
    has_tag: bool

    @property
    def subtype(self) -> str | None:
        """The format as libsndfile calls it; None if samples have no fixed size."""
        return SUBTYPES.get((self.format, self.bits))


def true_length(path: Path) -> tuple[Wav, int] | None:
    """The number of frames in a wav file whose header claims no samples, or 4 GB too few.

    A header that claims more samples than the file has is only noted: libsndfile reads what is
    there.

    Returns: the header and the number of frames; None if libsndfile reads the file as it is.
    """
    wav = read_header(path)
    if wav is not None and not wav.samplerate_hz:
        raise DssError(f"{path}: its header says a sample rate of 0 Hz; the file is damaged")
    if wav is None or wav.claimed == WRAP - 1:  # programs that write to a pipe claim the maximum
        return None
    there = wav.size - wav.start
    if wav.has_tag and wav.subtype and wav.frame_bytes and 0 < wav.claimed <= there:
        return wav, wav.claimed // wav.frame_bytes  # libsndfile would miss the end
    if wav.claimed > there:
        rate = wav.frame_bytes * wav.samplerate_hz if wav.subtype else wav.bytes_per_second
        missing = f"{readable((wav.claimed - there) / rate)} are missing" if rate else "truncated"
        fixes.note(path, f"ends earlier than its header says: {missing}; the rest was read")
        return None
    with path.open("rb") as file:
        is_empty = wav.claimed == 0 and there > 0 and not are_chunks_from(wav.start, file, WAV)
    n_wrapped = (there - wav.claimed) // WRAP
    if not (is_empty or n_wrapped) or wav.subtype is None or not wav.frame_bytes:
        return None
    length = there if is_empty else wav.claimed + n_wrapped * WRAP
    n_frames = length // wav.frame_bytes
    seconds = readable(n_frames / wav.samplerate_hz)
    fixes.note(
        path, f"its header says {wav.claimed} bytes of audio, but {seconds} were found and read"
    )
    return (wav, n_frames) if n_frames else None


def read_header(path: Path) -> Wav | None:
    """The header of a wav file with samples; None if it is something else."""
    size = path.stat().st_size
    with path.open("rb") as file:
        n_tag = mp3.tag_bytes(file.read(mp3.TAG_BYTES))  # some programs put one before a wav file
        file.seek(n_tag)
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return None
        form = None
        for name, (start, claimed) in chunks_from(n_tag + WAV.first, file, WAV):
            if name in WAV.samples:
                return form and Wav(*form, start, claimed, size, n_tag > 0)
            if name == b"fmt ":
                file.seek(start)
                form = _format(file.read(min(claimed, 40)))
    return None


def read_frames(path: Path, wav: Wav, start: int, stop: int) -> np.ndarray:
    """Read samples of a file with a wrong header, to before `stop`: [samples, channels] float32."""
    with path.open("rb") as file:
        file.seek(wav.start + start * wav.frame_bytes)
        content = file.read((stop - start) * wav.frame_bytes)
    x, _ = soundfile.read(
        io.BytesIO(content),
        dtype="float32",
        always_2d=True,
        samplerate=wav.samplerate_hz,
        channels=wav.n_channels,
        format="RAW",
        subtype=wav.subtype,
        endian="LITTLE",
    )
    return x


def _format(content: bytes) -> tuple[int, int, int, int, int, int] | None:
    if len(content) < 16:
        return None
    number, n_channels, rate, per_second, frame_bytes, bits = struct.unpack_from("<HHIIHH", content)
    if number == EXTENSIBLE and len(content) >= 26:
        number = struct.unpack_from("<H", content, 24)[0]
    return number, bits, n_channels, rate, per_second, frame_bytes
