"""The hashes under which the notices of a debtor are found. Nobody can compute them without the debtor keys.

The hash of a tax code without a key would be no secret, because all tax codes can be tried.
"""

import hmac
from collections.abc import Sequence
from hashlib import sha256

from shared.settings import DebtorKey


class DebtorHashes:
    """Computes the hashes with the keys of the settings, of which the first is the newest."""

    def __init__(self, keys: Sequence[DebtorKey]) -> None:
        self._keys = tuple(keys)

    def of(self, tax_code: str) -> list[str]:
        """Return the hashes of a tax code, in either case, under each key: the newest first."""
        code = tax_code.upper().encode()
        return [f"{key.id}:{hmac.digest(key.secret, code, 'sha256').hex()}" for key in self._keys]

    @property
    def key_ids(self) -> list[str]:
        """Return the ids of the keys, that of the newest first."""
        return [key.id for key in self._keys]

    @property
    def fingerprint(self) -> str:
        """Return a text that is another one for other keys, or for the same in another order."""
        return sha256("".join(self.of("")).encode()).hexdigest()[:12]
