"""Remember message ids for the time of the duplicate detection."""

from collections import OrderedDict


class Duplicates:
    """The ids of an entity that were sent within its window, with the times until which each counts."""

    def __init__(self, window: int | None) -> None:
        """Begin with no ids. `window` is in milliseconds, and without one nothing is a duplicate."""
        self._window = window
        self._until: OrderedDict[str, int] = OrderedDict()

    def remember(self, message_id: str, now: int) -> int | None:
        """Remember an id and return until when. None: it is not to be remembered."""
        if self._window is None:
            return None
        self.restore(message_id, now + self._window)
        return now + self._window

    def restore(self, message_id: str, until: int) -> None:
        """Remember an id as the journal did."""
        self._until[message_id] = until

    def has(self, message_id: str, now: int) -> bool:
        """Return whether the id was sent within the window."""
        return self._until.get(message_id, now) > now

    def clear(self) -> None:
        """Forget every id."""
        self._until.clear()

    def forget(self, now: int) -> None:
        """Forget the ids whose time is over. They are in the order of their times."""
        while self._until and next(iter(self._until.values())) <= now:
            self._until.popitem(last=False)
