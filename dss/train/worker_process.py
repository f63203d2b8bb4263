"""One of several processes that train together on this machine (see `dss.train.launch_workers`).

It reads options and writes the trunk of the run, both as JSON.
"""

import json
import sys
import threading
import warnings

from dss.errors import DssError, DssWarning
from dss.support import system
from dss.support.progress import say
from dss.train.training import train


def main() -> None:
    """Train with the options on standard input; print the trunk of the run, or the error."""
    warnings.simplefilter("always", DssWarning)
    warnings.showwarning = lambda message, *_: say(f"dss: warning: {message}")
    options = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    result: dict[str, str | bool]
    try:
        result = {"trunk": str(train(**options))}
    except DssError as error:
        result = {"error": str(error)}
    except ConnectionError:  # the process that ended knows why
        sys.exit(1)
    except KeyboardInterrupt:
        result = {"stopped": True}
    print(json.dumps(result))


def _end_with_parent() -> None:
    """End this process when its parent does, which closes standard input."""
    sys.stdin.read()
    system.end_this_process()


if __name__ == "__main__":
    main()
