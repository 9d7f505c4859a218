"""What the development host does around a function: addresses, requests, answers, and its own life."""

import asyncio
import json
import logging
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from weakref import ref

import httpx
import pytest
import uvicorn

from local.__main__ import server_config
from local.bodies import MAX_BODY_SIZE, Bodies
from local.functions import Function, NotLoadable
from local.host import Host
from tests.server import PATIENCE

APP = """
import asyncio
import json

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


async def echo(req: func.HttpRequest) -> func.HttpResponse:
    seen = {
        "method": req.method,
        "url": req.url,
        "headers": dict(req.headers),
        "params": dict(req.params),
        "route": dict(req.route_params),
        "body": req.get_body().decode(),
    }
    return func.HttpResponse(json.dumps(seen), mimetype="application/json")


app.function_name("echo_one")(app.route(route="echo/{first}")(echo))
app.function_name("echo_two")(app.route(route="echo/{first}/{second}")(echo))


@app.route(route="plain", methods=["GET", "POST"])
async def plain(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("plain")


@app.route(route="size", methods=["PUT"])
async def size(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(str(len(req.get_body())))


@app.route(route="answers/{which}", methods=["GET", "HEAD"])
async def answers(req: func.HttpRequest):
    which = req.route_params["which"]
    if which == "text":
        return "perché"
    if which == "nothing":
        return None
    if which == "number":
        return 7
    if which in ("Content-Length", "Transfer-Encoding"):
        return func.HttpResponse("twelve bytes", headers={which: "3"})
    if which == "unsendable":
        return func.HttpResponse("", headers={"X-Name": "perché"})
    if which == "twice":
        response = func.HttpResponse("")
        response.headers.add("X-Twice", "a")
        response.headers.add("x-twice", "b")
        return response
    return func.HttpResponse("a body", status_code=int(which))


@app.route(route="fails")
async def fails(req: func.HttpRequest) -> func.HttpResponse:
    try:
        int("RSSMRA80A01H501U")
    except ValueError as error:
        raise LookupError("Mario Rossi") from error


@app.timer_trigger(arg_name="timer", schedule="* * * * * *")
async def tick(timer: func.TimerRequest) -> None:
    ticked.set()
    try:
        await asyncio.Event().wait()
    finally:
        stopped.set()


ticked = asyncio.Event()
stopped = asyncio.Event()
"""


@pytest.fixture(scope="module")
def app_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("app")
    (directory / "sample_app.py").write_text(APP)
    (directory / "host.json").write_text('{"version": "2.0"}')
    return directory


@pytest.fixture
def host(app_dir: Path) -> Host:
    return Host.load(app_dir, module="sample_app")


@pytest.fixture
def sample_app(host: Host) -> Any:
    """Return the module of the app, as no test has left it."""
    module: Any = sys.modules["sample_app"]
    module.ticked, module.stopped = asyncio.Event(), asyncio.Event()
    return module


@pytest.fixture
async def client(host: Host) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(host), base_url="http://archive.test/api") as made:
        yield made


async def sent(host: Host, messages: Iterator[dict[str, Any]], **changed: Any) -> list[dict[str, Any]]:
    """What the host sends for a request that no client library would make."""
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": "/api/plain",
        "query_string": b"",
        "headers": [(b"transfer-encoding", b"chunked")],
        **changed,
    }
    answers: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return next(messages)

    async def send(message: Any) -> None:
        answers.append(dict(message))

    await host(scope, receive, send)
    return answers


async def put_size(host: Host, length: int, *chunks: bytes) -> list[dict[str, Any]]:
    """What the host sends for a body whose length is announced; the function answers with the length."""
    headers = [(b"content-length", b"%d" % length)]
    return await sent(host, body(*chunks), method="PUT", path="/api/size", headers=headers)


def body(*chunks: bytes) -> Iterator[dict[str, Any]]:
    for chunk in chunks:
        yield {"type": "http.request", "body": chunk, "more_body": True}
    yield {"type": "http.request"}


def received(*chunks: bytes) -> Callable[[], Awaitable[dict[str, Any]]]:
    """Return what a server would call `receive`."""
    messages = body(*chunks)

    async def receive() -> dict[str, Any]:
        return next(messages)

    return receive


def closing(status: int, *headers: tuple[bytes, bytes]) -> list[dict[str, Any]]:
    """Return what the host sends for an empty answer that ends its connection."""
    framing = [(b"content-length", b"0"), (b"connection", b"close")]
    return [
        {"type": "http.response.start", "status": status, "headers": [*headers, *framing]},
        {"type": "http.response.body", "body": b"", "more_body": True},
        {"type": "http.response.body", "body": b""},
    ]


async def echoed(host: Host, raw_path: bytes, **changed: Any) -> dict[str, Any]:
    answer = await sent(host, body(), path=unquote(raw_path), raw_path=raw_path, **changed)
    seen: dict[str, Any] = json.loads(answer[1]["body"])
    return seen


@asynccontextmanager
async def served(host: Host) -> AsyncIterator[int]:
    """The port of a real server before the host."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(server_config(host))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await serving


# Addresses


async def test_a_function_answers_below_the_prefix_of_the_host(client: httpx.AsyncClient) -> None:
    assert (await client.get("/plain")).text == "plain"
    assert (await client.get("http://archive.test/plain")).status_code == 404


@pytest.mark.parametrize(("prefix", "address"), [("", "/plain"), ("v9/x", "/v9/x/plain")])
async def test_the_prefix_is_the_one_of_host_json(prefix: str, address: str, app_dir: Path, tmp_path: Path) -> None:
    module = f"prefixed_{prefix.replace('/', '_')}"
    (tmp_path / f"{module}.py").write_text(APP)
    (tmp_path / "host.json").write_text(json.dumps({"extensions": {"http": {"routePrefix": prefix}}}))
    host = Host.load(tmp_path, module=module)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(host), base_url="http://archive.test") as client:
        assert (await client.get(address)).text == "plain"
        assert (await client.get("/api/plain")).status_code == 404


async def test_every_answer_has_the_custom_headers_of_host_json(app_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "app_of_headers.py").write_text(APP)
    http = {"customHeaders": {"X-Content-Type-Options": "nosniff"}}
    (tmp_path / "host.json").write_text(json.dumps({"extensions": {"http": http}}))
    host = Host.load(tmp_path, module="app_of_headers", bodies=Bodies(max_size=0))

    for path, status in (("/api/plain", 200), ("/api/nothing", 404), ("/", 404), ("/api/fails", 500)):
        (start, _) = await sent(host, body(), path=path)
        assert (start["status"], dict(start["headers"])[b"x-content-type-options"]) == (status, b"nosniff")
    start, *_ = await put_size(host, 1, b"a")
    assert (start["status"], dict(start["headers"])[b"x-content-type-options"]) == (500, b"nosniff")


@pytest.mark.parametrize("content", ["", "{", "version: 2.0"])
def test_a_host_json_that_is_no_json_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text(content)

    with pytest.raises(NotLoadable, match=r"host\.json is not JSON"):
        Host.load(tmp_path)


async def test_two_hosts_of_one_app_both_answer(app_dir: Path) -> None:
    for host in (Host.load(app_dir, module="sample_app"), Host.load(app_dir, module="sample_app")):
        assert (await sent(host, body()))[0]["status"] == 200


async def test_case_and_a_last_slash_do_not_matter_but_values_are_kept(client: httpx.AsyncClient) -> None:
    answer = await client.get("/ECHO/Abc/")

    assert answer.json()["route"] == {"first": "Abc"}


@pytest.mark.parametrize("slash", ["%2F", "%2f"])
async def test_a_percent_encoded_slash_never_changes_the_route(slash: str, host: Host) -> None:
    seen = await echoed(host, f"/api/echo/a{slash}b/c".encode())

    assert seen["route"] == {"first": f"a{slash}b", "second": "c"}


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"perch%C3%A9", "perché"),
        (b"%2541", "%41"),
        (b"a+b%20c", "a+b c"),
        (b"%FF%fe", "%FF%fe"),
        (b"%C3%28%ED%A0%80", "%C3(%ED%A0%80"),
        (b"100%", "100%"),
        (b"%zz%4", "%zz%4"),
        (b"%0D%0A%7F%22", '\r\n\x7f"'),
        (b"%3Fx", "?x"),
    ],
)
async def test_a_value_in_an_address_is_decoded_once(raw: bytes, value: str, host: Host) -> None:
    assert (await echoed(host, b"/api/echo/" + raw))["route"] == {"first": value}


async def test_an_encoded_letter_of_the_address_is_that_letter(host: Host) -> None:
    assert (await echoed(host, b"/%61pi/%65cho/x"))["route"] == {"first": "x"}


async def test_an_address_without_its_raw_form_is_served_too(host: Host) -> None:
    (start, _) = await sent(host, body(), path="/api/echo/perché")

    assert start["status"] == 200


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"/api/echo/./x", "x"),
        (b"/api/echo/y/../x", "x"),
        (b"/api/echo/y/%2e%2E/x", "x"),
        (b"/api/plain/../echo/x/.", "x"),
        (b"/api/echo/x/y/..", "x"),
        (b"/../../api/echo/x", "x"),
        (b"/api/echo/..x", "..x"),
        (b"/api/echo/y%2F..", "y%2F.."),
    ],
)
async def test_dot_segments_are_resolved_before_the_route_is_found(raw: bytes, value: str, host: Host) -> None:
    assert (await echoed(host, raw))["route"] == {"first": value}


@pytest.mark.parametrize(
    "path", ["", "*", "/", "//", "/api", "/api//plain", "//api/plain", "/api/plain//", "/api/pla", "/api/plain/.."]
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "BREW"])
async def test_an_unknown_address_is_an_empty_404(method: str, path: str, host: Host) -> None:
    start, content = await sent(host, body(), method=method, path=path, raw_path=path.encode())

    assert (start["status"], start["headers"], content["body"]) == (404, [(b"content-length", b"0")], b"")


@pytest.mark.parametrize("method", ["DELETE", "HEAD", "OPTIONS", "BREW"])
async def test_a_method_that_an_address_does_not_have_is_an_empty_404(method: str, host: Host) -> None:
    start, content = await sent(host, body(), method=method)

    assert (start["status"], start["headers"], content["body"]) == (404, [(b"content-length", b"0")], b"")


async def test_a_route_that_names_no_method_answers_all(client: httpx.AsyncClient) -> None:
    for method in ("GET", "POST", "DELETE", "PATCH", "PUT", "OPTIONS", "BREW"):
        assert (await client.request(method, "/echo/x")).json()["method"] == method


# Requests


async def test_a_request_comes_whole(client: httpx.AsyncClient) -> None:
    answer = await client.put("/echo/a%20b?x=1", content="perché", headers={"X-Made-Up": "Yes"})

    seen = answer.json()
    assert seen["url"] == "http://archive.test/api/echo/a%20b?x=1"
    assert seen["body"] == "perché"
    assert seen["headers"]["x-made-up"] == "Yes"


@pytest.mark.parametrize(
    ("query", "params"),
    [
        (b"", {}),
        (b"a=1&b=2", {"a": "1", "b": "2"}),
        (b"a=&b", {}),
        (b"a=&a=1", {"a": "1"}),
        (b"at=2026-11-23T12:00:00+01:00", {"at": "2026-11-23T12:00:00 01:00"}),
        (b"at=%2B01", {"at": "+01"}),
        (b"a=1&a=2&A=3&b=4", {"a": "1,2,3", "b": "4"}),
        (b"a=%FF", {"a": "%FF"}),
        (b"a=%C3%28%ff%c3%a8%ED%A0%80", {"a": "%C3(%ffè%ED%A0%80"}),
        (b"a=\xff", {"a": "\ufffd"}),
        (b"a=b=c&&%", {"a": "b=c"}),
        (b"a;b=x%26y;z", {"a;b": "x&y;z"}),
        (b"a=%zz%4", {"a": "%zz%4"}),
        (b"a=%41%00", {"a": "A%00"}),
    ],
)
async def test_a_query_is_read_as_on_the_platform(query: bytes, params: dict[str, str], host: Host) -> None:
    assert (await echoed(host, b"/api/echo/x", query_string=query))["params"] == params


@pytest.mark.parametrize("query", ["a=1&a=2", "d&e=", "f=%FF", "A=%41+%2B", "&&", "?"])
async def test_the_url_keeps_the_query_as_it_was_sent(query: str, host: Host) -> None:
    seen = await echoed(host, b"/api/echo/x", query_string=query.encode(), headers=[(b"host", b"a.test")])

    assert seen["url"] == f"http://a.test/api/echo/x?{query}"


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"%6E%2e", "n."),
        (b"a%2Fb", "a%2Fb"),
        (b"a%252Fb", "a%2Fb"),
        (b"100%", "100%25"),
        (b"a b", "a%20b"),
        (b"%22", "%22"),
        (b"%c3%a9", "%C3%A9"),
        (b"%FF", "%FF"),
    ],
)
async def test_the_url_has_the_decoded_path_encoded_again(raw: bytes, path: str, host: Host) -> None:
    seen = await echoed(host, b"/api/echo/" + raw, headers=[(b"host", b"a.test")])

    assert seen["url"] == f"http://a.test/api/echo/{path}"


async def test_a_header_that_comes_twice_is_joined_with_a_comma(host: Host) -> None:
    headers = [(b"if-match", b'"1"'), (b"x-other", "é".encode()), (b"if-match", b'"2"')]

    seen = await echoed(host, b"/api/echo/x", headers=headers)

    assert seen["headers"] == {"if-match": '"1","2"', "x-other": "é"}


async def test_a_body_in_pieces_is_put_together(host: Host) -> None:
    start, content = await put_size(host, 4, b"ab", b"", b"cd")

    assert (start["status"], content["body"]) == (200, b"4")


async def test_a_body_without_its_length_is_lost(host: Host) -> None:
    start, content = await sent(
        host, body(b"ab"), method="PUT", path="/api/size", headers=[(b"transfer-encoding", b"chunked")]
    )

    assert (start["status"], content["body"]) == (200, b"0")


async def test_a_body_of_the_limit_is_taken(host: Host) -> None:
    start, content = await put_size(host, MAX_BODY_SIZE, *[bytes(1024 * 1024)] * 100)

    assert (start["status"], content["body"]) == (200, str(MAX_BODY_SIZE).encode())


async def test_a_body_over_the_limit_is_500_and_the_rest_is_not_kept(host: Host) -> None:
    messages = body(*[bytes(1024 * 1024)] * 105)

    answers = await sent(host, messages, method="PUT", path="/api/size")

    assert answers == closing(500)
    assert next(messages, None) is None, "The client would still be sending."


async def test_a_body_of_one_byte_over_the_limit_is_500(app_dir: Path) -> None:
    host = Host.load(app_dir, module="sample_app", bodies=Bodies(max_size=10))

    assert (await put_size(host, 10, b"12345", b"67890"))[1]["body"] == b"10"
    assert await sent(host, body(b"12345", b"67890", b"1"), method="PUT", path="/api/size") == closing(500)


async def test_a_refused_body_is_not_kept_while_its_rest_is_read(app_dir: Path) -> None:
    host = Host.load(app_dir, module="sample_app", bodies=Bodies(max_size=10))
    kept: list[bool] = []

    def messages() -> Iterator[dict[str, Any]]:
        chunk = Chunk(b"123456")
        first = ref(chunk)
        yield {"type": "http.request", "body": chunk, "more_body": True}
        del chunk
        yield {"type": "http.request", "body": Chunk(b"123456"), "more_body": True}
        kept.append(first() is not None)
        yield {"type": "http.request"}

    assert await sent(host, messages(), method="PUT", path="/api/size") == closing(500)
    assert kept == [False]


class Chunk(bytearray):
    """A part of a body, of which one can see whether it is kept."""


async def test_a_client_that_asks_first_is_refused_before_it_sends(host: Host) -> None:
    headers = [(b"content-length", str(MAX_BODY_SIZE + 1).encode()), (b"expect", b"100-continue")]

    messages = body(b"what is asked for is sent")
    answers = await sent(host, messages, method="PUT", path="/api/size", headers=headers)

    assert answers == closing(500)
    assert next(messages)["body"] == b"what is asked for is sent"


async def test_a_refused_body_closes_its_connection_and_the_next_one_works(host: Host) -> None:
    async with asyncio.timeout(PATIENCE), served(host) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"PUT /api/size HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\nabc" % (MAX_BODY_SIZE + 1))
        assert (await reader.readline()).startswith(b"HTTP/1.1 500 ")
        writer.close()

        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            assert (await client.put("/api/size", content=b"abc")).text == "3"


async def test_a_body_that_comes_too_slowly_is_500_and_the_end(app_dir: Path) -> None:
    host = Host.load(app_dir, module="sample_app", bodies=Bodies(grace_period=0.05))
    async with asyncio.timeout(PATIENCE), served(host) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"PUT /api/size HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\na")
        answer = await reader.read()
        writer.close()

    assert b"\r\n\r\nHTTP/1.1 500 " in answer
    assert answer.endswith(b"content-length: 0\r\nconnection: close\r\n\r\n")


async def test_a_body_of_which_nothing_comes_is_500(app_dir: Path) -> None:
    host = Host.load(app_dir, module="sample_app", bodies=Bodies(grace_period=0.05))
    async with asyncio.timeout(PATIENCE), served(host) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"PUT /api/size HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n")
        answer = await reader.read()
        writer.close()

    assert answer.startswith(b"HTTP/1.1 500 ")


async def test_the_rest_of_a_body_that_comes_too_slowly_is_not_waited_for(app_dir: Path) -> None:
    host = Host.load(app_dir, module="sample_app", bodies=Bodies(grace_period=0.05))
    async with served(host) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"PUT /api/size HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na")
        async with asyncio.timeout(4):  # less than the rest of any other body is waited for
            answer = await reader.read()
        writer.close()

    assert answer.startswith(b"HTTP/1.1 500 ")


async def test_a_body_that_keeps_its_pace_may_take_longer_than_the_grace() -> None:
    first, *others = body(b"a", b"b")
    messages = iter(others)

    async def receive() -> dict[str, Any]:
        if bodies.in_memory == 0:
            return first
        await asyncio.sleep(2 * bodies.grace_period)
        return next(messages)

    bodies = Bodies(grace_period=0.05, min_rate=0.01)
    async with bodies.receive({"transfer-encoding": "chunked"}, receive) as content:
        assert content == b"ab"


async def test_bodies_for_which_there_is_no_room_are_503_until_others_end(app_dir: Path) -> None:
    bodies = Bodies(max_total=10)
    host = Host.load(app_dir, module="sample_app", bodies=bodies)
    async with bodies.receive({"transfer-encoding": "chunked"}, received(b"123456")):
        announced = await put_size(host, 5, b"12345")
        growing = await sent(host, body(b"123", b"45"), method="PUT", path="/api/size")
        fitting = await put_size(host, 4, b"1234")
    after = await put_size(host, 10, b"1234567890")

    assert announced == growing == closing(503, (b"retry-after", b"1"))
    assert (fitting[1]["body"], after[1]["body"]) == (b"4", b"10")
    assert bodies.in_memory == 0


async def test_a_client_that_leaves_before_its_body_is_read_gets_no_answer(host: Host) -> None:
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"a", "more_body": True},
        {"type": "http.disconnect"},
    ]

    assert await sent(host, iter(messages), method="PUT", path="/api/size") == []


async def test_an_address_that_is_no_text_does_not_stop_a_real_server(host: Host) -> None:
    async with asyncio.timeout(PATIENCE), served(host) as port:
        for path in (b"/api/echo/%FF", b"/api/echo/\xff", b"*", b"/api/echo/%00"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"OPTIONS " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 ")
            writer.close()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            assert (await client.get("/api/plain")).text == "plain"


# Answers


async def test_a_text_is_plain_text(client: httpx.AsyncClient) -> None:
    answer = await client.get("/answers/text")

    assert (answer.status_code, answer.text) == (200, "perché")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-length"] == "7"


@pytest.mark.parametrize("status", ["204", "205", "304"])
async def test_a_body_of_a_status_without_a_body_is_dropped_and_logged(
    status: str, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "archive"):
        answer = await client.get(f"/answers/{status}")

    assert (answer.status_code, answer.content) == (int(status), b"")
    assert dict(answer.headers) == {"content-type": "text/plain; charset=utf-8"}
    (entry,) = (json.loads(record.getMessage()) for record in caplog.records)
    assert entry == {"event": "body_dropped", "function": "answers", "status": int(status)}


async def test_the_answer_to_head_tells_the_length_and_has_no_body(host: Host) -> None:
    start, content = await sent(host, body(), method="HEAD", path="/api/answers/200")

    assert (start["status"], content["body"]) == (200, b"")
    assert (b"content-length", b"6") in start["headers"]


async def test_of_a_header_that_is_set_twice_the_last_is_sent(client: httpx.AsyncClient) -> None:
    answer = await client.get("/answers/twice")

    assert answer.headers.get_list("x-twice") == ["b"]


@pytest.mark.parametrize(
    "which", ["nothing", "number", "unsendable", "199", "600", "Content-Length", "Transfer-Encoding"]
)
async def test_what_cannot_be_sent_is_a_failure_of_the_function(
    which: str, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await client.get(f"/answers/{which}")

    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (500, b"", "0")
    (entry,) = (json.loads(record.getMessage()) for record in caplog.records if record.name == "archive")
    assert (entry["event"], entry["function"]) == ("function_failed", "answers")


async def test_a_failed_function_is_logged_without_the_text_of_its_errors(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await client.get("/fails")

    assert (answer.status_code, answer.content) == (500, b"")
    (entry,) = (json.loads(record.getMessage()) for record in caplog.records if record.name == "archive")
    assert (entry["event"], entry["function"]) == ("function_failed", "fails")
    assert entry["error"] == "LookupError caused by ValueError"
    assert "sample_app.py" in caplog.text
    assert "Rossi" not in caplog.text
    assert "RSSMRA80A01H501U" not in caplog.text


async def test_an_error_of_a_task_that_nothing_awaits_is_logged_without_its_text(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise LookupError("Mario Rossi")

    async with served(host):
        task = asyncio.create_task(fail())
        await asyncio.wait([task])
        del task

    assert '"event": "error_not_handled", "error": "LookupError"' in caplog.text
    assert "Rossi" not in caplog.text


# Life


async def test_the_timers_run_from_the_start_to_the_stop(host: Host, sample_app: Any) -> None:
    async with asyncio.timeout(PATIENCE), served(host):
        await sample_app.ticked.wait()
        assert not sample_app.stopped.is_set()

    assert sample_app.stopped.is_set()


def test_a_function_with_a_trigger_that_this_host_does_not_run_is_refused_by_name() -> None:
    async def relay(items: object) -> None: ...

    function = Function("relay", relay, {"type": "cosmosDBTrigger", "name": "items"})

    with pytest.raises(NotLoadable, match="relay: this host does not run a cosmosDBTrigger"):
        Host([function], "api")
