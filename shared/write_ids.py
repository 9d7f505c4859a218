"""Ids by which a store recognises the writes of one attempt to change a notice."""

from random import Random

_random = Random()  # of its own, because others may seed the common one


def new_write_id() -> str:
    """Return a new id: unique, and no secret."""
    return f"{_random.getrandbits(96):024x}"
