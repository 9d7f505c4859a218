"""The institutions and callers of the development host, as JSON for the other sides."""

import orjson

from local.seed import COMUNE, LOCAL_EC, LOCAL_PLATFORM, PAGOPA


def registry() -> bytes:
    """Return the registry as the peer reads it."""
    institutions = [
        {
            "fiscal_code": one.fiscal_code,
            "lenient": one.lenient,
            "iban": one.default_iban and one.default_iban.iban,
            "iban_is_postal": bool(one.default_iban and one.default_iban.postal),
        }
        for one in (COMUNE, PAGOPA)
    ]
    callers = [
        {
            "key_hash": key.hash,
            "name": one.name,
            "role": one.role,
            "scopes": sorted(one.scopes),
            "grants": {str(institution): sorted(codes) for institution, codes in one.grants.items()},
        }
        for one in (LOCAL_EC, LOCAL_PLATFORM)
        for key in one.keys
    ]
    return orjson.dumps({"institutions": institutions, "callers": callers})
