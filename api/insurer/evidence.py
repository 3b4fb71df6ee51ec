"""Handing in files and getting them back; how they are kept is api/files.py's business."""

import asyncio
from typing import Annotated, Any
from urllib.parse import quote, unquote
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import FileResponse
from starlette.datastructures import UploadFile

from api import files
from api.callers import Entry, Looking, entered, speak_for
from api.idempotency import Key
from api.problems import Problem
from api.tools import Tools
from api.words import ProblemCode
from models.contracts.base import FileReceipt
from models.contracts.vocabulary import ActorKind

TAG = "文件 / files"
router = APIRouter()
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "文件本身，或 multipart 的 file 字段 / the bytes, or the multipart field `file`",
        "content": {
            **{
                kind: {"schema": {"type": "string", "format": "binary"}}
                for kind in (files.PDF, files.PNG, files.JPEG, files.OFD, "application/octet-stream")
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "string", "format": "binary"}},
                    "required": ["file"],
                }
            },
        },
    }
}


@router.post("/files", tags=[TAG], summary="上传文件 / Hand a file in", status_code=201, openapi_extra=BODY)
async def file_keep(
    request: Request,
    _: Key,
    case_id: Annotated[
        UUID | None, Query(description="部门上传时必填：被告知的案件 / for departments: the case they were told about")
    ] = None,
    name: Annotated[str, Query(max_length=120, description="文件名 / file name")] = files.NAMELESS,
) -> FileReceipt:
    """PDF、OFD、PNG、JPEG，20 MB 以内；按 SHA-256 保存，同一内容只存一份，回执中的摘要用于后续引用。

    PDF, OFD, PNG or JPEG up to 20 MB; kept by its SHA-256, which later commands refer to.
    """
    tools: Tools = request.app.state.tools
    async with entered(request) as entry:  # before a byte is kept; whether they may still, is asked again below
        await _owner(entry, case_id)
    # outside any transaction: who sends slowly holds no connection, and has as long as an upload may take
    given, declared, content = await _content(request, tools.budgets.file)
    found = await files.looked_at(tools, (given or name, declared), content)
    request.scope["deadline"] = asyncio.get_running_loop().time() + tools.budgets.answer_within
    async with entered(request) as entry:
        return await files.store(tools, entry.connection, await _owner(entry, case_id), found)


@router.get("/files/{digest}", tags=[TAG], summary="下载文件 / Get a file back", response_class=FileResponse)
async def file_read(entry: Looking, digest: Annotated[str, Path(pattern="^[0-9a-f]{64}$")]) -> FileResponse:
    """只能取回本机构提交的文件。 / Only files of one's own."""
    found = await files.kept(entry.tools, entry.connection, entry.caller.tenant, digest)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name)}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return FileResponse(found.path, media_type=found.media_type, headers=headers)


async def _owner(entry: Entry, case_id: UUID | None) -> UUID:
    """A department's evidence belongs to the case it was told about, and so to that case's insurer."""
    if entry.caller.kind is ActorKind.INSURER:
        return entry.caller.tenant
    if case_id is None:
        raise Problem(ProblemCode.FORBIDDEN)
    return await speak_for(entry, case_id, None)


async def _content(request: Request, most: int) -> tuple[str, str, bytes]:
    """File name (or ""), declared media type (or ""), bytes."""
    declared = request.headers.get("content-type", "").partition(";")[0].strip()
    if declared != "multipart/form-data":
        return "", unquote(declared), await files.read_body(request.stream(), most)
    async with request.form(max_files=1, max_fields=0) as form:
        part = form.get("file")
        if not isinstance(part, UploadFile):
            raise Problem(ProblemCode.FILE_REFUSED)
        return part.filename or "", part.content_type or "", await part.read()
