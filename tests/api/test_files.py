"""Files are known by their bytes, kept once, given back only to their owner, and never run in a browser."""

import asyncio
import io
import struct
import zipfile
import zlib
from hashlib import sha256

import pytest
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from api.files import Kept, display_name, small, sniff
from api.insurer.doors import SAMPLE_FILE
from api.photographs import LONG_SIDE, SMALL_BYTES, TooManyPixels, Unreadable, made_anew, made_small
from api.tools import Tools
from tests.api.conftest import Caller, counted, fresh_key

GPS, TURNED, CAMERA = 0x8825, 0x0112, 0x0110


def picture(kind: str = "JPEG", size: tuple[int, int] = (120, 80), **more: object) -> bytes:
    """Left half red, right half blue."""
    image = Image.new("RGB", size, "red")
    ImageDraw.Draw(image).rectangle((size[0] // 2, 0, *size), fill="blue")
    written = io.BytesIO()
    image.save(written, kind, **more)
    return written.getvalue()


PNG = picture("PNG")


def from_a_telephone() -> bytes:
    """Held upright, with where it was, by which device, a comment, and a trailer as telephones append them."""
    exif = Image.Exif()
    exif[TURNED], exif[CAMERA] = 6, "SECRET-CAMERA"
    exif.get_ifd(GPS)[2] = (31.0, 17.0, 47.11)
    return picture(exif=exif, comment=b"SECRET-COMMENT") + b"<script>SECRET-TRAILER</script>"


def claiming(width: int, height: int) -> bytes:
    """A PNG of a few dozen bytes that says how large it is."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def ofd(**entries: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name.replace("__", "."), content)
    return written.getvalue()


def test_only_the_listed_formats_are_recognised() -> None:
    assert sniff(SAMPLE_FILE) == "application/pdf"
    assert sniff(PNG) == "image/png"
    assert sniff(picture()) == "image/jpeg"
    assert sniff(picture("WEBP")) == "image/webp"
    assert sniff(ofd(OFD__xml=b"<ofd/>")) == "application/ofd"
    for strange in (
        b"", b"<html>", b"<svg xmlns='x'/>", b"%PDF-1.7 cut off", b"PK\x03\x04 broken", ofd(readme=b"x"),
        ofd(OFD__xml=b"\x00" * 50_000_000), b"MZ\x90", picture("GIF"), picture("TIFF"), picture("BMP"),
        b"\0\0\0\x18ftypheic\0\0\0\0", SAMPLE_FILE + b"<script>" * 300,
    ):  # fmt: skip
        assert sniff(strange) is None, strange[:20]


async def test_a_photograph_stands_upright_and_says_nothing_but_its_picture() -> None:
    anew = await made_anew(from_a_telephone(), "image/jpeg")
    assert b"SECRET" not in anew.content
    with Image.open(io.BytesIO(anew.content)) as image:
        assert image.size == (80, 120)
        assert not image.getexif()
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression"}
        red, blue = image.getchannel("R"), image.getchannel("B")
        high, low = (
            (red.getpixel((40, 10)), blue.getpixel((40, 110))),
            (red.getpixel((40, 110)), blue.getpixel((40, 10))),
        )
    assert all(isinstance(one, int) and one > 200 for one in high)
    assert all(isinstance(one, int) and one < 60 for one in low)
    assert anew == await made_anew(from_a_telephone(), "image/jpeg")


async def test_other_pictures_become_plain_ones_too() -> None:
    text = PngInfo()
    text.add_text("Comment", "SECRET")
    anew = await made_anew(picture("PNG", pnginfo=text), "image/png")
    assert (anew.media_type, b"SECRET" in anew.content) == ("image/png", False)
    assert (await made_anew(picture("WEBP"), "image/webp")).media_type == "image/jpeg"


async def test_a_large_photograph_is_kept_no_larger_than_needed_and_shown_small() -> None:
    noise = Image.effect_noise((4000, 3000), 90).convert("RGB")
    written = io.BytesIO()
    noise.save(written, "JPEG", quality=95)
    anew = await made_anew(written.getvalue(), "image/jpeg")
    with Image.open(io.BytesIO(anew.content)) as image:
        assert max(image.size) == LONG_SIDE
    assert len(await made_small(anew.content)) <= SMALL_BYTES


async def test_a_bomb_of_pixels_is_refused_by_its_own_figures() -> None:
    for width, height in ((10_000, 5_001), (60_000, 60_000), (100_000, 100_000)):
        with pytest.raises(TooManyPixels):
            await made_anew(claiming(width, height), "image/png")


async def test_what_only_begins_like_a_picture_is_refused() -> None:
    whole = picture(size=(600, 400))
    cuts = [whole[:length] for length in (3, 20, 200, len(whole) // 2, len(whole) - 200)]
    for content in (*cuts, b"\xff\xd8\xff<html><script>alert(1)</script>", whole[:40] + b"\xff" * 400):
        with pytest.raises(Unreadable):
            await made_anew(content, "image/jpeg")
    for content in (PNG[:60], claiming(500, 500), b"\x89PNG\r\n\x1a\n<svg/>"):
        with pytest.raises(Unreadable):
            await made_anew(content, "image/png")


def test_names_are_shown_without_path_and_tricks() -> None:
    told = {
        "现场.jpg": "现场.jpg",
        # pragma: allowlist nextline secret
        "../../etc/passwd": "passwd",
        "C:\\Users\\me\\IMG 1.jpg": "IMG 1.jpg",
        "a\x00\nb\u202egpj.exe": "a bgpj.exe",
        "": "附件",
        "..": "附件",
        "长" * 300 + ".jpeg": "长" * 80 + ".jpeg",
    }
    assert {sent: display_name(sent) for sent in told} == told


async def test_the_scanner_has_the_last_word(insurer: Caller, tools: Tools, admin) -> None:
    words = {("/bin/true",): 201, ("/bin/false",): 422, ("/nowhere/scanner",): 503}
    for command, status in words.items():
        object.__setattr__(tools, "scan", command)
        answer = await insurer.raw("/v1/files?name=a.pdf", SAMPLE_FILE, **{"Content-Type": "application/pdf"})
        assert answer.status_code == status, command
    assert await counted(admin, "files") == {"files": 1}


async def test_a_photograph_handed_in_is_another_file_without_its_place(insurer: Caller, tools: Tools) -> None:
    sent = from_a_telephone()
    answer = await insurer.raw("/v1/files?name=IMG.jpg", sent, **{"Content-Type": "image/jpeg"})
    assert answer.status_code == 201, answer.text
    digest = answer.json()["digest"]
    kept = (await insurer.get(f"/v1/files/{digest}")).content
    assert sha256(kept).hexdigest() == digest
    assert b"SECRET" not in kept
    path = tools.files / digest[:2] / digest
    shown = await small(Kept(path, "IMG.jpg", "image/jpeg"))
    assert shown.parent == path.parent
    assert shown.stat().st_size <= SMALL_BYTES


async def test_pictures_nobody_can_read_are_refused_in_words(insurer: Caller, admin) -> None:
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 40
    for content, said in (
        (heic, "HEIC"),
        (claiming(20_000, 20_000), "5000 万"),
        (from_a_telephone()[:300], "无法读取"),
    ):
        answer = await insurer.raw("/v1/files", content, **{"Content-Type": "application/octet-stream"})
        assert (answer.status_code, said in answer.json()["detail"]) == (422, True), answer.text
    assert await counted(admin, "files") == {"files": 0}


async def test_many_at_once_are_developed_two_at_a_time() -> None:
    pictures = [picture(size=(900, 600 + step)) for step in range(12)]
    anew = await asyncio.gather(*(made_anew(one, "image/jpeg") for one in pictures))
    assert len({one.content for one in anew}) == 12


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
