"""Files are known by their bytes, kept once, given back only to their owner, and never run in a browser."""

import io
import struct
import zipfile
from hashlib import sha256

from api.files import sniff
from api.insurer.doors import SAMPLE_FILE
from api.photographs import EXIF, without_place
from tests.api.conftest import Caller, counted, fresh_key

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 32 + b"IEND\xaeB`\x82"


def ofd(**entries: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name.replace("__", "."), content)
    return written.getvalue()


def photograph(order: str = "<") -> bytes:
    """A JPEG whose Exif says how it is turned, and where it was taken (31° N)."""
    mark = b"II*\x00" if order == "<" else b"MM\x00*"
    gps_at, value_at = 8 + 2 + 2 * 12 + 4, 8 + 2 + 2 * 12 + 4 + 2 + 12 + 4
    turned = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, 6, 0)
    pointer = struct.pack(f"{order}HHII", 0x8825, 4, 1, gps_at)
    latitude = struct.pack(f"{order}HHII", 2, 5, 3, value_at)
    degrees = struct.pack(f"{order}6I", 31, 1, 17, 1, 4711, 100)
    tiff = mark + struct.pack(f"{order}IH", 8, 2) + turned + pointer + bytes(4)
    tiff += struct.pack(f"{order}H", 1) + latitude + bytes(4) + degrees
    segment = EXIF + tiff
    return b"\xff\xd8\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + b"\xff\xda\x00\x02picture\xff\xd9"


def test_only_the_listed_formats_are_recognised() -> None:
    assert sniff(SAMPLE_FILE) == "application/pdf"
    assert sniff(PNG) == "image/png"
    assert sniff(photograph()) == "image/jpeg"
    assert sniff(ofd(OFD__xml=b"<ofd/>")) == "application/ofd"
    for strange in (
        b"", b"<html>", b"<svg xmlns='x'/>", b"%PDF-1.7 cut off", PNG[:-4], b"\xff\xd8\xff cut off",
        b"PK\x03\x04 broken", ofd(readme=b"x"), ofd(OFD__xml=b"\x00" * 50_000_000), b"MZ\x90", b"GIF89a",
        SAMPLE_FILE + b"<script>" * 300,
    ):  # fmt: skip
        assert sniff(strange) is None, strange[:20]


def test_a_photograph_keeps_its_turn_and_loses_its_place() -> None:
    for order in "<>":
        picture = photograph(order)
        cleaned = without_place(picture)
        assert len(cleaned) == len(picture)
        assert struct.pack(f"{order}I", 4711) in picture
        assert struct.pack(f"{order}I", 4711) not in cleaned
        assert struct.pack(f"{order}HHIHH", 0x0112, 3, 1, 6, 0) in cleaned
        assert cleaned.endswith(b"picture\xff\xd9")
        assert without_place(cleaned) == cleaned


def test_a_broken_picture_is_no_trouble() -> None:
    picture = photograph()
    for length in range(len(picture)):
        assert len(without_place(picture[:length])) == length
    for at in range(20, len(picture) - 10):
        assert len(without_place(picture[:at] + b"\xff" + picture[at + 1 :])) == len(picture)


async def test_a_file_is_kept_once_by_its_digest(insurer: Caller, admin, tools) -> None:
    digest = sha256(SAMPLE_FILE).hexdigest()
    for _ in range(2):
        answer = await insurer.raw("/v1/files?name=保单.pdf", SAMPLE_FILE, **{"Content-Type": "application/pdf"})
        assert answer.json() == {"digest": digest, "size": len(SAMPLE_FILE), "media_type": "application/pdf"}
    assert await counted(admin, "files") == {"files": 1}
    assert [path.name for path in tools.files.rglob("*") if path.is_file()] == [digest]
    back = await insurer.get(f"/v1/files/{digest}")
    assert back.content == SAMPLE_FILE
    assert back.headers["content-disposition"].startswith("attachment")
    assert back.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in back.headers["content-security-policy"]


async def test_a_form_may_carry_the_file_too(insurer: Caller) -> None:
    headers = {**insurer.headers, "Idempotency-Key": fresh_key()}
    answer = await insurer.http.post("/v1/files", files={"file": ("照片.png", PNG, "image/png")}, headers=headers)
    assert (answer.status_code, answer.json()["media_type"]) == (201, "image/png")
    for files in ({"other": ("a.png", PNG)}, [("file", ("a.png", PNG)), ("file", ("b.png", PNG))]):
        assert (await insurer.http.post("/v1/files", files=files, headers=headers)).status_code in {400, 422}


async def test_what_is_no_document_or_too_large_is_refused_and_leaves_nothing(insurer: Caller, admin, tools) -> None:
    pdf = {"Content-Type": "application/pdf"}
    for content, headers, status in (
        (b"<html></html>", pdf, 422),
        (PNG, pdf, 422),
        (b"", pdf, 422),
        (SAMPLE_FILE[:-8] + b" " * (20 * 1024 * 1024) + SAMPLE_FILE[-8:], pdf, 413),
        (b"%PDF-" + b" " * (30 * 1024 * 1024), pdf, 413),
    ):
        assert (await insurer.raw("/v1/files", content, **headers)).status_code == status
    for name in ("../../etc/passwd", "a%0Ab.pdf", "a%5Cb.pdf", "a%00.pdf"):
        assert (await insurer.raw(f"/v1/files?name={name}", SAMPLE_FILE, **pdf)).status_code == 422
    assert (await insurer.http.post("/v1/files", content=SAMPLE_FILE, headers=insurer.headers)).status_code == 400
    assert await counted(admin, "files") == {"files": 0}
    assert not tools.files.exists()
    for digest in ("x", "..%2f..%2fpasswd", "0" * 64):
        assert (await insurer.get(f"/v1/files/{digest}")).status_code in {404, 422}
