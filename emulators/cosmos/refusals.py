"""What the double answers when it does not do what it was asked."""


class Refusal(Exception):
    """A request that is not carried out, with the status, code and substatus the service would answer."""

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
        """Further members of the answer's body."""
        self.headers: dict[str, str] = {}


def bad_request(message: str, substatus: int = 0) -> Refusal:
    """Return the refusal of what the service does not understand."""
    return Refusal(400, "BadRequest", message, substatus)


def not_implemented(what: str) -> Refusal:
    """Return the refusal of what the service does and the double does not, so that nobody relies on it unknowingly."""
    return Refusal(501, "NotImplemented", f"The double of Cosmos DB does not implement {what}.")
