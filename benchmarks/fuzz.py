"""Damage files of every form for some minutes, and list what does not end in one clear sentence.

The minutes are those of a processor, whatever else the machine does; the forms share them equally.

python benchmarks/fuzz.py [--minutes 30] [--forms wav npz ...] [--seed 0]

The forms, and the damage, are those of tests/fuzz. Each form is read in a process of its own, so
that a crash, or a file that is read for ever, is found as well.
"""

import argparse
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "fuzz"))

LONGEST_CPU_SECONDS = 10  # that a file may be read
LONGEST_SECONDS = 300  # that may pass meanwhile, on a busy machine


def main() -> int:
    """Read the command line, fuzz all forms, and print a table."""
    from readers import READERS

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--forms", nargs="+", default=[*READERS], choices=[*READERS])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--inside", type=float, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        fuzz(arguments.forms[0], arguments.inside, arguments.seed)
        return 0
    seconds, n_bad = 60 * arguments.minutes / len(arguments.forms), 0
    print("| form | files | read | refused | anything else |\n| --- | ---: | ---: | ---: | --- |")
    for form in arguments.forms:
        words = ["--forms", form, "--seed", str(arguments.seed), "--inside", str(seconds)]
        result = subprocess.run(
            [sys.executable, __file__, *words], capture_output=True, text=True, check=False
        )
        line = (result.stdout.splitlines() or [""])[-1]
        if result.returncode:
            where = [t.strip() for t in result.stderr.splitlines() if "dss" in t][:3]
            line = f"| {form} | | | | **exit {result.returncode}**: {'; '.join(where)} |"
        n_bad += not line.endswith("| none |")
        print(line, flush=True)
    return int(n_bad > 0)


def fuzz(form: str, seconds: float, seed: int) -> None:
    """Damage and read files of one form for so long, and print a row."""
    import faulthandler
    import signal

    import numpy as np
    from mutations import damaged
    from readers import READERS

    from dss.errors import DssError

    reader, rng = READERS[form], np.random.default_rng(seed)
    counts: Counter[str] = Counter()
    others: Counter[str] = Counter()
    warnings.simplefilter("ignore")
    faulthandler.register(signal.SIGPROF, chain=True)  # says where it is, and ends the process
    with tempfile.TemporaryDirectory() as folder:
        path = reader.make(Path(folder))
        content, end = path.read_bytes(), time.process_time() + seconds
        while time.process_time() < end:
            path.write_bytes(damaged(content, rng))
            signal.setitimer(signal.ITIMER_PROF, LONGEST_CPU_SECONDS)
            faulthandler.dump_traceback_later(LONGEST_SECONDS, exit=True)
            try:
                reader.read(path)
                counts["read"] += 1
            except DssError:
                counts["refused"] += 1
            except Exception as error:
                place = traceback.extract_tb(error.__traceback__)[-1]
                others[f"{type(error).__name__} in {place.name}, {Path(place.filename).name}"] += 1
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.cancel_dump_traceback_later()
    said = "; ".join(f"{n} x {what}" for what, n in others.items()) or "none"
    n_files = counts.total() + others.total()
    print(f"| {form} | {n_files:,} | {counts['read']:,} | {counts['refused']:,} | {said} |")


if __name__ == "__main__":
    sys.exit(main())
