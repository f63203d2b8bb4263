"""How fast the machine is just now: GFLOP in a CPU second of matrix products, by NumPy.

python benchmarks/product.py

Compare CPU seconds only where this rate is the same.
"""

import time

import numpy as np

SIZE = 2048
TIMES = 10


def main() -> None:
    """Measure, and print one number."""
    a, b = np.random.default_rng(0).random((2, SIZE, SIZE), np.float32)
    a @ b
    begun = time.process_time()
    for _ in range(TIMES):
        a @ b
    print(f"{TIMES * 2 * SIZE**3 / 1e9 / (time.process_time() - begun):.0f}")


if __name__ == "__main__":
    main()
