"""Payloads sealed before they reach Temporal (AES-256-GCM, rotating keys), and the converter every process shares."""

import asyncio
import os
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter, pydantic_data_converter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
)

from models.tables.sealed import NONCE_BYTES, FieldKeys
from runtime.settings import Settings

ENCODING = b"binary/anze-sealed"
KEY = "anze-key"
PURPOSE = b"anze/payload/"
"""Bound into every seal: nothing sealed for another purpose under the same key passes for a payload."""
WORTH_PACKING = 512  # bytes; below, compression costs more than it saves
PLAIN, PACKED = b"\x00", b"\x01"
IN_A_THREAD = 64 * 1024  # bytes; above, the event loop is not held up


class Unreadable(Exception):
    """A payload whose key is not here, or that was changed on the way."""


class SealedPayloads(PayloadCodec):
    """Seals with the current key, opens with any key that is still here; what is not sealed passes as it is."""

    def __init__(self, keys: FieldKeys) -> None:
        self._keys = keys

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return await _off_the_loop(self._sealed, payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Raises Unreadable."""
        return await _off_the_loop(self._opened, payloads)

    def _sealed(self, payloads: Iterable[Payload]) -> list[Payload]:
        return [self._seal(one) for one in payloads]

    def _opened(self, payloads: Iterable[Payload]) -> list[Payload]:
        return [self._open(one) if is_sealed(one) else one for one in payloads]

    def _seal(self, payload: Payload) -> Payload:
        plain = payload.SerializeToString()
        packed = zlib.compress(plain, 1) if len(plain) >= WORTH_PACKING else plain
        body = PACKED + packed if len(packed) < len(plain) else PLAIN + plain
        name, nonce = self._keys.current, os.urandom(NONCE_BYTES)
        sealed = nonce + AESGCM(self._keys.keys[name]).encrypt(nonce, body, PURPOSE + name.encode())
        return Payload(metadata={"encoding": ENCODING, KEY: name.encode()}, data=sealed)

    def _open(self, payload: Payload) -> Payload:
        name = payload.metadata[KEY].decode("ascii", "replace") if KEY in payload.metadata else ""
        key = self._keys.keys.get(name)
        if key is None:
            raise Unreadable(f"没有载荷密钥 {name} / no such payload key")
        try:
            body = AESGCM(key).decrypt(payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:], PURPOSE + name.encode())
            plain = zlib.decompress(body[1:]) if body[:1] == PACKED else body[1:]
            return Payload.FromString(plain)
        except (InvalidTag, ValueError, zlib.error) as damaged:
            raise Unreadable("载荷已损坏 / damaged payload") from damaged


class SharedPayloadConverter(CompositePayloadConverter):
    """Pydantic's, with one set of schemas for the whole process.

    The SDK makes a converter for every cached case and for every task; each would build its own (decision 0053).
    """

    _shared = PydanticPayloadConverter()

    def __init__(self) -> None:
        self.converters = self._shared.converters


PLAINLY = replace(pydantic_data_converter, payload_converter_class=SharedPayloadConverter)


def is_sealed(payload: Payload) -> bool:
    return payload.metadata.get("encoding") == ENCODING


async def require_readable(converter: DataConverter, payloads: Sequence[Payload]) -> None:
    """Before a history is taken again, where a missing key would look like other code. Raises Unreadable."""
    if converter.payload_codec is not None:
        await converter.payload_codec.decode(payloads)
    elif any(is_sealed(one) for one in payloads):
        raise Unreadable("流程里的内容是加密的，没有给出 ANZE_PAYLOAD_KEYS / sealed, and no payload keys are given")


def converter(settings: Settings) -> DataConverter:
    """The converter of every client and worker; with payload keys nothing readable reaches Temporal (promises.md P28).

    Messages and stack traces of failures are sealed as well. Search attributes and ids are not: they carry codes alone.
    """
    if settings.payload_keys is None:
        return PLAINLY
    keys = FieldKeys.parse(settings.payload_keys.get_secret_value())
    return replace(
        PLAINLY,
        payload_codec=SealedPayloads(keys),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


async def prove(converter: DataConverter) -> None:
    """What is sealed can be opened again; called before a worker takes work. Raises Unreadable."""
    sealed = await converter.encode(["能读"])
    if await converter.decode(sealed, [str]) != ["能读"]:
        raise Unreadable("载荷密钥自检失败 / the payload keys do not open what they seal")


async def _off_the_loop(
    work: Callable[[Iterable[Payload]], list[Payload]], payloads: Sequence[Payload]
) -> list[Payload]:
    large = sum(len(one.data) for one in payloads) > IN_A_THREAD
    return await asyncio.to_thread(work, payloads) if large else work(payloads)
