"""Two-fold cross-validation: annotate each half with a network that learned from the other."""

import tempfile
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from dss.data.annotations import occurrences
from dss.data.assembly import plan_splits, write_dataset
from dss.data.corpus import Corpus, Source
from dss.data.splits import Stretch, halved
from dss.data.stretches import intersection
from dss.data.text_tables import TIMES
from dss.errors import DssError, DssWarning
from dss.options import DatasetOptions, PredictOptions
from dss.predict.confidence import calibration_of
from dss.predict.detection import detect, with_run_options
from dss.predict.recording import probability_blocks
from dss.runs import Run, load_run
from dss.support.progress import bar, quiet, say
from dss.support.units import counted
from dss.train.training import train

FRAME_SECONDS = 0.001  # resolution of the stored probabilities: finer than people annotate
FEWEST = 20  # annotations in each half
FEWEST_OF_TYPE = 3  # so that the network of a half knows the song type
BLOCKS = 30  # blocks to deal out from a half, for training and validation
BLOCK_SECONDS = 0.5, 10.0


@dataclass(frozen=True, eq=False)
class HeldOut:
    """A recording, or a part of it, with the predictions of a network that did not learn from it.

    Attributes:
        source: its annotations, with times from its own start.
        start_seconds: where the part begins in the recording.
        p: [frames, classes] probabilities, float16; class 0 is noise.
        frames_hz: the frame rate.
        found: the network's annotations: name, start_seconds, stop_seconds and confidence.
        learned: the song types that the network learned.
    """

    source: Source
    start_seconds: float
    p: np.ndarray
    frames_hz: float
    found: pd.DataFrame
    learned: frozenset[str]


def predict_held_out(folder: Path, corpus: Corpus, options: DatasetOptions) -> Iterator[HeldOut]:
    """Train on each half of the recordings, and annotate the other half.

    A single recording is cut in two, or, if only parts of it are annotated, into more pieces. Each
    half gets its share of every song type.

    Arguments:
        folder: the data folder.
        corpus: the result of `dss.data.corpus.read_corpus`.
        options: the dataset options as given; their seed is used for the halves and for training.

    Raises: DssError before any training if there are too few annotations, or a half cannot be
        divided for training and validation.
    """
    halves = _halves(folder, corpus, options.seed)
    dealt = [_dealt(corpus, half, options.seed) for half in halves]
    for half in dealt:
        plan_splits(half)  # raises any error before training
    for number in (0, 1):
        learn, other = halves[number], halves[1 - number]
        n = counted(len(learn), "recording" if len(corpus.sources) > 1 else "part")
        say(f"Half {number + 1} of 2: training on {n}, then judging the other {len(other)}")
        with tempfile.TemporaryDirectory() as temporary:
            store = Path(temporary, "half.npy")
            with quiet(), warnings.catch_warnings():
                warnings.simplefilter("ignore", DssWarning)  # about data that nobody will see
                write_dataset(store, folder, dealt[number], options)
                run = load_run(train(data_dir=store, seed=options.seed, nb_members=1))
        names = pd.concat([part.annotations for part, _ in learn])["name"].value_counts()
        learned = frozenset(names.index[names >= FEWEST_OF_TYPE])
        yield from _annotated(run, other, learned)


def _halves(folder: Path, corpus: Corpus, seed: int) -> list[list[tuple[Source, float]]]:
    """Two halves of the sources, each with the second at which it begins in its recording."""
    sources = corpus.sources
    songs = [source.song(corpus.types, 0, source.name) for source in sources]
    rate = sources[0].recording.samplerate_hz
    halves = [
        [(_part(sources[s.recording], s), s.start_sample / rate) for s in half]
        for half in halved(songs, rate, seed)
    ]
    counts = [
        sum(occurrences(part.annotations)["name"].isin(corpus.types).sum() for part, _ in half)
        for half in halves
    ]
    if min(counts) < FEWEST:
        raise DssError(
            f"{folder}: one half has only {min(counts)} annotations, too few to learn from. "
            f"Annotate more: each half of the recordings, or of a single recording, needs at least "
            f"{FEWEST}."
        )
    return halves


def _dealt(corpus: Corpus, half: Sequence[tuple[Source, float]], seed: int) -> Corpus:
    """A half as a dataset, in blocks, so that validation gets its share of each song type."""
    sources = [source for source, _ in half]
    seconds = sum(source.known_seconds for source in sources)
    blocks = float(np.clip(seconds / BLOCKS, *BLOCK_SECONDS))
    options = corpus.options.model_copy(update={"block_seconds": blocks, "seed": seed})
    return replace(corpus, sources=sources, options=options)


def _part(source: Source, stretch: Stretch) -> Source:
    """A stretch of a recording as a separate source."""
    recording, first = source.recording, stretch.start_sample
    if stretch.n_samples == recording.n_samples:
        return source
    start, stop = (i / recording.samplerate_hz for i in (first, stretch.stop_sample))
    table = source.annotations
    middle = table[TIMES].mean(axis=1)
    table = table[(middle >= start) & (middle < stop)].copy()
    table[TIMES] = table[TIMES].clip(start, stop) - start
    known = source.known
    if known is not None:
        known = intersection(known, np.array([[start, stop]])) - start
    recording = replace(
        recording,
        n_samples=stretch.n_samples,
        reader=lambda a, b: source.recording.reader(first + a, first + b),
    )
    return replace(source, recording=recording, annotations=table, known=known)


def _annotated(
    run: Run, half: Sequence[tuple[Source, float]], learned: frozenset[str]
) -> Iterator[HeldOut]:
    options = with_run_options(PredictOptions(), run.params)  # all channels
    how = run.song_types, run.samplerate_hz, calibration_of(run.params, run.trunk)
    n = max(1, round(FRAME_SECONDS * run.samplerate_hz))
    seconds = sum(source.recording.duration_seconds for source, _ in half)
    with bar(total=seconds, unit="s", desc="annotate") as progress:
        for source, start in half:
            frames: list[np.ndarray] = []
            blocks = probability_blocks(source.recording, run, options, progress.update)
            table = detect(_watched(blocks, n, frames), *how, options=options)
            p, frames_hz = np.concatenate(frames), run.samplerate_hz / n
            yield HeldOut(source, start, p, frames_hz, table, learned)


def _watched(
    blocks: Iterable[np.ndarray], n: int, frames: list[np.ndarray]
) -> Iterator[np.ndarray]:
    """Pass on probabilities [samples, classes], and add the means of every `n` samples to frames.

    The last frame may have fewer samples.
    """
    rest: np.ndarray | None = None
    for p in blocks:
        rest = p if rest is None else np.concatenate([rest, p])
        whole = len(rest) // n * n
        frames.append(rest[:whole].reshape(-1, n, p.shape[1]).mean(axis=1).astype(np.float16))
        rest = rest[whole:]
        yield p
    if rest is not None and len(rest):
        frames.append(rest.mean(axis=0, keepdims=True).astype(np.float16))
