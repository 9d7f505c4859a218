"""How tests ask whether a notice can be paid in Stand-In."""

from collections.abc import Mapping
from typing import Any

import httpx

from tests.conftest import PLATFORM_KEY
from tests.functions.client import NOTICE

UNKNOWN = "PAA_PAGAMENTO_SCONOSCIUTO"
EXPIRED = "PAA_PAGAMENTO_SCADUTO"
CANCELLED = "PAA_PAGAMENTO_ANNULLATO"
DUPLICATE = "PAA_PAGAMENTO_DUPLICATO"


async def ask(http: httpx.AsyncClient, path: str = NOTICE, key: Mapping[str, str] = PLATFORM_KEY) -> httpx.Response:
    """Ask, with the key of pagoPA's services unless another is given."""
    return await http.get(f"{path}/payability", headers=dict(key))


async def payability(http: httpx.AsyncClient, path: str = NOTICE) -> dict[str, Any]:
    """Return what was answered, payable or not."""
    answer = await ask(http, path)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def fault(http: httpx.AsyncClient, path: str = NOTICE) -> str | None:
    """Return the fault of a notice. None if it is payable."""
    shown = await payability(http, path)
    assert shown["payable"] is ("fault" not in shown)
    found: str | None = shown.get("fault")
    return found
