"""Imports that were asked for on a page: file, progress and outcome of each, in a folder; who may look is not here."""

import json
import os
import re
import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from api.portfolio.parcels import Outcome, Result
from api.portfolio.reading import Fault, Portfolio, portfolio_of

MOST_ROWS = 5_000
LARGEST = 10 * 1024 * 1024  # bytes of a workbook that comes by a page
KEPT_FOR = timedelta(days=30)
SILENT = timedelta(seconds=30)
"""A job that was not heard of for so long has lost its process; whoever starts it again resumes it."""
FOLDER = "imports"
NAME = re.compile(r"[0-9a-f]{32}")
SOURCE, STATE, RESULTS = "source", "job.json", "results.json"


class Stage(StrEnum):
    """How far an import has come."""

    CHECKING = "checking"
    CHECKED = "checked"
    IMPORTING = "importing"
    DONE = "done"


class Job(BaseModel):
    """One import: the same file of the same insurer is the same job."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    stage: Stage
    began_at: datetime
    seen_at: datetime
    rows: int = 0
    done: int = 0
    counts: dict[str, int] = {}
    trouble: str = ""
    """Why the file as a whole was not taken, or why not all of it."""

    @property
    def running(self) -> bool:
        return self.stage in (Stage.CHECKING, Stage.IMPORTING)

    def count(self, *outcomes: Outcome) -> int:
        return sum(self.counts.get(one.name, 0) for one in outcomes)

    def is_stalled(self, now: datetime) -> bool:
        return self.running and now - self.seen_at > SILENT


class Shelf:
    """The imports of one insurer; another's are in another folder, and no name leads out of this one."""

    def __init__(self, files: Path, insurer_id: UUID) -> None:
        self.root = files / FOLDER / str(insurer_id)

    def add(self, name: str, content: bytes, now: datetime) -> Job:
        """A new job for a file, or its old one begun again."""
        self._clear(now)
        job_id = sha256(content).hexdigest()[:32]
        folder = self.root / job_id
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        _write(folder / SOURCE, content)
        job = Job(id=job_id, name=name[:120], stage=Stage.CHECKING, began_at=now, seen_at=now)
        self.save(job)
        return job

    def find(self, job_id: str) -> Job | None:
        path = self.root / job_id / STATE
        if not NAME.fullmatch(job_id) or not path.is_file():
            return None
        return Job.model_validate_json(path.read_bytes())

    def all(self) -> list[Job]:
        """Latest first."""
        names = [path.name for path in self.root.iterdir()] if self.root.is_dir() else []
        found = [job for name in names if (job := self.find(name))]
        return sorted(found, key=lambda job: job.began_at, reverse=True)

    def save(self, job: Job) -> None:
        _write(self.root / job.id / STATE, job.model_dump_json().encode())

    def portfolio(self, job: Job) -> Portfolio:
        """The file again. Raises BadFile."""
        return portfolio_of(Path(job.name), (self.root / job.id / SOURCE).read_bytes(), MOST_ROWS)

    def keep(self, job: Job, results: Mapping[int, Result]) -> None:
        listed = [
            [
                one.line,
                one.number,
                one.outcome.name,
                one.case_id,
                [[fault.column, fault.reason] for fault in one.faults],
            ]
            for one in results.values()
        ]
        _write(self.root / job.id / RESULTS, json.dumps(listed, ensure_ascii=False).encode())

    def results(self, job: Job) -> dict[int, Result]:
        """How each row ended, by line; empty before anything was looked at."""
        path = self.root / job.id / RESULTS
        if not path.is_file():
            return {}
        return {
            line: Result(line, number, Outcome[outcome], case_id, tuple(Fault(*fault) for fault in faults))
            for line, number, outcome, case_id, faults in json.loads(path.read_bytes())
        }

    def _clear(self, now: datetime) -> None:
        """Files hold addresses of enterprises: they are not kept longer than somebody needs them."""
        for job in self.all():
            if now - job.began_at > KEPT_FOR:
                shutil.rmtree(self.root / job.id, ignore_errors=True)


def _write(path: Path, content: bytes) -> None:
    """All or nothing: readers never see half a file."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(content)
    os.replace(beside, path)
