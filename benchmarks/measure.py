"""Run a command as a whole process and measure what it costs.

python benchmarks/measure.py COMMAND [ARGUMENT ...]

Keep the process that measures small: on Linux the peak memory of a child is never less than that
of the process it was started from. So this module, and what imports it, uses only Python itself.
"""

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

RECORDINGS = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass(frozen=True)
class Cost:
    """What a process cost, from its start to its end."""

    cpu_seconds: float  # user and system, with the child processes that it waited for
    peak_mb: float  # the largest resident memory of any one of these processes, in 10**6 bytes
    wall_seconds: float
    exit_code: int  # negative: ended by that signal
    output: str  # what it printed, errors included


def measure(command: Sequence[str]) -> Cost:
    """Run `command`, wait for its end, and tell what it cost."""
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall_seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)  # or Popen would wait once more
        output.seek(0)
        return Cost(
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            peak_mb=usage.ru_maxrss * _MAXRSS_BYTES / 1e6,
            wall_seconds=wall_seconds,
            exit_code=process.returncode,
            output=output.read(),
        )


def corpora_and_seeds(description: str, corpora: Iterable[str]) -> argparse.Namespace:
    """Read a command line that says which corpora, and which seeds.

    `inside` is true in a process that `each_alone` started, for one corpus and one seed.
    """
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    parser.add_argument("--corpora", nargs="+", default=[*corpora], choices=[*corpora])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not RECORDINGS.is_dir():
        parser.exit(1, f"{RECORDINGS} is not here\n")
    return arguments


def each_alone(script: str, arguments: argparse.Namespace) -> Iterator[tuple[str, int, Cost]]:
    """Run a script for each corpus and seed, each time as a process of its own."""
    for name, seed in itertools.product(arguments.corpora, arguments.seeds):
        which = ["--corpora", name, "--seeds", str(seed)]
        cost = measure([sys.executable, script, "--inside", *which])
        if cost.exit_code:
            print(cost.output, file=sys.stderr)
        yield name, seed, cost


def machine_rate() -> float:
    """GFLOP in a CPU second that the machine does just now; see product.py."""
    return float(measure([sys.executable, str(Path(__file__).parent / "product.py")]).output)


_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024  # the unit of ru_maxrss


if __name__ == "__main__":
    cost = measure(sys.argv[1:])
    print(cost.output, end="")
    print(
        f"{cost.cpu_seconds:.2f} CPU-s, {cost.peak_mb:.0f} MB, {cost.wall_seconds:.2f} s",
        file=sys.stderr,
    )
    sys.exit(cost.exit_code if cost.exit_code >= 0 else 128 - cost.exit_code)
