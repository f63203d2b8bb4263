"""`python -m dss`: the command `dss`."""

import sys

from dss.cli import main

sys.exit(main())
