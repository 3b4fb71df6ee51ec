"""Photographs made anew: upright, no larger than needed, nothing in them but the picture; nothing is stored here."""

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import TypeVar

from PIL import Image, ImageOps

PNG, JPEG, WEBP = "image/png", "image/jpeg", "image/webp"
FORMATS = {PNG: "PNG", JPEG: "JPEG", WEBP: "WEBP"}
MOST_PIXELS = 50_000_000
"""A larger picture is refused before one pixel of it is unpacked: a few hundred bytes may claim gigabytes."""
MOST_SCANS = 40
"""Passes over a JPEG; encoders make some ten, and a few kilobytes may ask for thousands, each over all of it."""
SEGMENT = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
"""A marker that is neither a stuffed byte nor a restart within a pass."""
ALONE, ENDS, SCAN = 0x01, 0xD9, 0xDA
"""Markers: the one without a length, the end of the picture, the beginning of a pass."""
LONG_SIDE = 2560  # pixels of what is kept; enough to read a type plate across a room
SMALL_SIDE = 480  # pixels of what a page shows
SMALL_BYTES = 30 * 1024
QUALITY = 85
SMALL_QUALITIES = (80, 65, 50, 35, 20)
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
# Unpacking takes memory and a processor: never more than two at a time, however many are sent at once.
DARKROOM = ThreadPoolExecutor(2, "photographs")
T = TypeVar("T")


class TooManyPixels(Exception):
    """The picture says it is larger than any we read."""


class Unreadable(Exception):
    """The bytes begin like a picture and are none, or end before it does."""


@dataclass(frozen=True)
class Photograph:
    """A picture as it is kept."""

    content: bytes
    media_type: str


async def made_anew(content: bytes, media_type: str) -> Photograph:
    """The picture alone, as JPEG, or PNG where it was one: no place, no device, no comment, no thumbnail, no trailer.

    Raises TooManyPixels and Unreadable.
    """
    return await _developed(partial(_anew, content, media_type))


async def made_small(content: bytes) -> bytes:
    """A JPEG of at most 30 kB of a picture that was made anew before."""
    return await _developed(partial(_small, content))


async def _developed(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(DARKROOM, work)


def _anew(content: bytes, media_type: str) -> Photograph:
    if media_type == JPEG and _scans(content) > MOST_SCANS:
        raise Unreadable
    picture = _upright(content, FORMATS[media_type], LONG_SIDE)
    if media_type == PNG:
        return Photograph(_written(_plain(picture), "PNG", optimize=False), PNG)
    return Photograph(_written(_on_paper(picture), "JPEG", quality=QUALITY, progressive=True), JPEG)


def _scans(content: bytes) -> int:
    """How many passes the picture is made of; what telephones append after its end does not count."""
    at, scans = len(b"\xff\xd8"), 0
    while (found := SEGMENT.search(content, at)) and found[1][0] != ENDS:
        kind, at = found[1][0], found.end()
        scans += kind == SCAN
        at += 0 if kind == ALONE else int.from_bytes(content[at : at + 2], "big")
    return scans


def _small(content: bytes) -> bytes:
    picture = _on_paper(_upright(content, None, SMALL_SIDE))
    written = b""
    for quality in SMALL_QUALITIES:
        written = _written(picture, "JPEG", quality=quality, progressive=True)
        if len(written) <= SMALL_BYTES:
            break
    return written


def _upright(content: bytes, wanted: str | None, side: int) -> Image.Image:
    """Turned as its camera was held, its long side no longer than `side`."""
    try:
        with Image.open(BytesIO(content), formats=[wanted] if wanted else list(FORMATS.values())) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise TooManyPixels
            picture.draft("RGB", (side, side))  # a JPEG is unpacked no larger than needed
            turned = ImageOps.exif_transpose(picture)
            turned.thumbnail((side, side), Image.Resampling.LANCZOS)
            return turned
    except TooManyPixels:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise TooManyPixels from None
    except Exception as broken:
        # Bytes of strangers: whatever a decoder stumbles over, the answer is the same.
        raise Unreadable from broken


def _plain(picture: Image.Image) -> Image.Image:
    """The pixels in one of three plain modes, without palette, profile or text."""
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    return picture.convert("L" if picture.mode in {"1", "L"} else "RGB")


def _on_paper(picture: Image.Image) -> Image.Image:
    """What is transparent becomes white."""
    plain = _plain(picture)
    if plain.mode != "RGBA":
        return plain
    paper = Image.new("RGB", plain.size, "white")
    paper.paste(plain, mask=plain.getchannel("A"))
    return paper


def _written(picture: Image.Image, kind: str, **how: object) -> bytes:
    """Comments and profiles ride along in `info`; a fresh picture has none."""
    bare = Image.new(picture.mode, picture.size)
    bare.paste(picture)
    out = BytesIO()
    bare.save(out, kind, **how)
    return out.getvalue()
