"""How much hand work it takes to annotate a corpus: a perfect user plays, gestures are counted.

    python benchmarks/by_hand.py [--corpora zebra_finch bengalese_finch]

Two ways until each song type has an F1 of 0.9 (name, and onset within 10 ms; then the offset, too):
every segment is drawn and named in the viewer, recording by recording; or dss proposes segments,
the user names them group by group on the map, and then corrects single ones, type by type. The user
never errs, and knows at once what a picture shows. A gesture takes what the keystroke-level model
says (Card, Moran & Newell 1980): pointing 1.1 s, a mouse button down or up 0.1 s, a key 0.28 s, to
decide 1.35 s; to look at the pictures of a group, 3 s.
"""

import argparse
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import dss
from dss.data.annotations import occurrences
from dss.evaluate import evaluate
from dss.evaluate.matching import match
from dss.review.naming import THROWN_OUT, Naming
from dss.review.proposals import propose_files
from dss.review.segment_features import describe_segments, list_segments
from dss.review.views import open_views

SHARED = Path(__file__).parents[2] / "shared" / "data"
TIMES = ["start_seconds", "stop_seconds"]
ENOUGH, TOLERANCE_SECONDS, SCREEN_SECONDS = 0.9, 0.01, 3.0
POINT, BUTTON, KEY, DECIDE = 1.1, 0.1, 0.28, 1.35
CLICK, PRESS = POINT + 2 * BUTTON, KEY
DRAG = 2 * POINT + 2 * BUTTON
GLANCE = 3.0  # at the pictures of a group
PURE = 0.9  # of a group that gets one name
FEWEST = 8  # of a group that is split further
UNNAMED = "song"  # what all proposals are called


@dataclass
class Work:
    """What a user has done: gestures by kind, and how long it took."""

    seconds: float = 0.0
    gestures: dict[str, int] = field(default_factory=dict)

    def do(self, what, *seconds):
        """A decision, and gestures that take so many seconds each."""
        self.gestures[what] = self.gestures.get(what, 0) + len(seconds)
        self.seconds += DECIDE + sum(seconds)


def truth_of(folder):
    """The manual annotations of each recording of a folder, by its name."""
    files = sorted(folder.glob("*_annotations.csv"))
    return {
        file.name.removesuffix("_annotations.csv"): occurrences(dss.data.read_annotations(file))
        for file in files
    }


def is_enough(right, wrong, missing):
    """Whether a song type has an F1 of 0.9."""
    return 2 * right >= ENOUGH * (2 * right + wrong + missing)


def draw_each(truth):
    """Draw and name every segment, until all types are good enough."""
    work, names = Work(), sorted({name for table in truth.values() for name in table["name"]})
    total = {name: sum((t["name"] == name).sum() for t in truth.values()) for name in names}
    done = dict.fromkeys(names, 0)
    for table in truth.values():
        work.do("open a recording", CLICK)
        seen = -np.inf
        for name, start, stop in table[["name", *TIMES]].itertuples(index=False):
            if stop > seen:
                work.do("scroll", PRESS)
                seen = start + SCREEN_SECONDS
            work.do("draw and name", DRAG, PRESS)
            done[name] += 1
            if all(is_enough(done[n], 0, total[n] - done[n]) for n in names):
                return work
    return work


class Player:
    """A user who knows the truth of each proposal, and names proposals on the map.

    Arguments:
        naming: what the map shows.
        truth: as `truth_of` gives it.
        offset_tolerance_seconds: None if only onsets count.
    """

    def __init__(self, naming, truth, offset_tolerance_seconds):
        self.naming, self.truth, self.work = naming, truth, Work()
        self.tolerance = np.array([TOLERANCE_SECONDS, offset_tolerance_seconds or np.inf])
        segments = naming.segments
        self.name = np.full(len(segments), THROWN_OUT, object)  # that each should have
        self.wrong_edges = np.zeros(len(segments), int)  # to drag
        self.missing, self.drawn = [], []  # names of segments without a proposal
        for number, view in enumerate(naming.views):
            table = truth[Path(view.name).stem]
            rows = np.flatnonzero(segments["view"] == number)
            self._learn(table, rows, segments.iloc[rows][TIMES].to_numpy(float))

    def _learn(self, table, rows, times):
        names, true = table["name"].to_numpy(object), table[TIMES].to_numpy(float)
        pairs = match(true, times, *self.tolerance)
        is_found = np.zeros(len(true), bool)
        is_found[pairs[:, 0]] = True
        self.name[rows[pairs[:, 1]]] = names[pairs[:, 0]]
        others = np.setdiff1d(np.arange(len(rows)), pairs[:, 1])
        for row, (start, stop) in zip(rows[others], times[others], strict=True):
            shared = np.minimum(true[:, 1], stop) - np.maximum(true[:, 0], start)
            best = shared.argmax() if len(shared) else 0
            if len(shared) and shared[best] > 0.5 * (stop - start) and not is_found[best]:
                self.name[row], is_found[best] = names[best], True
                self.wrong_edges[row] = (abs(true[best] - (start, stop)) > self.tolerance).sum()
        self.missing += names[~is_found].tolist()

    @property
    def names(self):
        """All song types."""
        return sorted({*self.missing, *self.drawn, *self.name} - {THROWN_OUT})

    def counts(self, name):
        """Right, wrong and missing annotations of a song type."""
        is_named = self.naming.names == name
        n_right = (is_named & (self.name == name) & (self.wrong_edges == 0)).sum()
        n_missing = (self.name == name).sum() - n_right + self.missing.count(name)
        return n_right + self.drawn.count(name), is_named.sum() - n_right, n_missing

    def name_groups(self):
        """Give each group its name, the largest first; split those that are mixed."""
        naming = self.naming
        waiting = [np.flatnonzero(naming.groups == g) for g in range(naming.groups.max() + 1)]
        met = set()
        while waiting:
            rows = waiting.pop(0)
            names, counts = np.unique(self.name[rows], return_counts=True)
            name, share = names[counts.argmax()], counts.max() / len(rows)
            self.work.do("choose a group", CLICK)
            self.work.seconds += GLANCE
            if share < PURE and len(rows) >= FEWEST:
                self.work.do("split it", CLICK)
                naming.split(rows)
                parts = naming.groups[rows]
                waiting[:0] = [rows[parts == part] for part in np.unique(parts)]
            elif name == THROWN_OUT:
                self.work.do("throw it out", PRESS)
                naming.throw_out(rows)
            else:
                typed = [PRESS] if name in met else [PRESS] * (len(name) + 1)
                met.add(name)
                self.work.do("name it", *typed)
                naming.name(rows, name)

        left = np.flatnonzero(naming.names == UNNAMED)
        if len(left):
            self.work.do("throw out the rest", CLICK, PRESS)
            naming.throw_out(left)

    def judge(self):
        """Minutes so far, and the F1 of all and of the worst type, by the names alone."""
        views = self.naming.views
        tables = [self.naming.annotations(number) for number in range(len(views))]
        true = [self.truth[Path(view.name).stem] for view in views]
        onset, offset = self.tolerance
        limits = {"tolerance_seconds": onset}
        if np.isfinite(offset):
            limits["offset_tolerance_seconds"] = offset
        f1 = evaluate(true, tables, **limits)["f1"]
        return self.work.seconds / 60, f1["all"], f1.drop("all").min()

    def correct(self):
        """Correct single segments, type by type, until each is good enough."""
        for name in self.names:
            while not is_enough(*self.counts(name)):
                self._correct_one(name)

    def _correct_one(self, name):
        naming = self.naming
        is_named, is_it = naming.names == name, self.name == name
        misnamed = np.flatnonzero(is_it & (self.wrong_edges == 0) & ~is_named)
        late = np.flatnonzero(is_it & (self.wrong_edges > 0))
        false = np.flatnonzero(is_named & ~is_it)
        if len(misnamed):
            self.work.do("name one", CLICK, PRESS)
            naming.name(misnamed[:1], name)
        elif len(late):
            edges = [DRAG] * self.wrong_edges[late[0]]
            self.work.do("jump, drag an edge", CLICK, CLICK, *edges)
            self.wrong_edges[late[0]] = 0
            if not is_named[late[0]]:
                self.work.do("name one", PRESS)
                naming.name(late[:1], name)
        elif name in self.missing:
            self.work.do("jump, draw and name", CLICK, CLICK, DRAG, PRESS)
            self.missing.remove(name)
            self.drawn.append(name)
        else:
            self.work.do("delete one", CLICK, PRESS)
            naming.throw_out(false[:1])


def propose_and_name(corpus, truth, folder, offset_tolerance_seconds):
    """Let dss propose, name on the map, correct.

    Returns: the work; and minutes, and by `evaluate` the F1 of all and of the worst song type: once
        groups are named, and at the end, without what was drawn or dragged.
    """
    for file in (SHARED / corpus).iterdir():
        if file.suffix in (".wav", ".flac"):
            os.symlink(file, folder / file.name)
    propose_files(folder)
    views = open_views(folder)
    naming = Naming(views, describe_segments(views, list_segments(views)))
    player = Player(naming, truth, offset_tolerance_seconds)
    player.work.do("propose, open the map", CLICK, CLICK)
    player.name_groups()
    after_map = player.judge()
    player.correct()
    return player.work, [after_map, player.judge()]


def row(corpus, how, n, work, note=""):
    """A row of the table."""
    n_gestures = sum(work.gestures.values())
    said = f"{n_gestures:,} | {work.seconds / 60:.1f} | {note}"
    print(f"| `{corpus}`, {n} segments | {how} | {said} |", flush=True)
    print(f"<!-- {work.gestures} -->", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", nargs="+", default=["zebra_finch", "bengalese_finch"])
    print("| corpus | way | gestures | minutes | after the map; at the end |")
    print("| --- | --- | ---: | ---: | --- |")
    for corpus in parser.parse_args().corpora:
        truth = truth_of(SHARED / corpus)
        n = sum(map(len, truth.values()))
        row(corpus, "draw and name each", n, draw_each(truth))
        for what, offset_tolerance in (("onsets", None), ("both ends", TOLERANCE_SECONDS)):
            with tempfile.TemporaryDirectory() as folder:
                work, judged = propose_and_name(corpus, truth, Path(folder), offset_tolerance)
            notes = [f"{minutes:.1f} min, {f1:.2f}, {worst:.2f}" for minutes, f1, worst in judged]
            row(corpus, f"propose, map, correct; {what}", n, work, "; ".join(notes))
