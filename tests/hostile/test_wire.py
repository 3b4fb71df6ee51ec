"""What only a real connection can do: bytes that are no HTTP, heads without end, bodies in pieces, forged proxies."""

import asyncio
import contextlib
import itertools
import json
import socket
import tracemalloc
from collections.abc import Iterable
from secrets import token_hex

import httpx
import pytest
import uvicorn

from runtime import wire
from runtime.embedded.ports import LOOPBACK
from runtime.services import run_web
from runtime.settings import Settings
from tests.authorization.framed import lacking, untold
from tests.hostile.conftest import Served
from tests.runtime.waiting import PATIENCE, until

LINE = b"POST /v1/policies HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
MEBIBYTE = 1024 * 1024


async def answered(served: Served, pieces: Iterable[bytes], within: float = PATIENCE) -> bytes:
    """What comes back over a connection of its own until it is closed; nothing where it was cut off."""
    reader, writer = await asyncio.open_connection(LOOPBACK, served.port)
    try:
        async with asyncio.timeout(within):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            return await reader.read()
    except ConnectionError:  # cut off while we were still speaking
        return b""
    finally:
        writer.close()


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def as_response(answer: bytes) -> httpx.Response:
    head, _, body = answer.partition(b"\r\n\r\n")
    fields = [(name, value) for name, _, value in (line.partition(b": ") for line in head.split(b"\r\n")[1:])]
    return httpx.Response(status(answer), headers=fields, content=body)


@pytest.mark.parametrize(
    "pieces",
    [
        [b"GET / HTTP/1.1\r\n", *[b"X-%d: " % number + b"a" * 1000 + b"\r\n" for number in range(20_000)]],
        [b"GET / HTTP/1.1\r\nX-Long: ", *[b"a" * 65536] * 300],
        [b"GET /", *[b"a" * 65536] * 300],
    ],
    ids=("lines", "one line", "address"),
)
async def test_a_head_without_end_is_cut_off_while_it_is_small(served: Served, pieces: list[bytes]) -> None:
    tracemalloc.start()
    try:
        answer = await answered(served, pieces)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert answer == b"" or status(answer) in (400, 431)
    assert most < 8 * MEBIBYTE, "a head of twenty megabytes was gathered"


async def test_a_head_that_does_not_come_is_not_waited_for(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "HEAD_WITHIN", 0.2)
    for begun in (b"", b"GET / HT", LINE):
        assert await answered(served, [begun]) == b""


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00\xff\xfe\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"BREW /v1/policies HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        LINE + b"Content-Length: -5\r\n\r\n",
        LINE + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        LINE + b"Content-Length: 2, 2\r\n\r\n{}",
        LINE + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        LINE + b"Content-Length: 99999999999999999999999\r\n\r\n",
        LINE + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        LINE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\r\n\x00b: c\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_told_as_a_problem(served: Served, raw: bytes) -> None:
    answer = await answered(served, [raw])
    assert status(answer) == 400
    told = as_response(answer)
    assert untold(told, as_page=False) + lacking(told) == []


CHUNKED = LINE + b"Connection: close\r\nIdempotency-Key: k\r\nTransfer-Encoding: chunked\r\n%s\r\n"
AFTER, BESIDE = b"2\r\n{}\r\n0\r\n", b"2;a"


async def test_fields_after_a_body_are_read_by_nobody(served: Served) -> None:
    """What a proxy may have let through unseen is no credential."""
    bearer = b"Authorization: Bearer " + served.world.actors["insurer_key"].bearer.encode() + b"\r\n"
    assert status(await answered(served, [CHUNKED % b"" + AFTER + bearer + b"\r\n"])) == 401
    assert status(await answered(served, [CHUNKED % bearer + AFTER + bearer + b"\r\n"])) == 422


@pytest.mark.parametrize("begun", [AFTER + b"X-Long: ", BESIDE], ids=("after a body", "beside a piece of one"))
async def test_what_stands_around_a_body_is_cut_off_while_it_is_small(served: Served, begun: bytes) -> None:
    endless = itertools.chain([CHUNKED % b"" + begun], itertools.repeat(b"a" * 65536, 300))
    tracemalloc.start()
    try:
        answer = await answered(served, endless)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert answer == b"" or status(answer) == 431
    assert most < 8 * MEBIBYTE, "twenty megabytes were gathered"


async def test_the_rest_of_a_body_nobody_reads_is_not_waited_for(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answered before its end, and going on byte by byte."""
    monkeypatch.setattr(wire, "HEAD_WITHIN", 1.0)

    reader, writer = await asyncio.open_connection(LOOPBACK, served.port)
    writer.write(LINE + b"Content-Length: 999999999\r\n\r\n")

    async def trickle() -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"a")
                await writer.drain()
                await asyncio.sleep(0.02)

    async with asyncio.timeout(PATIENCE):
        head = await reader.readuntil(b"\r\n\r\n")
        trickling = asyncio.create_task(trickle())
        with contextlib.suppress(ConnectionError):
            await reader.read()
    trickling.cancel()
    await asyncio.wait([trickling])
    writer.close()
    assert status(head) == 413


async def test_an_answer_nobody_takes_is_not_kept_for_ever(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LOOKED_AT", 0.2)
    most = 200  # answers, more than both ends of a connection put by
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, (LOOPBACK, served.port))

        def is_kept() -> bool:
            return any(
                getattr(one, "client", None) == client.getsockname() for one in served.server.server_state.connections
            )

        await until(is_kept)
        await loop.sock_sendall(client, b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * most)
        await until(lambda: not is_kept())


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /v1/me HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        b"GET /v1/me HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings, close\r\n\r\n",
        b"GET /v1/me HTTP/1.0\r\n\r\n",
        b"GET http://evil.example/v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /v1/me HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    ],
    ids=("websocket", "h2c", "HTTP/1.0", "whole address", "foreign host"),
)
async def test_another_protocol_or_host_is_answered_like_any_request(served: Served, raw: bytes) -> None:
    answer = await answered(served, [raw])
    assert status(answer) == 401
    told = as_response(answer)
    assert untold(told, as_page=False) + lacking(told) == []
    assert b"evil.example" not in answer


async def test_odd_paths_and_cookies_are_answered_plainly(served: Served) -> None:
    for raw, expected in (
        (b"/v1/policies/%ff%00", 404),
        (b"/%E0%80", 404),
        (b"//v1//me", 404),
        (b"*", 404),
        (b"/static/..%2f..%2fapp.py", 404),
        (b"/static/%ed%a0%80", 404),
        (b"/static/" + b"a" * 5000, 404),
        (b"/l/%F0%9F", 404),
        (b"/?a=%00", 422),
        (b"/static/api.css\r\nRange: bytes=" + b"0-1," * 2000 + b"5-", 0),
        (b"/", 200),
    ):
        line, _, more = raw.partition(b"\r\n")
        head = b"GET " + line + b" HTTP/1.1\r\nHost: x\r\nCookie: anze=\xff\xfe; \x80=1\r\nConnection: close\r\n" + more
        answer = await answered(served, [head, b"\r\n\r\n" if more else b"\r\n"])
        assert status(answer) == expected if expected else status(answer) < 500, (raw[:60], answer[:200])
        assert b"Traceback" not in answer


async def test_a_body_in_pieces_is_cut_off_at_the_limit(served: Served) -> None:
    bearer = served.world.actors["insurer_key"].bearer.encode()
    head = LINE + b"Idempotency-Key: k\r\nAuthorization: Bearer " + bearer + b"\r\nTransfer-Encoding: chunked\r\n"
    piece = b"10000\r\n" + b" " * 65536 + b"\r\n"
    answer = await answered(
        served, [head + b"Connection: close\r\n\r\n", *[piece] * 4, b"10\r\n" + b" " * 16 + b"\r\n"]
    )
    assert status(answer) == 413
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "too_large"


async def test_whom_a_stranger_says_it_speaks_for_is_not_believed(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """X-Forwarded-* counts from configured proxies alone (ASVS 4.1.3); by default from nobody, not from loopback."""
    believed: list[tuple[bool, str]] = []

    class Noted(uvicorn.Server):
        async def serve(self, sockets: object = None) -> None:
            believed.append((self.config.proxy_headers, str(self.config.forwarded_allow_ips)))

    known = {"secret": token_hex(16), "database_url": "postgresql://a:b@127.0.0.1/c"}
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    await run_web(Settings.model_validate(known), Noted)
    await run_web(Settings.model_validate(known | {"trusted_proxies": "10.0.0.7"}), Noted)
    assert believed == [(False, ""), (True, "10.0.0.7")]
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    forged |= {"Host": "evil.example", "X-Original-URL": "/operator", "X-HTTP-Method-Override": "DELETE"}
    link = f"/l/{served.world.holdings['own'].ids['link']}"
    seen = set[int]()
    async with httpx.AsyncClient(base_url=served.url, trust_env=False, headers=forged) as http:
        for path in ("/", "/enter", "/enter/code", link, "/insurer", "/docs", "/openapi.json", "/nowhere", "/v1/me"):
            page = await http.get(path, headers={"Accept": "text/html"})
            assert "evil.example" not in page.text + str(page.headers), path
            seen.add(page.status_code)
    assert seen == {200, 303, 401, 404}
