"""Bulk import on a page: a workbook is checked row by row, then imported with its progress shown, and given back."""

import asyncio
from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile

from api.desk.export import download
from api.desk.frame import Visit, back, posted, visited
from api.insurer.pages import words
from api.insurer.pages.visits import Reading
from api.portfolio.columns import COLUMNS
from api.portfolio.jobs import LARGEST, MOST_ROWS, Job, Shelf, Stage
from api.portfolio.parcels import Outcome, Result
from api.portfolio.reading import BadFile, portfolio_of
from api.portfolio.reporting import annotated
from api.portfolio.running import Import, Imports
from api.portfolio.template import empty
from api.problems import not_found
from domain.wording import instant

SHOWN = 100
"""Faulty rows on the page; the workbook has all."""
router = APIRouter(prefix="/insurer/import", include_in_schema=False)


@router.get("")
async def start(visit: Reading) -> Response:
    return _start(visit)


def _start(visit: Visit, trouble: str = "", status: int = 200) -> Response:
    jobs = _shelf(visit).all()[:20]
    return visit.page("insurer/import.html.j2", status, jobs=jobs, trouble=trouble, most=MOST_ROWS, columns=COLUMNS,
                      Outcome=Outcome, instant=instant)  # fmt: skip


@router.get("/template.xlsx")
async def template(_: Reading) -> Response:
    """An empty workbook with the columns."""
    return download(empty(), words.TEMPLATE)


@router.post("")
async def upload(request: Request) -> Response:
    """Keep the workbook and look at every row; nothing is opened yet."""
    async with posted(request, most_files=1) as form:
        async with visited(request):
            pass  # nobody else has us read a workbook
        file = form.get("file")
        content = await file.read(LARGEST + 1) if isinstance(file, UploadFile) else b""
        name = (file.filename or "") if isinstance(file, UploadFile) else ""
        trouble = await asyncio.to_thread(_unfit, name, content)
        async with visited(request) as visit:
            pass  # still somebody who may
        if trouble:
            return _start(visit, trouble, 422)
        job = _shelf(visit).add(name, content, visit.entry.tools.now())
        _begin(request, visit, job)
    return back(f"/insurer/import/{job.id}")


def _unfit(name: str, content: bytes) -> str:
    """Why a file is not even kept, in words."""
    if not content:
        return words.NO_FILE
    if len(content) > LARGEST:
        return words.FILE_TOO_LARGE.format(most=LARGEST // 1024 // 1024)
    try:
        portfolio_of(Path(name), content, MOST_ROWS)
    except BadFile as bad:
        return str(bad)
    return ""


@router.get("/{job_id}")
async def progress(visit: Reading, job_id: str) -> Response:
    """How far it is, what is wrong with which row, and what can be done next."""
    job = _found(visit, job_id)
    results = _shelf(visit).results(job)
    faulty = [one for one in sorted(results.values(), key=lambda one: one.line) if one.failed]
    return visit.page(
        "insurer/job.html.j2",
        job=job,
        stalled=job.is_stalled(visit.entry.tools.now()),
        faulty=faulty[:SHOWN],
        more=len(faulty) - SHOWN,
        Outcome=Outcome,
        fit=job.count(Outcome.VALID),
    )


@router.post("/{job_id}")
async def carry_on(request: Request, job_id: str) -> Response:
    """Open what passed; a job that was interrupted goes on where it stopped, because what is open stays open."""
    async with posted(request, most_files=0), visited(request) as visit:
        job, now = _found(visit, job_id), visit.entry.tools.now()
        if not job.running or job.is_stalled(now):
            checking = job.stage is Stage.CHECKING
            stage = Stage.CHECKING if checking else Stage.IMPORTING
            job = job.model_copy(update={"stage": stage, "seen_at": now, "done": 0, "counts": {}})
            _begin(request, visit, job)
    return back(f"/insurer/import/{job_id}")


@router.get("/{job_id}/result.xlsx")
async def result(request: Request, job_id: str) -> Response:
    """The same rows with outcome, id and reason, and a comment at each cell that is to blame."""
    async with visited(request) as visit:
        shelf, job = _shelf(visit), _found(visit, job_id)
    results: dict[int, Result] = shelf.results(job)
    if not results:
        raise not_found()
    content = await asyncio.to_thread(lambda: annotated(shelf.portfolio(job), results))
    return download(content, words.RESULT.format(name=job.name.rpartition(".")[0]))


def _shelf(visit: Visit) -> Shelf:
    return Shelf(visit.entry.tools.files, visit.caller.tenant)


def _found(visit: Visit, job_id: str) -> Job:
    job = _shelf(visit).find(job_id)
    if job is None:
        raise not_found()
    return job


def _begin(request: Request, visit: Visit, job: Job) -> None:
    imports: Imports | None = getattr(request.app.state, "imports", None)
    if imports is None:
        imports = request.app.state.imports = Imports()
    if imports.start(Import(visit.entry.tools, visit.caller, visit.came_in.token_hash, job)):
        _shelf(visit).save(job)
