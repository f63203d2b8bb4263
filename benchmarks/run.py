"""Measure works with dss and with its peer, DAS, and print one table.

python benchmarks/run.py [WORK ...] [--peer PYTHON] [--repeat N]

Each task runs as a process of its own, N times, dss and DAS in turns; a number in the table is the
median of the N. What both do runs once before, unmeasured: the first run compiles Python files, and
numba's functions in DAS. This process stays small: see measure.py.
"""

import argparse
import datetime
import os
import platform
import statistics
import sys
from pathlib import Path

from measure import Cost, machine_rate, measure
from works import HERE, WORKS, Skipped, Task

HEADINGS = (
    "work",
    "dss CPU-s",
    "DAS CPU-s",
    "DAS / dss",
    "dss MB",
    "DAS MB",
    "dss wall s",
    "DAS wall s",
)


def main() -> int:
    """Read the command line, run the works, print the report; 1 if a task failed."""
    arguments = _arguments()
    rows, notes, rates = [], [], [machine_rate()]
    if not arguments.peer.is_file():
        notes.append(f"No DAS: {arguments.peer} is not here. benchmarks/README.md: how to make it.")
        arguments.peer = None
    failures = 0
    for name in arguments.works or WORKS:
        try:
            with WORKS[name]() as tasks:
                for task in tasks:
                    dss, peer = _measure_in_turns(task, arguments.peer, arguments.repeat)
                    rows.append(_row(task.label, dss, peer))
                    if task.has_result:
                        costs = [*dss, *peer]
                        notes += [f"{task.label}: {c.output.splitlines()[-1]}" for c in costs]
                    failures += any(c.exit_code for c in [*dss, *peer])
        except Skipped as reason:
            notes.append(f"{name}: skipped: {reason}")
        rates.append(machine_rate())
    products = ", ".join(f"{rate:.0f}" for rate in rates)
    notes.append(f"matrix products, before and after each work: {products} GFLOP/CPU-s")
    print(_table(rows))
    print("\n" + "\n".join(f"- {note}" for note in [*notes, _circumstances(arguments.repeat)]))
    return int(failures > 0)


def _arguments() -> argparse.Namespace:
    works = "\n".join(f"  {name:12} {work.__doc__}" for name, work in WORKS.items())
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0],
        epilog=f"works:\n{works}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("works", nargs="*", metavar="WORK", help="default: all")
    parser.add_argument(
        "--peer",
        type=Path,
        metavar="PYTHON",
        default=HERE / ".das" / "bin" / "python",
        help="the python of an environment with DAS (default: %(default)s)",
    )
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="default: %(default)s")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.works if name not in WORKS]
    if unknown:
        parser.error(f"no such work: {', '.join(unknown)}; there are {', '.join(WORKS)}")
    if arguments.repeat < 1:
        parser.error("--repeat must be at least 1")
    return arguments


def _measure_in_turns(task: Task, peer: Path | None, repeat: int) -> tuple[list[Cost], list[Cost]]:
    """The costs of each run, of dss and of the peer."""
    commands = [[sys.executable, *task.dss]]
    if peer and task.peer:
        commands.append([str(peer), *task.peer])
    if len(commands) > 1:
        for command in commands:
            _run(command, f"{task.label}, to warm up")
    costs = ([], [])
    for turn in range(repeat):
        for of_system, command in zip(costs, commands, strict=False):
            of_system.append(_run(command, f"{task.label}, {turn + 1} of {repeat}"))
    return costs


def _run(command: list[str], title: str) -> Cost:
    """Run and measure one command; say so, and show what it printed if it failed."""
    print(f"{title}: {' '.join(command)}", file=sys.stderr, flush=True)
    cost = measure(command)
    if cost.exit_code:
        print(cost.output, file=sys.stderr)
    return cost


def _row(label: str, dss: list[Cost], peer: list[Cost]) -> list[str]:
    dss_cpu, peer_cpu = _median(dss, "cpu_seconds"), _median(peer, "cpu_seconds")
    ratio = f"{peer_cpu / dss_cpu:.1f}" if dss_cpu and peer_cpu else ""
    return [
        label,
        _cell(dss, dss_cpu, 2),
        _cell(peer, peer_cpu, 2),
        ratio,
        _cell(dss, _median(dss, "peak_mb"), 0),
        _cell(peer, _median(peer, "peak_mb"), 0),
        _cell(dss, _median(dss, "wall_seconds"), 2),
        _cell(peer, _median(peer, "wall_seconds"), 2),
    ]


def _median(costs: list[Cost], name: str) -> float | None:
    """The median of the runs; None if there are none, or one failed."""
    if not costs or any(cost.exit_code for cost in costs):
        return None
    return statistics.median(getattr(cost, name) for cost in costs)


def _cell(costs: list[Cost], value: float | None, digits: int) -> str:
    if not costs:
        return ""
    return "failed" if value is None else f"{value:.{digits}f}"


def _table(rows: list[list[str]]) -> str:
    """A Markdown table, its columns aligned to be read as plain text too."""
    widths = [max(map(len, column)) for column in zip(HEADINGS, *rows, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = []
    for cells in (HEADINGS, rule, *rows):
        padded = [cells[0].ljust(widths[0])]
        padded += [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        lines.append(f"| {' | '.join(padded)} |")
    return "\n".join(lines)


def _circumstances(repeat: int) -> str:
    """When and where: what the numbers depend on."""
    load = "" if not hasattr(os, "getloadavg") else f", load average {os.getloadavg()[2]:.1f}"
    return (
        f"{datetime.date.today()}; {platform.system()} {platform.machine()}, {_processor()}, "
        f"{os.cpu_count()} CPUs{load}; Python {platform.python_version()}; "
        f"median of {repeat}"
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    sys.exit(main())
