"""The names that a filter can ask a message for."""

from collections.abc import Callable, Mapping

SYSTEM_NAMES = {
    "contenttype": "content_type",
    "correlationid": "correlation_id",
    "label": "subject",
    "messageid": "message_id",
    "replyto": "reply_to",
    "replytosessionid": "reply_to_group_id",
    "sessionid": "group_id",
    "to": "to",
}
"""The names behind `sys.`, in lower case, with the fields of the message."""


class Names:
    """The system properties of one message, and its application properties. Case does not count in their names."""

    def __init__(self, properties: Mapping[str, object], application_properties: Mapping[object, object]) -> None:
        self._properties = properties
        self._application = {str(name).lower(): value for name, value in application_properties.items()}

    def system(self, name: str) -> object:
        """Return a system property, one of SYSTEM_NAMES. None: the message does not have it."""
        return self._properties.get(SYSTEM_NAMES[name.lower()])

    def application(self, name: str) -> object:
        """Return an application property. None: the message does not have it."""
        return self._application.get(name.lower())


Filter = Callable[[Names], bool]


def every_message(_: Names) -> bool:
    """Return True: the filter of a subscription that names none."""
    return True


def equal(one: object, other: object) -> bool | None:
    """Return whether two values are equal. None: unknown, because one is absent or the types differ.

    The text '12' is not comparable with the number 12, nor TRUE with 1. The types of numbers do not matter.
    """
    if one is None or other is None or _kind(one) != _kind(other):
        return None
    return one == other


def _kind(value: object) -> type:
    if isinstance(value, bool):
        return bool
    if isinstance(value, (int, float)):
        return float
    return str if isinstance(value, str) else type(value)
