"""Ends requests whose time is over. One timer serves all of them, because each has the same time."""

import asyncio
from types import TracebackType


class Deadlines:
    """The deadlines of the requests in progress, each `seconds` after its start. To be used on one event loop."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._running: dict[Deadline, None] = {}  # the first one ends first
        self._is_watching = False

    def add(self, deadline: "Deadline", loop: asyncio.AbstractEventLoop) -> float:
        """Watch the deadline of a request that begins now. Return when its time is over."""
        ends_at = loop.time() + self.seconds
        self._running[deadline] = None
        if not self._is_watching:
            self._is_watching = True
            loop.call_at(ends_at, self._end_overdue, loop)
        return ends_at

    def remove(self, deadline: "Deadline") -> None:
        """Stop watching the deadline of a request that is answered."""
        self._running.pop(deadline, None)

    def _end_overdue(self, loop: asyncio.AbstractEventLoop) -> None:
        while (first := next(iter(self._running), None)) and first.ends_at <= loop.time():
            self.remove(first)
            first.end()
        self._is_watching = first is not None
        if first is not None:
            loop.call_at(first.ends_at, self._end_overdue, loop)


class Deadline:
    """The deadline of one request, for `with`: the request is cancelled then, and the block raises TimeoutError.

    The same as `asyncio.timeout`, without a timer of its own.
    """

    __slots__ = ("_cancelling", "_deadlines", "_is_over", "_task", "ends_at")

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._is_over = False

    def __enter__(self) -> float:
        """Begin the time of the current task. Return when it is over, by the clock of the event loop."""
        task = asyncio.current_task()
        assert task is not None, "a request is handled in a task"
        self._task, self._cancelling = task, task.cancelling()
        self.ends_at = self._deadlines.add(self, task.get_loop())
        return self.ends_at

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """End the time of the request. Raises TimeoutError if it was over."""
        self._deadlines.remove(self)
        if self._is_over and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def end(self) -> None:
        """Cancel the request, because its time is over."""
        self._is_over = True
        self._task.cancel()
