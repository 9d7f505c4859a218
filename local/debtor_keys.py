"""The debtor keys of an archive with test data: made once, and kept in its data folder.

With other keys the lists of the debtors would be empty, until `ops debtors rebuild` has written them again.
"""

import os
import secrets
from base64 import b64encode
from contextlib import suppress
from pathlib import Path

from shared.settings import MIN_DEBTOR_KEY, OWN_DEBTOR_KEYS


def read_or_make(data: Path) -> str:
    """Return the keys of the folder, as in DEBTOR_KEYS. Another process may make them at the same time."""
    file, made = data / OWN_DEBTOR_KEYS, data / f"{OWN_DEBTOR_KEYS}.{os.getpid()}"
    if not file.exists():
        made.touch(mode=0o600)
        made.write_text(f"local:{b64encode(secrets.token_bytes(MIN_DEBTOR_KEY)).decode()}\n", encoding="ascii")
        with suppress(FileExistsError):
            os.link(made, file)  # the name leads to the whole text, or to nothing
        made.unlink()
    return file.read_text(encoding="ascii").strip()
