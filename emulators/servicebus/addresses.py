"""Addresses of nodes: `queue`, `/queue` and `amqps://host:port/queue` name the same."""

CBS = "$cbs"
MANAGEMENT = "/$management"


def path_of(address: str) -> str:
    """Return the path of an address, without a slash at its ends."""
    _, scheme, rest = address.partition("://")
    return (rest.partition("/")[2] if scheme else address).strip("/")


def entity_of(path: str) -> str:
    """Return the path of the entity that a management node belongs to, or the path itself."""
    return path[: -len(MANAGEMENT)] if is_management(path) else path


def is_management(path: str) -> bool:
    """Return whether a path is that of a management node."""
    return path.lower().endswith(MANAGEMENT)
