"""Work that the buttons of a form start: in threads, with a bar, until it is done or stopped."""

import threading
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import ipywidgets as widgets

from dss.errors import DssError, DssWarning
from dss.support import progress
from dss.widgets.elements import doubt_html, problem_html
from dss.widgets.threads import awaited, in_thread, is_alive, wait_for

WORKING = '<span class="dss-help">working ...</span>'


class Work:
    """The work of a form, done in the background.

    Arguments:
        stopped: the message after work was stopped.
        changed: called when work begins or ends.
        begins: called with the widget for messages, before it says that work has begun.

    Attributes:
        bar: the progress bar.
        failure: the last error of the launched work.
    """

    def __init__(
        self, stopped: str, changed: Callable[[], None], begins: Callable[[widgets.HTML], None]
    ):
        self._stopped, self._changed, self._begins = stopped, changed, begins
        self.bar = widgets.FloatProgress(max=1, layout={"width": "440px", "display": "none"})
        self.failure: Exception | None = None
        self._waited_for: threading.Thread | None = None
        self._n_at_work = 0
        self._stopping = False

    @property
    def is_busy(self) -> bool:
        """Whether any work is in progress."""
        return self._n_at_work > 0

    @property
    def is_waited_for(self) -> bool:
        """Whether the work started by `launch` is in progress."""
        return is_alive(self._waited_for)

    def stop(self) -> None:
        """Stop the current work at its next step."""
        self._stopping = self.is_busy

    def launch(self, work: Callable[[], Any], where: widgets.HTML) -> threading.Thread | None:
        """Start the main work, unless it is in progress: somebody may click the button twice.

        Returns: the thread that works.
        """
        if not self.is_waited_for:
            self._waited_for = self.start(work, where)
        return self._waited_for

    def start(self, work: Callable[[], Any], where: widgets.HTML) -> threading.Thread:
        """Work in a separate thread, and show how it goes."""
        return in_thread(self._guarded, work, where)

    def wait(self) -> None:
        """Wait for the work started by `launch`."""
        wait_for(self._waited_for)

    def __await__(self) -> Generator[Any, None, None]:
        """Wait for it, while buttons and fields still work."""
        yield from awaited(self._waited_for).__await__()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Count some work as in progress."""
        self._n_at_work += 1
        self._changed()
        try:
            yield
        finally:
            self._n_at_work -= 1
            if not self._n_at_work:
                self._stopping = False
                self.bar.layout.display = "none"
            self._changed()

    @contextmanager
    def showing_work(self, where: widgets.HTML) -> Iterator[None]:
        """Say that work is in progress, until there is something else to say."""
        self._begins(where)
        where.value = WORKING
        try:
            yield
        finally:
            if where.value == WORKING:
                where.value = ""

    def show(self, what: str, done: float, total: float | None) -> None:
        """Show the progress; raises `Stopped` if work is to stop."""
        if self._stopping:
            raise progress.Stopped
        self.bar.layout.display = ""
        self.bar.description = what
        self.bar.value = done / total if total else 0

    def _guarded(self, work: Callable[[], Any], where: widgets.HTML) -> None:
        with self.busy():
            try:
                with warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always", DssWarning)
                    with self.showing_work(where):
                        work()
                doubts = [str(w.message) for w in caught if issubclass(w.category, DssWarning)]
                where.value += doubt_html(dict.fromkeys(doubts))  # a file may be opened twice
            except progress.Stopped:
                self.failure = DssError(self._stopped)
                where.value = problem_html(self._stopped)
            except (DssError, OSError) as error:
                self.failure = error
                where.value = problem_html(str(error))
            except Exception as error:
                self.failure = error
                where.value = problem_html(f"{type(error).__name__}: {error}")
                raise
