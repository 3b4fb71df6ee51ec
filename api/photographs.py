"""Photographs without the place where they were taken: GPS data is blanked inside a JPEG, everything else stays."""

import struct
from collections.abc import Iterator

EXIF = b"Exif\x00\x00"
GPS = 0x8825
ENTRY = 12  # bytes of one entry of an image file directory
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
INLINE = 4
LAST_SEGMENTS = {0xD9, 0xDA}


def without_place(jpeg: bytes) -> bytes:
    """The same picture, its GPS directory overwritten with zeros; bytes that are no readable Exif are left alone."""
    picture = bytearray(jpeg)
    for start, end in _exif_segments(jpeg):
        try:
            _blank_gps(picture, start, end)
        except struct.error:
            picture[start:end] = bytes(end - start)  # a directory that points outside itself: nothing of it is kept
    return bytes(picture)


def _exif_segments(jpeg: bytes) -> Iterator[tuple[int, int]]:
    """Where the TIFF parts of the Exif segments begin and end."""
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF and jpeg[at + 1] not in LAST_SEGMENTS:
        length = int.from_bytes(jpeg[at + 2 : at + 4])
        if jpeg[at + 1] == 0xE1 and jpeg[at + 4 : at + 4 + len(EXIF)] == EXIF:
            yield at + 4 + len(EXIF), min(at + 2 + length, len(jpeg))
        at += 2 + length


def _blank_gps(picture: bytearray, start: int, end: int) -> None:
    order = "<" if picture[start : start + 2] == b"II" else ">"
    tiff = memoryview(picture)[start:end]
    first = struct.unpack_from(f"{order}I", tiff, 4)[0]
    for entry in _entries(tiff, order, first):
        if struct.unpack_from(f"{order}H", tiff, entry)[0] == GPS:
            _blank_directory(tiff, order, struct.unpack_from(f"{order}I", tiff, entry + 8)[0])


def _blank_directory(tiff: memoryview, order: str, at: int) -> None:
    """An empty directory stays, so that readers do not stumble; values that lie elsewhere are blanked there."""
    for entry in _entries(tiff, order, at):
        _, kind, count, where = struct.unpack_from(f"{order}HHII", tiff, entry)
        size = SIZES.get(kind, 1) * count
        if INLINE < size <= len(tiff) - where:
            tiff[where : where + size] = bytes(size)
        tiff[entry : entry + ENTRY] = bytes(ENTRY)
    struct.pack_into(f"{order}H", tiff, at, 0)


def _entries(tiff: memoryview, order: str, at: int) -> range:
    count = struct.unpack_from(f"{order}H", tiff, at)[0]
    struct.unpack_from(f"{count * ENTRY}x", tiff, at + 2)  # all of it lies inside
    return range(at + 2, at + 2 + count * ENTRY, ENTRY)
