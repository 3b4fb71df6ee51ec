"""An insurer's own figures for claims: dated rows that are only ever added; which of them a claim is born with."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Body, Depends, Request
from sqlalchemy import Row, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.callers import Entry, Looking, entered
from api.claims.doors import TAG
from api.claims.shapes import ClaimRulesEntry, ClaimRulesReading
from api.doors import example
from api.rows import CLAIM_RULES
from domain.calendar import local_date
from models.contracts.claim_terms import ClaimTerms

LATEST_FIRST = (CLAIM_RULES.c.in_force_on.desc(), CLAIM_RULES.c.recorded_at.desc())
SOURCE = "理赔管理办法"


def figures(today: date) -> dict[str, Any]:
    """Figures an insurer may have given itself; they stand in no notice."""
    return {
        "in_force_on": str(today),
        "figures": {
            "small_fast_threshold": {"value": "120000.00", "source": f"{SOURCE}第八条"},
            "small_fast_days": {"value": 3, "source": f"{SOURCE}第八条"},
            "large_prepay_days": {"value": 5, "source": f"{SOURCE}第十二条"},
            "emergency_cap": {"value": "200000.00", "source": f"{SOURCE}第十五条"},
            "emergency_purposes": {"value": ["rescue", "medical"], "source": f"{SOURCE}第十五条"},
            "emergency_hours": {"value": 24, "source": f"{SOURCE}第十五条"},
            "four_eyes_above": {"value": "50000.00", "source": f"{SOURCE}第二十条"},
        },
    }


async def in_force(connection: AsyncConnection, on: date) -> ClaimTerms:
    """The caller's own figures on a day; empty where none had been recorded."""
    found = select(CLAIM_RULES.c.figures).where(CLAIM_RULES.c.in_force_on <= on).order_by(*LATEST_FIRST).limit(1)
    row = (await connection.execute(found)).scalar_one_or_none()
    return ClaimTerms.model_validate(row) if row else ClaimTerms()


def together(contract: ClaimTerms | None, own: ClaimTerms) -> ClaimTerms:
    """What the contract says goes before the insurer's own rules, figure by figure."""
    return own.model_copy(update={name: value for name, value in contract or () if value is not None})


def add(router: APIRouter, today: date) -> None:
    """The two routes; the example is in force from `today`."""
    shown = Body(openapi_examples=example(figures(today)))

    async def claim_rules_write(
        request: Request, allowed: Annotated[None, Depends(_allowed)], entry: Annotated[ClaimRulesEntry, shown]
    ) -> ClaimRulesReading:
        async with entered(request) as caller:
            return await _recorded(caller, entry)

    router.add_api_route(
        "/claim-rules",
        claim_rules_write,
        methods=["PUT"],
        summary="设定本机构理赔规则 / Set the insurer's figures",
        description="只增不改：新的一条自生效日起适用于此后报案的赔案。 / Rows are added, never changed.",
        operation_id="claim_rules_write",
        tags=[TAG],
    )
    router.add_api_route(
        "/claim-rules",
        claim_rules,
        methods=["GET"],
        summary="本机构理赔规则 / The insurer's figures",
        operation_id="claim_rules",
        tags=[TAG],
    )


async def claim_rules(entry: Looking) -> list[ClaimRulesReading]:
    """历次设定，由近及远；未设定的数额不适用相应快速路径。 / Every setting, latest first."""
    rows = (await entry.connection.execute(select(CLAIM_RULES).order_by(*LATEST_FIRST).limit(200))).all()
    today = local_date(entry.tools.now())
    counting = next((row.id for row in rows if row.in_force_on <= today), None)
    return [_reading(row, counting) for row in rows]


async def _allowed(request: Request) -> None:
    """Who asks is settled before what is asked is looked at."""
    async with entered(request):
        pass


async def _recorded(entry: Entry, given: ClaimRulesEntry) -> ClaimRulesReading:
    """Saying the same again adds nothing."""
    figures = given.figures.model_dump(mode="json", exclude_none=True)
    that_day = select(CLAIM_RULES).where(CLAIM_RULES.c.in_force_on == given.in_force_on).order_by(*LATEST_FIRST)
    kept = (await entry.connection.execute(that_day.limit(1))).one_or_none()
    if kept is None or kept.figures != figures:
        row = {
            "id": uuid4(),
            "insurer_id": entry.caller.tenant,
            "in_force_on": given.in_force_on,
            "figures": figures,
            "recorded_by": str(entry.caller.key_id),
        }
        kept = (await entry.connection.execute(insert(CLAIM_RULES).values(row).returning(CLAIM_RULES))).one()
    until_today = CLAIM_RULES.c.in_force_on <= local_date(entry.tools.now())
    newest = select(CLAIM_RULES.c.id).where(until_today).order_by(*LATEST_FIRST).limit(1)
    return _reading(kept, (await entry.connection.execute(newest)).scalar_one_or_none())


def _reading(row: Row[Any], counting: UUID | None) -> ClaimRulesReading:
    return ClaimRulesReading(
        in_force_on=row.in_force_on,
        figures=ClaimTerms.model_validate(row.figures),
        recorded_by=row.recorded_by,
        recorded_at=row.recorded_at,
        in_force=row.id == counting,
    )
