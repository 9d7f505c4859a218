"""Checks: API Management has the operations of the contract, and hands requests on as they came."""

import json
import re
from collections.abc import Iterator
from xml.etree import ElementTree

from shared.http import MAX_BODY
from tests.infra.code import Code, operations_of
from tests.infra.predicted import Environment, evaluated, last_name

SERVICE = "ApiManagement/service"
NAMED_VALUE = re.compile(r"\{\{([\w-]+)\}\}")
HEADERS_OF_LOGS = ("x-tax-code", "Ocp-Apim-Subscription-Key")
"""Headers with personal data or a key. Each log hides them, should somebody add them to it."""
CONFLICTING = ("set-header", "set-query-parameter", "set-method", "rewrite-uri", "check-header", "validate-jwt")
"""Policies that would change or refuse a request before the archive sees it."""
LOGGING = ("log-to-eventhub", "trace", "emit-metric")
"""Policies that would write parts of a request somewhere."""


def operations(environment: Environment, code: Code) -> Iterator[str]:
    """Each operation of the contract is in the API, and none besides. Dev may go without a gateway."""
    apis = environment.all_of(f"{SERVICE}/apis")
    if not apis and environment.is_private:
        yield "there is no API"
    for api in apis:
        found = operations_of(json.loads(api["properties"]["value"]))
        yield from (f"{method} {path} is not in the API" for method, path in sorted(code.operations - found))
        yield from (f"{method} {path} is not in the contract" for method, path in sorted(found - code.operations))
        if "/" + api["properties"]["path"] != code.contract["servers"][0]["url"]:
            yield "the path of the API is not that of the contract"


def whole_contract(environment: Environment, code: Code) -> Iterator[str]:
    """The API is the contract, with all that it says about each operation."""
    for api in environment.all_of(f"{SERVICE}/apis"):
        if json.loads(api["properties"]["value"]) != code.contract:
            yield "the API differs from contract/openapi.json"


def keys(environment: Environment, code: Code) -> Iterator[str]:
    """The key of a caller is the archive's: the gateway neither needs nor takes it, nor any of its own."""
    name = code.contract["components"]["securitySchemes"]["subscriptionKey"]["name"]
    for api in environment.all_of(f"{SERVICE}/apis"):
        if api["properties"]["subscriptionRequired"] is not False:
            yield "the API wants a key of the gateway"
        if name in api["properties"]["subscriptionKeyParameterNames"].values():
            yield f"the gateway takes {name} for its own key"
    for product in environment.all_of(f"{SERVICE}/products"):
        if product["properties"]["subscriptionRequired"] is not False:
            yield "the product wants a key of the gateway"


def policies(environment: Environment, _: Code) -> Iterator[str]:
    """A policy is well-formed, keeps each part of its parents, and does not change the request of a caller."""
    found = environment.all_of(f"{SERVICE}/apis/policies")
    if len(found) != len(environment.all_of(f"{SERVICE}/apis")):
        yield "the API has no policy"
    for each in found:
        try:
            policy = ElementTree.fromstring(each["properties"]["value"])
        except ElementTree.ParseError as error:
            yield f"the policy is not well-formed: {error}"
            continue
        yield from (f"{part} has no <base />" for part in _PARTS if policy.find(f"{part}/base") is None)
        answered = {element for answer in policy.iter("return-response") for element in answer.iter()}
        inbound = [element for part in policy.findall("inbound") for element in part.iter()]
        for element in inbound:
            if element.tag in CONFLICTING and element not in answered:
                yield f"{element.tag} changes or refuses the request"
        yield from (f"{element.tag} writes parts of a request" for element in policy.iter() if element.tag in LOGGING)
        limits = [element for element in inbound if element.tag == "rate-limit-by-key"]
        if not any("Ocp-Apim-Subscription-Key" in element.get("counter-key", "") for element in limits):
            yield "the requests of a key are not limited"


def named(environment: Environment, code: Code) -> Iterator[str]:
    """Named values and backends exist, each is used, and the backend is the archive."""
    values, backends = environment.by_name(f"{SERVICE}/namedValues"), environment.by_name(f"{SERVICE}/backends")
    text = "".join(each["properties"]["value"] for each in environment.all_of(f"{SERVICE}/apis/policies"))
    used = set(NAMED_VALUE.findall(text))
    yield from (f"the policy names the value {name}, and it is not there" for name in sorted(used - values.keys()))
    yield from (f"no policy names the value {name}" for name in sorted(values.keys() - used))
    named_backends = set(re.findall(r'backend-id="([^"]+)"', text))
    yield from (
        f"the policy names the backend {each}, and it is not there" for each in named_backends - backends.keys()
    )
    yield from (f"no policy names the backend {each}" for each in backends.keys() - named_backends)
    site = last_name(environment.one("Web/sites"))
    address = f"https://<defaultHostName of {site}>/{code.host['extensions']['http']['routePrefix']}"
    for name, backend in backends.items():
        if evaluated(backend["url"]) != address:
            yield f"the backend {name} is not the archive"
    if values and int(values["largest-body"]["value"]) <= MAX_BODY:
        yield "the gateway refuses bodies that the archive takes"


def logs(environment: Environment, _: Code) -> Iterator[str]:
    """No log of the gateway has a header, a query, a body or the address of a caller."""
    for each in environment.all_of(f"{SERVICE}/apis/diagnostics"):
        if each["properties"].get("logClientIp") is not False:
            yield "the address of a caller is logged"
        for side in ("frontend", "backend"):
            for way in ("request", "response"):
                part = each["properties"].get(side, {}).get(way, {})
                where = f"the {way} of the {side}"
                if part.get("headers") != [] or part.get("body", {}).get("bytes") != 0:
                    yield f"{where} is logged with a header or its body"
                masks = part.get("dataMasking", {})
                hidden = {mask["value"] for mask in masks.get("headers", []) if mask["mode"] == "Hide"}
                yield from (f"{where}: {name} is not hidden" for name in HEADERS_OF_LOGS if name not in hidden)
                if {"value": "*", "mode": "Hide"} not in masks.get("queryParams", []):
                    yield f"{where}: the query is not hidden"


_PARTS = ("inbound", "backend", "outbound", "on-error")
