"""Refuse an operation: the one exception of the double, with the error conditions that clients know."""

NOT_FOUND = "amqp:not-found"
NOT_ALLOWED = "amqp:not-allowed"
NOT_IMPLEMENTED = "amqp:not-implemented"
UNAUTHORIZED = "amqp:unauthorized-access"
INVALID_FIELD = "amqp:invalid-field"
TOO_LARGE = "amqp:link:message-size-exceeded"
DETACH_FORCED = "amqp:link:detach-forced"
CONNECTION_FORCED = "amqp:connection:forced"
FRAMING_ERROR = "amqp:connection:framing-error"
LOCK_LOST = "com.microsoft:message-lock-lost"
SERVER_BUSY = "com.microsoft:server-busy"

_STATUSES = {NOT_FOUND: 404, UNAUTHORIZED: 401, LOCK_LOST: 410, NOT_IMPLEMENTED: 501, SERVER_BUSY: 503}


class Refusal(Exception):
    """An operation is not done. It has the error condition and the description of the answer."""

    def __init__(self, condition: str, description: str) -> None:
        super().__init__(description)
        self.condition = condition
        self.description = description

    @property
    def status(self) -> int:
        """Return the status that an answer of a management node has."""
        return _STATUSES.get(self.condition, 400)


def not_implemented(feature: str) -> Refusal:
    """Return the refusal of a feature that the service has and the double does not have."""
    return Refusal(NOT_IMPLEMENTED, f"The double of Service Bus does not implement {feature}.")


def lock_lost() -> Refusal:
    """Return the refusal for a lock that is over."""
    why = "Either the lock expired, or the message has already been removed from the queue."
    return Refusal(LOCK_LOST, f"The lock supplied is invalid. {why}")
