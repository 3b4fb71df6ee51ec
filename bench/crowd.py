"""The few policies that the many are copied from, led by the API through every stage in every area."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from httpx import AsyncClient

from api.insurer.doors import SAMPLE_FILE
from bench.cast import credit_code
from bench.multitude import AREAS
from domain.calendar import local_date
from models.contracts.vocabulary import Sector
from runtime.pictures.leading import Story, Until, lead

STAGES: tuple[tuple[Until, int, bool], ...] = (
    ("signed", 2, False), ("signed", 70, False), ("uploaded", 5, False), ("planned", 12, False),
    ("agreed", 16, False), ("visited", 25, False), ("served", 40, False), ("visited", 30, True),
    ("mended", 35, False), ("proposed", 60, False), ("ended", 90, False),
)  # fmt: skip
"""How far the led policies come, how many days ago they were signed, whether their hazard is a major one."""
FIRST_ENTERPRISE = 500_000
SECTORS = tuple(Sector)


def stories(insurer_id: UUID, areas: int = len(AREAS)) -> Iterator[Story]:
    """One policy for each stage in each of the first `areas` areas."""
    cities = [city for city, _ in AREAS.values()][:areas]
    for number, (city, (until, ago, major)) in enumerate((city, stage) for city in cities for stage in STAGES):
        yield Story(
            insurer_id=insurer_id,
            number=f"BZ-{number:04d}",
            region=city,
            sector=SECTORS[number % len(SECTORS)],
            enterprise=f"基准{number}号有限公司",
            credit_code=credit_code(FIRST_ENTERPRISE + number),
            email=f"bz{number}@firm.example",
            until=until,
            signed_ago=ago,
            major=major,
        )


async def led(http: AsyncClient, token: str, insurer_id: UUID, areas: int = len(AREAS)) -> list[Story]:
    """All of them, by the key of their insurer."""

    async def post(path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return await _send(http, token, path, orjson.dumps(body), "application/json")

    await _send(http, token, "/v1/files", SAMPLE_FILE, "application/pdf")
    today = local_date(datetime.now(UTC))
    return [await lead(post, story, today) for story in stories(insurer_id, areas)]


async def _send(http: AsyncClient, token: str, path: str, content: bytes, kind: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"bz-{uuid4()}", "Content-Type": kind}
    answer = await http.post(path, content=content, headers=headers)
    if answer.is_error:
        raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:500]}")
    return answer.json()
