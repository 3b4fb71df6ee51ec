"""What comes in with a form of an act: its fields, its files looked at and kept, so that nobody hands them in twice."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.datastructures import FormData, UploadFile

from api.desk.acting import Misfilled
from api.desk.deeds import MOST_FILES, TYPED, Deed, Sent, field_of
from api.files import Acceptable, display_name, looked_at, store
from api.problems import Problem
from api.tools import Tools
from api.words import FileFault
from models.contracts.base import Attachment

MOST_FIELDS = 24
MOST_TEXT = 16 * 1024  # bytes of one text field
FILES = "files"
KEPT = "kept"
"""The hidden field that names files handed in before, signed: nobody names a file they do not hold."""
SIGNATURE_BYTES = 16
ATTACHMENTS = TypeAdapter(tuple[Attachment, ...])
Keeping = Callable[[], AbstractAsyncContextManager[tuple[AsyncConnection, UUID]]]
"""How a room opens a transaction that may write the files of its insurer."""


@dataclass(frozen=True)
class Received:
    """A form as it came: what it said, and what was wrong with its files."""

    sent: Sent
    refused: str = ""
    """Why a file was not kept, in words; empty when all were."""


@dataclass(frozen=True)
class Filling:
    """A form that is shown again: what was typed in it, what was wrong, which files it has."""

    deed: Deed | None = None
    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    files: tuple[Attachment, ...] = ()
    kept: str = ""
    source: str = ""
    """The clause by which the case refused what was filled in, where there is one."""


EMPTY = Filling()


async def received(tools: Tools, form: FormData, owner: UUID, keeping: Keeping) -> Received:
    """Read a form; every good file is kept, even where another one is refused. `owner` is who may name them again."""
    before = kept_before(tools.secret, owner, str(form.get(KEPT) or ""))
    good, refused = await _looked_at(tools, form)
    if good:
        async with keeping() as (connection, insurer_id):
            for one in good:
                await store(tools, connection, insurer_id, one)
    files = {file.digest: file for file in (*before, *(one.attachment for one in good))}
    return Received(Sent(_typed(form), tuple(files.values())[:MOST_FILES]), refused)


def kept_field(secret: bytes, owner: UUID, files: tuple[Attachment, ...]) -> str:
    """The value of the hidden field that carries these files along."""
    if not files:
        return ""
    written = ATTACHMENTS.dump_json(files)
    return urlsafe_b64encode(_signature(secret, owner, written) + written).decode()


def again(secret: bytes, owner: UUID, deed: Deed, come: Received, wrong: Misfilled | Problem | None = None) -> Filling:
    """The form of this deed as it was filled in, to be mended or to go on with; errors by the form's own fields."""
    refused = wrong if isinstance(wrong, Problem) else None
    beside = {field_of(path): said for path, said in wrong.errors.items()} if isinstance(wrong, Misfilled) else {}
    if refused:
        beside["note"] = refused.detail
    if deed is Deed.CLAIM_RECTIFICATION and not come.sent.files:
        beside[FILES] = FileFault.MISSING.label
    if come.refused:
        beside[FILES] = come.refused
    kept, source = kept_field(secret, owner, come.sent.files), refused.clause if refused else ""
    return Filling(deed, come.sent.typed, beside, come.sent.files, kept, source)


def kept_before(secret: bytes, owner: UUID, carried: str) -> tuple[Attachment, ...]:
    """The files a form carries along; none where somebody has written the field themselves."""
    try:
        raw = urlsafe_b64decode(carried)
    except ValueError:
        return ()
    signature, written = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
    if not written or not hmac.compare_digest(signature, _signature(secret, owner, written)):
        return ()
    return ATTACHMENTS.validate_json(written)


def _signature(secret: bytes, owner: UUID, written: bytes) -> bytes:
    return hmac.new(secret, b"\n".join((b"kept", owner.bytes, written)), sha256).digest()[:SIGNATURE_BYTES]


def _typed(form: FormData) -> dict[str, str]:
    return {name: value for name in TYPED if isinstance(value := form.get(name), str)}


async def _looked_at(tools: Tools, form: FormData) -> tuple[list[Acceptable], str]:
    """The files that may be kept, and what is wrong with the others, each told by its name."""
    sent = [part for part in form.getlist(FILES) if isinstance(part, UploadFile) and part.filename]
    good: list[Acceptable] = []
    refused: list[str] = []
    for part in sent[:MOST_FILES]:
        name = display_name(part.filename or "")
        try:
            content = await part.read(tools.budgets.file + 1)
            good.append(await looked_at(tools, (name, part.content_type or ""), content))
        except Problem as problem:
            refused.append(f"{name}：{problem.title}。{problem.detail}")
    return good, " ".join(refused)
