"""A client of the double that sends what no SDK sends, and a container for it."""

import json
from dataclasses import dataclass
from typing import Any

import httpx

KEY = '["77777777777","1"]'
DOCS = "/dbs/archive/colls/notices/docs"
ITEM = {"id": "a", "institution": "77777777777", "number": "1", "n": 1}
CONTAINER: dict[str, Any] = {
    "id": "notices",
    "partitionKey": {"paths": ["/institution", "/number"], "kind": "MultiHash", "version": 2},
    "indexingPolicy": {
        "indexingMode": "consistent",
        "includedPaths": [{"path": "/n/?"}],
        "excludedPaths": [{"path": "/*"}],
        "compositeIndexes": [[{"path": "/n", "order": "ascending"}, {"path": "/id", "order": "descending"}]],
    },
    "defaultTtl": -1,
}
BATCH = {"x-ms-cosmos-is-batch-request": "True", "x-ms-cosmos-batch-atomic": "True"}
QUERY = {"x-ms-documentdb-isquery": "true", "content-type": "application/query+json"}


@dataclass(frozen=True, slots=True)
class Client:
    """A client that sends what it is told to."""

    http: httpx.AsyncClient

    async def send(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """Send a request, with a partition key unless the headers say otherwise; a body that is no text is JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {"x-ms-documentdb-partitionkey": KEY} | {name: value for name, value in headers.items() if value}
        if headers.get("x-ms-documentdb-partitionkey") == "":
            del named["x-ms-documentdb-partitionkey"]
        return await self.http.request(method, path, content=content, headers=named)

    async def ask(self, query: str, **headers: str) -> httpx.Response:
        """Send a query."""
        return await self.send("POST", DOCS, {"query": query}, **(QUERY | headers))
