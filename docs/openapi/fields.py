"""What each field of the contract means, by the name of its schema; what form it has, the schema itself tells."""

from collections.abc import Mapping

_CONTENT = {
    "amount": "What is owed, in euro cents (importo).",
    "description": "What is owed for (causale).",
    "dueDate": "Until when it is to be paid (data di scadenza); a day counts whole.",
    "debtor": "Who owes (soggetto debitore).",
    "iban": "The account that is credited. Where there are no transfers and it is not named, or null, it is the IBAN"
    " that the institution registered for notices (label ACA).",
    "postalIban": "The account of the postal slip (bollettino postale).",
    "validFrom": "From when it can be paid (inizio validità), before `dueDate`; null: from now on.",
    "switchToExpired": "Whether the due date is binding: past it, the notice is EXPIRED and cannot be paid. Default"
    " false.",
    "payStandIn": "Whether it can be paid while the institution's system is down (Stand-In). Default true.",
    "transfers": "How the amount is divided (versamenti), instead of `iban` and `postalIban`: the ids differ, the"
    " amounts add up to that of the notice. Empty: the whole amount goes to the institution.",
    "iupd": "The institution's identifier of the debt position (IUPD).",
    "companyName": "The institution's name, as the notice shows it (ente creditore).",
    "officeName": "The office that issued it (unità operativa).",
    "metadata": "What the institution wants to keep with it: up to 10 texts by name.",
}
_DECLARED = {
    "iuv": "Need not be named: it follows from the notice number. Another one than the notice has is refused.",
    "occurredAt": "When the institution decided this, at most 5 minutes ahead; default: now. A declaration older than"
    " one that is known changes nothing.",
}
_ARCHIVE = {
    "creditorInstitution": "The institution that issued the notice.",
    "noticeNumber": "The number by which institution and debtor know it.",
    "iuv": "The identifier of the payment.",
    "origin": "Who communicated it, and so alone changes it: the institution (ec), or Gestione Posizioni Debitorie"
    " (gpd).",
    "status": "Where it stands now: SCHEDULED (not yet payable), ACTIVE (payable), EXPIRED, CANCELLED, CLOSED (paid"
    " outside pagoPA), PAID, REPORTED (in a flusso di rendicontazione).",
    "version": "How many events the notice has; each change adds at least one.",
    "publishedAt": "When it was first published.",
    "updatedAt": "When it last changed.",
    "ibanSource": "Whether `iban` was given or is the registered one; null where there are transfers.",
    "payments": "The receipts (ricevute telematiche) that came for it.",
    "settlements": "The lines of settlement flows (flussi di rendicontazione) that name it.",
    "endReason": "Why it was cancelled or closed.",
    "replacedBy": "The notice that took the place of this one.",
    "anomalies": "What came that contradicts what was declared, in order.",
}
_DEBTOR = {
    "type": "F: a natural person (persona fisica); G: a legal one (persona giuridica).",
    "fullName": "Name and surname, or company name (anagrafica).",
}
_POSITION = {
    "paFiscalCode": "The institution.",
    "entityType": "F: a natural person (persona fisica); G: a legal one (persona giuridica).",
    "entityFiscalCode": "Who owes.",
    "entityFullName": "Name and surname, or company name (anagrafica).",
    "iuv": "The identifier of the payment.",
    "nav": "The number of the notice; where it is not named, the one that goes with the IUV.",
    "amount": "What is owed, in euro cents; 0 cancels the position.",
    "description": "What is owed for (causale).",
    "expirationDate": "Until when it is to be paid.",
    "iban": "The account that is credited; where it is not named, the registered one, or the one it has.",
    "postalIban": "The account of the postal slip (bollettino postale).",
    "switchToExpired": "Whether the due date is binding.",
    "payStandIn": "Whether it can be paid while the institution's system is down (Stand-In).",
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
        "creditorInstitution": "The institution that is credited; it need not be registered.",
        "iban": "The account that is credited; a transfer has either this or a stamp.",
        "stamp": "The stamp that is bought; a transfer has either this or an IBAN.",
        "postalIban": "The account of the postal slip.",
        "remittanceInformation": "What the transfer is for (causale del versamento).",
        "category": "The kind of income (codice tassonomico).",
        "metadata": "What the institution wants to keep with it: up to 10 texts by name.",
    },
    "Stamp": {
        "hashDocument": "Digest of the document that is stamped (impronta del documento).",
        "stampType": "Kind of stamp (tipo bollo).",
        "provincialResidence": "Province of residence of the debtor (provincia di residenza), two letters.",
    },
    "LifeCycleEvent": {
        "type": "cancelled: the institution takes the notice back (annullato); closed: it was paid in another way;"
        " restored: a cancellation or closure is taken back.",
        "reason": "Why, in words; kept in the history.",
        "replacedBy": "The notice that takes the place of the cancelled one.",
        "occurredAt": _DECLARED["occurredAt"],
    },
    "Position": _POSITION,
    "PositionShown": {
        **_POSITION,
        "companyName": "The institution's name.",
        "amount": "What is owed, in euro cents.",
        "expirationDate": "Until when it is to be paid, in the time of Italy.",
        "status": "Where it stands, as GPD calls it: PUBLISHED (not yet payable), VALID, EXPIRED, INVALID"
        " (cancelled), PAID, REPORTED.",
    },
    "Payment": {
        "receiptId": "Identifier of the receipt (IUR).",
        "amount": "What was paid, in euro cents.",
        "paidAt": "When it was paid.",
        "standIn": "Whether it was paid while the institution's system was down.",
        "pspId": "Who took the money (prestatore di servizi di pagamento).",
        "pspName": "Its name.",
        "paymentMethod": "How it was paid.",
        "fee": "What the debtor paid for it (commissione), in euro cents.",
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
        "pspId": "Who took the money.",
    },
    "ListParameters": {
        "status": "Only notices that have this status now.",
        "anomaly": "Only notices with this anomaly; true: with any, false: with none.",
        "dueFrom": "Only notices due on this day or later.",
        "dueTo": "Only notices due on this day or earlier. A filter by due date orders by it.",
        "updatedFrom": "Only notices changed at this time or later.",
        "updatedTo": "Only notices changed before this time. A filter by change orders by it.",
        "limit": "How many at most.",
        "cursor": "`nextCursor` of the page before; the other filters stay as they were.",
    },
    "HistoryParameters": {
        "limit": "How many at most.",
        "cursor": "`nextCursor` of the page before.",
    },
    "AtParameter": {"at": "The past moment at which the notice is asked for, as the archive knew it then."},
}
