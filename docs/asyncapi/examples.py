"""Examples of inbound events. Tests send each of them to the archive."""

from typing import Any

from docs.openapi.examples import MINIMAL, Examples
from shared.wire.inbound import InboundType

INSTITUTION, NUMBER = "77777777777", "347000000000000326"


def _event(type_: InboundType, id_: str, source: str, time: str, **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": id_,
        "source": source,
        "type": type_.cloud_event_type,
        "subject": f"{INSTITUTION}/{NUMBER}",
        "time": time,
        "datacontenttype": "application/json",
        "data": {"creditorInstitution": INSTITUTION, "noticeNumber": NUMBER, **data},
    }


EXAMPLES: Examples = {
    "publish": (
        "A position is published",
        _event(InboundType.PUBLISH, "gpd-4711-1", "/gpd", "2026-11-20T08:00:00Z", notice=MINIMAL),
    ),
    "paid": (
        "It was paid in Stand-In",
        _event(
            InboundType.PAID,
            "rt-5f2c9a0e",
            "/nodo/receipts",
            "2026-11-23T08:15:30.120Z",
            receiptId="c110729d258c4ab1b765fe902aae41d6",
            amount=12050,
            paidAt="2026-11-23T09:15:29+01:00",
            standIn=True,
            pspId="ABI03069",
            pspName="Banca di Prova",
            paymentMethod="creditCard",
            fee=150,
        ),
    ),
    "reported": (
        "The payment is in a settlement flow",
        _event(
            InboundType.REPORTED,
            "fdr-77-1",
            "/fdr",
            "2026-11-25T02:00:00Z",
            flowId="2026-11-24ABI03069-0001",
            amount=12050,
            outcomeCode=4,
            paymentDate="2026-11-23",
            settlementDate="2026-11-24",
        ),
    ),
    "revoked": (
        "The payment was revoked",
        _event(
            InboundType.REPORTED,
            "fdr-78-1",
            "/fdr",
            "2026-11-26T02:00:00Z",
            flowId="2026-11-25ABI03069-0001",
            amount=12050,
            outcomeCode=3,
            paymentDate="2026-11-23",
        ),
    ),
    "cancel": (
        "The position is cancelled",
        _event(InboundType.CANCEL, "gpd-4711-2", "/gpd", "2026-11-21T08:00:00Z", reason="Issued by mistake"),
    ),
    "close": (
        "The position was paid outside pagoPA",
        _event(InboundType.CLOSE, "gpd-4711-3", "/gpd", "2026-11-21T08:00:00Z"),
    ),
}
