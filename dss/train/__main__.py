"""`python -m dss.train` is `dss train`."""

import sys

from dss.cli import train_main

if __name__ == "__main__":
    sys.exit(train_main())
