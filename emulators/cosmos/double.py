"""The server of the double, and its controls for tests: faults, splits, the clock, the request log."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from ssl import SSLContext
from uuid import uuid4

import orjson
from aiohttp import web

from emulators.cosmos import charges
from emulators.cosmos.account import describe_account, on_container, on_database, on_ranges
from emulators.cosmos.call import CONSISTENCIES, Call
from emulators.cosmos.documents import Answer, Documents
from emulators.cosmos.faults import Fault, Faults
from emulators.cosmos.refusals import Refusal, not_implemented
from emulators.cosmos.request_log import Request, RequestLog
from emulators.cosmos.side_door import PREFIX, through_side_door
from emulators.cosmos.storage import Storage

HOST = "127.0.0.1"
"""Always loopback: the double protects no data."""
KEY = "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="
"""The key that Microsoft publishes for its emulators. No account has it."""


class CosmosDouble:
    """A Cosmos DB account on this machine."""

    def __init__(self, storage: Storage, ranges: int, consistency: str) -> None:
        if consistency not in CONSISTENCIES:
            raise ValueError(f"The consistency {consistency} is none of {', '.join(CONSISTENCIES)}.")
        self.key = KEY
        self.log = RequestLog()
        self.faults = Faults()
        self._storage = storage
        self._ranges = ranges
        self._consistency = consistency
        self._port = 0
        self._is_tls = False
        self._token: str | None = None
        self._ahead = 0.0

    @classmethod
    @asynccontextmanager
    async def started(
        cls,
        file: Path | None = None,
        ranges: int = 1,
        consistency: str = "Session",
        port: int = 0,
        tls: SSLContext | None = None,
        token: str | None = None,
    ) -> AsyncIterator["CosmosDouble"]:
        """Serve on this event loop until the end of the block.

        Without `file`, the data are in memory. `ranges` is how many physical partitions a new container has, and
        `consistency` is the default of the account. `token` is a token of Entra ID that the double accepts: with one,
        the SDK needs HTTPS, which `tls` switches on. Raises OSError if the port is in use, and ValueError.
        """
        storage = Storage(file)
        double = cls(storage, ranges, consistency)
        double._is_tls, double._token = tls is not None, token
        runner = web.ServerRunner(web.Server(double.handle, access_log=None), shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, port, ssl_context=tls).start()
            double._port = runner.addresses[0][1]
            yield double
        finally:
            await runner.cleanup()
            storage.close()

    @property
    def endpoint(self) -> str:
        """Return the address of the account."""
        return f"{'https' if self._is_tls else 'http'}://{HOST}:{self._port}/"

    @property
    def connection_string(self) -> str:
        """Return the connection string for a client."""
        return f"AccountEndpoint={self.endpoint};AccountKey={self.key};"

    def inject(self, *faults: Fault) -> None:
        """Add rules after the rules in force."""
        self.faults.rules.extend(faults)

    def split(
        self, database: str, container: str, range_id: str | None = None, at: list[str] | None = None
    ) -> tuple[str, str]:
        """Split a physical partition, and return the ids of its halves.

        If there is only one, it needs no `range_id`. The cut is at the partition key `at`, which may be only its first
        values, or in the middle.
        """
        where = self._storage.container(database, container)
        cut = where.key.hash(at) if at is not None else None
        ranges = self._storage.ranges(where)
        chosen = [r for r in ranges if (r.id == range_id if range_id else cut is None or r.holds(cut))]
        if len(chosen) != 1:
            raise ValueError(f"Name one of the ranges {', '.join(r.id for r in ranges)}.")
        low, high = self._storage.split(where, chosen[0], cut)
        return low.id, high.id

    def advance(self, seconds: float) -> None:
        """Move the clock of the double forward."""
        self._ahead += seconds

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request of a client."""
        # Not request.read(), which refuses bodies of 1 MiB. The limits here are those of the service.
        try:
            body = await request.content.read()
        except ConnectionError:
            return web.Response()  # The client is gone, and no answer reaches it.
        if request.raw_path.startswith(PREFIX):
            return self._through_side_door(request, body)
        call = Call.parse(request.method, request.raw_path, request.headers, body)
        key = _logged_key(call)
        fault = self.faults.hit(call.operation, call.container_name, key)
        if fault.delay:
            await asyncio.sleep(fault.delay)
        status, answer, headers = 0, None, dict[str, str]()
        if "before" not in (fault.drop, fault.hang):
            status, answer, headers = self._answer(call, fault)
        if fault.drop or fault.hang:
            status = 0
        charge = float(headers.get("x-ms-request-charge", 0))
        client = call.header("x-ms-client-id") or ""
        self.log.add(Request(call.operation, call.container_name, key, status, charge, client))
        if fault.drop:
            assert request.transport is not None
            request.transport.abort()
        if fault.hang:
            await asyncio.Event().wait()  # Until the double stops.
        return web.Response(status=status or 500, body=answer, headers=headers)

    def _through_side_door(self, request: web.BaseRequest, body: bytes) -> web.Response:
        try:
            done = through_side_door(self, request.method, request.path, body)
        except Refusal as refused:
            status, answer, headers = _refused(refused, "")
            return web.Response(status=status, body=answer, headers=headers)
        return web.Response(body=done, content_type="application/json")

    def _answer(self, call: Call, fault: Fault) -> Answer:
        refusal = fault.refusal()
        activity = call.header("x-ms-activity-id") or str(uuid4())
        common = {
            "content-type": "application/json",
            "x-ms-request-charge": "0",
            "x-ms-activity-id": activity,
        }
        try:
            if refusal and not fault.after_commit:
                raise refusal
            status, body, headers = self._carry_out(call, fault)
            if refusal:
                raise refusal
        except Refusal as refused:
            status, body, headers = _refused(refused, activity)
        if fault.body is not None and fault.status is not None:
            return fault.status, fault.body.encode(), fault.headers
        return status, body, common | headers | fault.headers

    def _carry_out(self, call: Call, fault: Fault) -> Answer:
        call.check_signature(self.key, self._token)
        now = time.time() + self._ahead
        match call.path:
            case ():
                return _json(describe_account(self.endpoint, self._consistency))
            case ("dbs",) | ("dbs", _):
                return _json(on_database(self._storage, call))
            case ("dbs", _, "colls") | ("dbs", _, "colls", _):
                return _json(on_container(self._storage, call, self._ranges))
            case ("dbs", database, "colls", name, "pkranges"):
                return _json(on_ranges(self._storage, self._storage.container(database, name), call))
            case ("dbs", database, "colls", name, "docs") | ("dbs", database, "colls", name, "docs", _):
                container = self._storage.container(database, name)
                consistency = call.consistency(self._consistency)
                return Documents(self._storage, container, call, now, consistency, fault).answer()
        raise not_implemented(f"{call.method} of {call.kind}")


def _json(answer: tuple[int, dict[str, object] | None, dict[str, str]]) -> Answer:
    status, body, headers = answer
    return status, None if body is None else orjson.dumps(body), headers


def _refused(refusal: Refusal, activity: str) -> Answer:
    body = {"code": refusal.code, "message": f"{refusal.message}\r\nActivityId: {activity}", **refusal.more}
    headers = {"content-type": "application/json", "x-ms-request-charge": f"{charges.REFUSED:g}", **refusal.headers}
    if refusal.substatus:
        headers["x-ms-substatus"] = str(refusal.substatus)
    if refusal.retry_after is not None:
        headers["x-ms-retry-after-ms"] = str(round(refusal.retry_after * 1000))
    return refusal.status, orjson.dumps(body), headers


def _logged_key(call: Call) -> tuple[object, ...]:
    try:
        return tuple(call.key or ())
    except Refusal:
        return ()
