"""Refuse a request: the one exception of the double."""


class Refusal(Exception):
    """A request is not carried out. It has the status, code and substatus of the service's answer."""

    def __init__(
        self, status: int, code: str, message: str, substatus: int = 0, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.substatus = substatus
        self.retry_after = retry_after
        self.more: dict[str, str] = {}
        """Further members of the body of the answer."""
        self.headers: dict[str, str] = {}


def bad_request(message: str, substatus: int = 0) -> Refusal:
    """Return the refusal of a request that is malformed or not allowed."""
    return Refusal(400, "BadRequest", message, substatus)


def not_implemented(feature: str) -> Refusal:
    """Return the refusal of a feature that the service has and the double does not have."""
    return Refusal(501, "NotImplemented", f"The double of Cosmos DB does not implement {feature}.")
