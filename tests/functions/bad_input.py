"""Bodies and numbers that no client should send."""

import gzip
import json
from collections.abc import Mapping
from typing import Any

import httpx

from tests.functions.client import EVENTS, JSON, NOTICE
from tests.support import NUMBER, a_body

WRITES = [("PUT", NOTICE), ("PATCH", NOTICE), ("POST", EVENTS)]
MAX_BODY = 256 * 1024
"""Bytes that a body may have."""

NOT_JSON = {
    "nothing": b"",
    "blanks": b" \n ",
    "a word": b"amount",
    "a form": b"amount=12050&description=TARI",
    "XML": b"<notice><amount>12050</amount></notice>",
    "keys without quotes": b"{amount: 12050}",
    "single quotes": b"{'amount': 12050}",
    "a trailing comma": b'{"amount": 12050,}',
    "a comment": b'{"amount": 12050 /* cents */}',
    "two values": b"{}{}",
    "lines of values": b"{}\n{}",
    "a cut value": b'{"amount": 12050',
    "a cut text": b'{"description": "TARI',
    "a number cut": b'{"amount": 12.',
    "a leading zero": b'{"amount": 012050}',
    "a plus sign": b'{"amount": +12050}',
    "a hexadecimal number": b'{"amount": 0x2F12}',
    "NaN": b'{"amount": NaN}',
    "Infinity": b'{"amount": Infinity}',
    "minus Infinity": b'{"amount": -Infinity}',
    "True": b'{"payStandIn": True}',
    "a line break in a text": b'{"description": "TARI\n2026"}',
    "a bare NUL in a text": b'{"description": "TARI\0"}',
    "a NUL at the end": b"{}\0",
    "an unknown escape": b'{"description": "\\x41"}',
    "a cut escape": b'{"description": "\\u00"}',
    "lists too deep": b"[" * 100_000,
    "closed lists too deep": b"[" * 20_000 + b"]" * 20_000,
    "objects too deep": b'{"debtor":' * 20_000 + b"1" + b"}" * 20_000,
    "metadata too deep": b'{"metadata": {"k":' + b"[" * 5_000 + b"]" * 5_000 + b"}}",
}

NOT_UTF_8 = {
    "Latin-1": '{"description": "perché"}'.encode("latin-1"),
    "UTF-16 with its mark": json.dumps(a_body()).encode("utf-16"),
    "UTF-32 with its mark": json.dumps(a_body()).encode("utf-32"),
    "an overlong slash": b'{"description": "\xc0\xaf"}',
    "a surrogate": b'{"description": "\xed\xa0\x80"}',
    "beyond Unicode": b'{"description": "\xf4\x90\x80\x80"}',
    "a cut character": b'{"description": "\xe2\x82"}',
    "in a key": b'{"descri\xffption": "TARI"}',
    "compressed bytes": gzip.compress(b"{}"),
}

MISENCODED = {
    "a lone surrogate": rb'{"description": "\ud800"}',
    "a lone low surrogate": rb'{"description": "\udc00"}',
    "a pair the wrong way round": rb'{"description": "\udc00\ud800"}',
    "a surrogate before a letter": rb'{"description": "\ud83da"}',
    "a lone surrogate in a key": rb'{"metadata": {"\ud800": "v"}}',
    "a lone surrogate in the middle of metadata": rb'{"metadata": {"k": "a\udfffb"}}',
    "a byte order mark": b"\xef\xbb\xbf{}",
}

ODD_NUMBERS = {
    "an encoded slash": "347%2F000",
    "a control character": "%01",
    "a control character after the number": f"{NUMBER}%01",
    "no encoding": "%zz",
    "a cut encoding": "%",
    "no UTF-8": "%FF",
    "an encoded surrogate": "%ED%A0%80",
    "digits of another script": "%D9%A3%D9%A4" + NUMBER[2:],
    "full-width digits": "%EF%BC%93" + NUMBER[1:],
    "superscript digits": "%C2%B2" + NUMBER[1:],
    "very long": "3" * 8000,
    "dots": "....",
    "encoded dots": "%2E%2E%2E",
    "a blank": "%20",
    "a blank before": f"%20{NUMBER}",
    "a plus": f"+{NUMBER}",
    "a line break": f"{NUMBER}%0A",
    "a semicolon": f"{NUMBER};v=1",
    "a quote": "%27%20OR%201=1--",
    "a wildcard": "%25",
    "a star": "*",
    "braces": "%7Bnav%7D",
    "a reverse solidus": "..%5C..",
    "an accent": "%C3%A9",
}


async def send_all(http: httpx.AsyncClient, content: bytes, headers: Mapping[Any, Any] = JSON) -> list[httpx.Response]:
    """Send a body to every operation that takes one."""
    return [await http.request(method, path, content=content, headers=headers) for method, path in WRITES]


def padded(size: int) -> bytes:
    """Return a notice of so many bytes."""
    body = json.dumps(a_body()).encode()
    return body + b" " * (size - len(body))
