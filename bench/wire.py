"""A load generator's HTTP: one kept connection and one key, nothing else; cheap, so that it measures others."""

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson

LENGTH = b"content-length:"


UNAVAILABLE = b"HTTP/1.1 503"
TRIES, PAUSE = 5, 2.0
"""A caller repeats an unknown outcome under the same key, after the seconds of Retry-After (promises.md P2)."""


class Unexpected(RuntimeError):
    """An answer that is not 2xx; the text shows it, for the person at the bench."""


@dataclass
class Wire:
    """One connection to the API in the name of one key."""

    url: str
    token: str
    repeated: int = 0
    """How many answers said that the outcome is unknown."""
    _reader: asyncio.StreamReader | None = None
    _writer: asyncio.StreamWriter | None = None

    async def post(self, path: str, body: Any, key: str) -> Any:
        """POST JSON under an idempotency key; the parsed answer. Raises Unexpected."""
        return await self.send("POST", path, orjson.dumps(body), {"Idempotency-Key": key})

    async def send(
        self, method: str, path: str, body: bytes, headers: dict[str, str], kind: str = "application/json"
    ) -> Any:
        """One request and its answer; the connection is made when first needed. Raises Unexpected."""
        given = {"Content-Type": kind, "Content-Length": str(len(body)), **headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        asked = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {self.token}\r\n{lines}\r\n"
        head, answer = await self._exchange(asked.encode() + body)
        for _ in range(TRIES):
            if not head.startswith(UNAVAILABLE):
                break
            self.repeated += 1
            await asyncio.sleep(PAUSE)
            head, answer = await self._exchange(asked.encode() + body)
        if not head.startswith(b"HTTP/1.1 2"):
            raise Unexpected(f"{method} {path}: {head[:12].decode()} {answer[:600].decode()}")
        return orjson.loads(answer) if answer else None

    async def _exchange(self, asked: bytes) -> tuple[bytes, bytes]:
        reader, writer = await self._connected()
        writer.write(asked)
        head = await reader.readuntil(b"\r\n\r\n")
        return head, await reader.readexactly(_length(head))

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            await self._writer.wait_closed()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is None or self._writer is None:
            parts = urlsplit(self.url)
            self._reader, self._writer = await asyncio.open_connection(parts.hostname, parts.port)
        return self._reader, self._writer


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(LENGTH):
            return int(line[len(LENGTH) :])
    return 0
