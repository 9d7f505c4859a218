"""The meaning of each field of the contract, by the name of its schema. The schema itself has the form."""

from collections.abc import Mapping

_CONTENT = {
    "amount": "The amount to pay, in euro cents (importo).",
    "description": "The reason for the payment (causale).",
    "dueDate": "The due date (data di scadenza). A day counts as a whole.",
    "debtor": "The debtor (soggetto debitore).",
    "iban": "The account that receives the money. Without transfers, a missing or null `iban` means the registered"
    " IBAN of the institution (label ACA).",
    "postalIban": "The account of the postal slip (bollettino postale).",
    "validFrom": "The first moment at which it can be paid (inizio validità), before `dueDate`. Null: from now on.",
    "switchToExpired": "True: the due date is binding. After it, the notice is EXPIRED and cannot be paid. Default"
    " false.",
    "payStandIn": "True: it can be paid while the system of the institution is down (Stand-In). Default true.",
    "transfers": "The parts of the amount (versamenti), instead of `iban` and `postalIban`. The ids differ, and the"
    " amounts add up to the amount of the notice. Empty: the whole amount goes to the institution.",
    "iupd": "The institution's identifier of the debt position (IUPD).",
    "companyName": "The name of the institution, as the notice shows it (ente creditore).",
    "officeName": "The office that issued it (unità operativa).",
    "metadata": "Data of the institution, kept with it: up to 10 texts by name.",
}
_DECLARED = {
    "iuv": "Leave it out: it follows from the notice number. A different IUV is refused.",
    "occurredAt": "When the institution decided this, at most 5 minutes ahead. Default: now. A declaration that is"
    " older than a stored one is refused.",
}
_ARCHIVE = {
    "creditorInstitution": "The institution that issued the notice.",
    "noticeNumber": "The number of the notice (numero avviso).",
    "iuv": "The identifier of the payment.",
    "origin": "The party that published it and alone can change it: the institution (ec), or Gestione Posizioni"
    " Debitorie (gpd).",
    "status": "The status now: SCHEDULED (not yet payable), ACTIVE (payable), EXPIRED, CANCELLED, CLOSED (paid"
    " outside pagoPA), PAID, REPORTED (in a flusso di rendicontazione).",
    "version": "The number of events of the notice. Each change adds at least one.",
    "publishedAt": "When it was first published.",
    "updatedAt": "When it last changed.",
    "ibanSource": "given: the request had an `iban`. registered: the IBAN of the institution. Null: with transfers.",
    "payments": "The receipts (ricevute telematiche) of the notice.",
    "settlements": "The lines of settlement flows (flussi di rendicontazione) for the notice.",
    "endReason": "Why it was cancelled or closed.",
    "replacedBy": "The notice that replaced this one.",
    "anomalies": "Payments and settlements that contradict the declarations, in order.",
}
_DEBTOR = {
    "type": "F: natural person (persona fisica). G: legal person (persona giuridica).",
    "fullName": "Name and surname, or company name (anagrafica).",
}
_POSITION = {
    "paFiscalCode": "The fiscal code of the institution.",
    "entityType": "F: natural person (persona fisica). G: legal person (persona giuridica).",
    "entityFiscalCode": "The fiscal code of the debtor.",
    "entityFullName": "Name and surname, or company name (anagrafica).",
    "iuv": "The identifier of the payment.",
    "nav": "The number of the notice. Without it, the IUV gives the number.",
    "amount": "The amount to pay, in euro cents. 0 cancels the position.",
    "description": "The reason for the payment (causale).",
    "expirationDate": "The due date.",
    "iban": "The account that receives the money. Without it: the IBAN that the position has, or the registered one.",
    "postalIban": "The account of the postal slip (bollettino postale).",
    "switchToExpired": "True: the due date is binding.",
    "payStandIn": "True: it can be paid while the system of the institution is down (Stand-In).",
}
FIELDS: Mapping[str, Mapping[str, str]] = {
    "Notice": {**_CONTENT, **_DECLARED},
    "NoticePatch": {**_CONTENT, **_DECLARED},
    "NoticeShown": {**_ARCHIVE, **_CONTENT},
    "Debtor": _DEBTOR,
    "DebtorPatch": _DEBTOR,
    "Transfer": {
        "id": "Its number in the notice.",
        "amount": "Its part of the amount, in euro cents.",
        "creditorInstitution": "The institution that receives the money. It need not be registered.",
        "iban": "The account that receives the money. A transfer has an IBAN or a stamp.",
        "stamp": "The stamp (marca da bollo digitale). A transfer has an IBAN or a stamp.",
        "postalIban": "The account of the postal slip.",
        "remittanceInformation": "The reason for the transfer (causale del versamento).",
        "category": "The kind of income (codice tassonomico).",
        "metadata": "Data of the institution, kept with it: up to 10 texts by name.",
    },
    "Stamp": {
        "hashDocument": "Digest of the stamped document (impronta del documento).",
        "stampType": "Kind of stamp (tipo bollo).",
        "provincialResidence": "Province of residence of the debtor (provincia di residenza), two letters.",
    },
    "LifeCycleEvent": {
        "type": "cancelled: the debt no longer exists (annullato). closed: it was paid outside pagoPA. restored: the"
        " cancellation or closure was a mistake.",
        "reason": "The reason, as text. It appears in the history.",
        "replacedBy": "The notice that replaces the cancelled one.",
        "occurredAt": _DECLARED["occurredAt"],
    },
    "Position": _POSITION,
    "PositionShown": {
        **_POSITION,
        "companyName": "The name of the institution.",
        "amount": "The amount to pay, in euro cents.",
        "expirationDate": "The due date, in the time of Italy.",
        "status": "The status, with the names of GPD: PUBLISHED (not yet payable), VALID, EXPIRED, INVALID"
        " (cancelled), PAID, REPORTED.",
    },
    "Payment": {
        "receiptId": "Identifier of the receipt (IUR).",
        "amount": "The amount that was paid, in euro cents.",
        "paidAt": "When it was paid.",
        "standIn": "True: it was paid while the system of the institution was down.",
        "pspId": "The PSP that took the money (prestatore di servizi di pagamento).",
        "pspName": "The name of the PSP.",
        "paymentMethod": "The payment method.",
        "fee": "The fee that the debtor paid (commissione), in euro cents.",
    },
    "Settlement": {
        "flowId": "Identifier of the flow (identificativo flusso).",
        "transferId": "The transfer that is settled.",
        "amount": "In euro cents.",
        "outcomeCode": "0 paid, 3 revoked, 4 Stand-In, 8 Stand-In without RPT, 9 without RPT (codice esito singolo"
        " pagamento).",
        "paymentDate": "The day of the payment.",
        "settlementDate": "The day of the settlement (data regolamento).",
        "receiptId": "Identifier of the receipt (IUR).",
        "pspId": "The PSP that took the money.",
    },
    "ListParameters": {
        "status": "Only notices that have this status now.",
        "anomaly": "Only notices with this anomaly. true: with any anomaly. false: without.",
        "dueFrom": "Only notices due on this day or later.",
        "dueTo": "Only notices due on this day or earlier. A filter by due date orders by it.",
        "updatedFrom": "Only notices changed at this time or later.",
        "updatedTo": "Only notices changed before this time. A filter by change orders by it.",
        "limit": "The size of a page, at most.",
        "cursor": "`nextCursor` of the page before, with the same filters.",
    },
    "HistoryParameters": {
        "limit": "The size of a page, at most.",
        "cursor": "`nextCursor` of the page before.",
    },
    "AtParameter": {"at": "A past moment: the answer is the notice as the archive knew it then."},
}
