"""The operator who makes a change, for its record."""

import os
import pwd
import socket

from shared.domain.registry_changes import Operator
from shared.settings import CosmosStore, Settings


def current_operator(settings: Settings) -> Operator:
    """Return the user of the operating system, the machine, and the identity that signs in to Cosmos DB."""
    identity = _identity(settings.store) if isinstance(settings.store, CosmosStore) else None
    return Operator(_user(), socket.gethostname(), identity)


def _user() -> str:
    # Not from the environment, where a user can write any name.
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _identity(account: CosmosStore) -> str:
    if account.key is not None:
        return "account key"
    return f"managed identity {account.client_id or 'of the machine'}"
