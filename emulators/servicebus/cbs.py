"""Check the tokens that clients put into $cbs: a shared access signature for each entity that they use."""

import base64
import hashlib
import hmac
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote_plus

from emulators.servicebus.addresses import path_of
from emulators.servicebus.amqp.values import Int
from emulators.servicebus.refusals import UNAUTHORIZED, Refusal, not_implemented
from emulators.servicebus.requests import Request

if TYPE_CHECKING:
    from emulators.servicebus.connection import Connection

_SCHEME = "SharedAccessSignature "
_LONGEST_TIME = 12


def put_token(connection: "Connection", message: bytes) -> tuple[Request, bytes]:
    """Answer a request to $cbs. A good token opens its entity for the connection. Raises Refusal."""
    request = Request.parse(message)
    path = path_of(str(request.arguments.get("name", "")))

    def check() -> None:
        if request.arguments.get("operation") != "put-token":
            raise not_implemented(f"the operation {request.arguments.get('operation')} of $cbs")
        check_token(str(request.body), path, connection.service.key_name, connection.service.key)
        connection.grant(path)

    status, description = 202, "Accepted"
    try:
        connection.service.perform(connection, "PutToken", path, check)
    except Refusal as refusal:
        status, description = refusal.status, refusal.description
    return request, request.answer({"status-code": Int(status), "status-description": description})


def check_token(token: str, path: str, key_name: str, key: str) -> None:
    """Raise Refusal for a token of another key, for another entity, or of the past.

    The client makes the token by the clock of this machine, so it is not the clock of the double that counts.
    """
    fields = dict(parse_qsl(token.removeprefix(_SCHEME), keep_blank_values=True))
    if not token.startswith(_SCHEME) or not {"sr", "sig", "se", "skn"} <= set(fields):
        raise Refusal(UNAUTHORIZED, "MalformedToken: The token is no shared access signature.")
    signed = token.removeprefix(_SCHEME)
    resource = next(part[3:] for part in signed.split("&") if part.startswith("sr="))
    expected = hmac.digest(key.encode(), f"{resource}\n{fields['se']}".encode(), hashlib.sha256)
    signature = fields["sig"].replace(" ", "+")
    if fields["skn"] != key_name or not hmac.compare_digest(base64.b64encode(expected), signature.encode()):
        raise Refusal(UNAUTHORIZED, "InvalidSignature: The token has an invalid signature.")
    if not fields["se"].isdecimal() or len(fields["se"]) > _LONGEST_TIME or int(fields["se"]) <= time.time():
        raise Refusal(UNAUTHORIZED, "ExpiredToken: The token is expired.")
    allowed = path_of(unquote_plus(resource)).lower()
    if allowed and not f"{path.lower()}/".startswith(f"{allowed.rstrip('/')}/"):
        raise Refusal(UNAUTHORIZED, "InvalidAudience: The token is for another entity.")
