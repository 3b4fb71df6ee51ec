"""Running cases take a newer version of a document: preview, workbook, confirmation, and how far it has come.

The batch runs in this process; where the process ends before it does, it is begun again: who has turned is left out.
"""

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from sqlalchemy import Row
from starlette.datastructures import FormData

from api.audit import AuditEntry, Origin, note
from api.callers import Entry
from api.desk.acting import Misfilled
from api.desk.export import alone, download, workbook
from api.desk.frame import Visit, back, posted, visited
from api.desk.words import namer, translator
from api.kept import WIDE, Counted
from api.operator import changes, new_rules, outlook
from api.operator.acts import Act, reason_of, record
from api.operator.batches import Batch, batches, carried_out
from api.operator.new_rules import Errand, Obeying, Selection, Turn
from api.operator.outlook import Outlook, foreseen
from api.operator.packs import ADDRESS, SHORT, successor
from api.operator.places import no_place
from api.operator.sending import Outcome
from api.operator.visits import Reading
from api.problems import not_found, one_field
from api.reasons import among
from api.tools import Tools
from api.trail import TrailQuery, trail
from domain.calendar import local_date
from domain.places import NAMES, full_region_name, place_of
from domain.wording import instant, plain_day
from models.contracts.vocabulary import AuditEvent, RuleShift, Sector

MOST_WRITTEN = 2_000
"""Cases a workbook holds; narrow the selection for more."""
PACK, BATCHES = "pack", "rule_batches"
ALIKE = 1_000
"""Of many cases one in so many may have ended or been opened since they were counted for the page."""
MOST_DIGITS = 12
router = APIRouter(prefix=ADDRESS, include_in_schema=False)


@dataclass(frozen=True)
class Asked:
    """What the address or the form names."""

    turn: Turn
    selection: Selection
    typed: Mapping[str, str]
    """Place and sector as they were written."""
    wrong: Mapping[str, str] = field(default_factory=dict)
    """What of it is not exactly one place or sector; then nobody is selected."""

    @property
    def short(self) -> str:
        return self.turn.before.ref.digest[:SHORT]

    @property
    def address(self) -> str:
        return f"{ADDRESS}/{self.short}/adopt"

    @property
    def query(self) -> str:
        return urlencode(self.typed)

    def beside(self, batch: Batch | None) -> outlook.Asked:
        """What is asked of the selection."""
        return outlook.Asked(self.turn, self.selection, batch)

    async def obeying(self, entry: Entry) -> Obeying:
        """How many are selected at this moment."""
        if self.wrong:
            return Obeying()
        return await new_rules.count(entry.connection, self.turn.before, self.selection.among(self.turn))


def asked_for(tools: Tools, short: str, given: Mapping[str, Any]) -> Asked:
    """Raises Problem 404 where there is no such document, or none that is newer."""
    before = next((one for one in tools.rules.packs() if one.ref.digest[:SHORT] == short), None)
    after = successor(tools.rules, before, local_date(tools.now())) if before else None
    if before is None or after is None:
        raise not_found()
    place, sector = (str(given.get(name) or "").strip() for name in ("place", "sector"))
    code = place_of(place) if place else ""
    known = next((one for one in Sector if one.value == sector), None)
    wrong = {"place": no_place(place)} if code is None else {}
    wrong |= {"sector": among(one.label for one in Sector)} if sector and known is None else {}
    typed = {"place": place if code is None else code, "sector": sector}
    return Asked(Turn(before, after), Selection(code or "", known), typed, wrong)


@router.get("/{short}/adopt")
async def preview(request: Request, visit: Reading, short: str) -> Response:
    """What the newer version would change in the selected cases, and how far the batch is."""
    return await _preview(visit, asked_for(visit.entry.tools, short, request.query_params))


async def _preview(
    visit: Visit, asked: Asked, again: Mapping[str, object] | None = None, status: int = 422
) -> Response:
    entry, turn, selection = visit.entry, asked.turn, asked.selection
    batch = batches(visit.request, BATCHES).get(asked.short)
    none = Counted(Outlook(), entry.tools.now())
    found = none if asked.wrong else await outlook.outlook(entry, asked.beside(batch))
    seen = found.figures
    return visit.page(
        "operator/adopt.html.j2",
        status if again or asked.wrong else 200,
        asked=asked,
        place=NAMES.get(selection.place) or asked.typed["place"],
        before=turn.before,
        after=turn.after,
        after_short=turn.after.ref.digest[:SHORT],
        in_force=turn.in_force(local_date(entry.tools.now())),
        kinds=seen.obeying.kinds,
        total=seen.obeying.total,
        as_of=found.as_of and instant(found.as_of),
        foreseen=seen.changing,
        more=seen.more,
        tally=seen.tally,
        shifts=tuple(RuleShift),
        sectors=tuple(Sector),
        places=tuple(NAMES.values()),
        where=full_region_name(turn.before.ref.region),
        batch=batch,
        outcomes=tuple(Outcome),
        acts=await _acts(visit, asked),
        instant=instant,
        plain_day=plain_day,
        again=again or {"errors": {}},
    )


async def _acts(visit: Visit, asked: Asked) -> list[Row[Any]]:
    """What operators did about this document before."""
    query = TrailQuery(what=frozenset({AuditEvent.OPERATOR_ACT}), about=f"{PACK}-{asked.short}", limit=10)
    return await trail(visit.entry.connection, query)


@router.get("/{short}/adopt.xlsx")
async def export(request: Request, short: str) -> Response:
    """The preview as a workbook, a line for each duty that changes; made after the transaction that read the cases."""
    with ExitStack() as running:
        async with visited(request) as visit:
            running.enter_context(alone(visit))
            tools, entry = visit.entry.tools, visit.entry
            asked = asked_for(tools, short, request.query_params)
            if asked.wrong:
                field, said = next(iter(asked.wrong.items()))
                raise one_field(f"query.{field}", said)
            known = await new_rules.some(entry.connection, asked.turn, asked.selection, MOST_WRITTEN)
            counts = (await asked.obeying(entry)).total, len(known)
            sheet = changes.sheet(asked.turn, tools.now(), counts, translator(visit.language))
            await note(entry.connection, _on_record(visit, asked, len(known)))
        found = await asyncio.to_thread(foreseen, tools, known, asked.turn)
        said = namer(visit.language)
        lines = [line for one in found for line in changes.lines(one, said)]
        return download(await workbook(sheet, lines, lambda line: line), f"{sheet.name}.xlsx")


def _on_record(visit: Visit, asked: Asked, rows: int) -> AuditEntry:
    return AuditEntry(
        AuditEvent.EXPORTED,
        who=visit.caller.actor,
        about=(PACK, f"{PACK}-{asked.short}"),
        said={"rows": rows, "filters": asked.query},
        origin=Origin.of(visit.request),
    )


@router.post("/{short}/adopt")
async def adopt(request: Request, short: str) -> Response:
    """Begin the batch, once: while one of this document runs, and where nobody obeys it, there is nothing to begin."""
    async with posted(request, most_files=0) as form, visited(request) as visit:
        tools, by, known = visit.entry.tools, visit.caller.actor, batches(request, BATCHES)
        asked = asked_for(tools, short, form)
        try:
            reason = reason_of(form)
        except Misfilled as wrong:
            return await _preview(visit, asked, {"errors": wrong.errors})
        if asked.wrong:
            return await _preview(visit, asked)
        total, in_force = (await asked.obeying(visit.entry)).total, asked.turn.in_force(local_date(tools.now()))
        tools.kept.forget(asked.beside(known.get(short)).scope)
        if not total or not in_force or (short in known and known[short].runs):
            return back(f"{asked.address}?{asked.query}")
        if not _as_shown(form, asked, total):
            return await _preview(visit, asked, {"errors": {}, "changed": True, "reason": reason}, 409)
        concerned = await new_rules.insurers(visit.entry.connection, asked.turn, asked.selection)
        said = {"cases": total, "to": asked.turn.after.ref.digest[:SHORT], "region": asked.selection.place}
        act = Act("adopt_rules", (PACK, f"{PACK}-{short}"), reason, said, concerned)
        await record(visit, act)
    if not (short in known and known[short].runs):  # somebody may have begun while ours was put on record
        batch = known[short] = Batch(total=total, begun_at=tools.now())
        errand = Errand(asked.turn, asked.selection, reason, by)
        sending = new_rules.carry_out((tools.temporal, tools.engine, tools.rules), errand, tools.now, batch.add)
        entry = AuditEntry(AuditEvent.OPERATOR_ACT, who=by, about=act.about, said={"act": "adopted_rules"})
        batch.task = asyncio.create_task(carried_out(tools, batch, sending, entry))
    return back(f"{asked.address}?{asked.query}")


def _as_shown(form: FormData, asked: Asked, total: int) -> bool:
    """Whether what was confirmed is what would be done: the very document, and as many cases as were counted."""
    return form.get("after") == asked.turn.after.ref.digest and alike(str(form.get("total") or ""), total)


def alike(confirmed: str, total: int) -> bool:
    """As many; of very many some end or are opened while one reads, which is no reason to begin again."""
    if not confirmed.isdecimal() or len(confirmed) > MOST_DIGITS:
        return False
    return abs(int(confirmed) - total) <= (total // ALIKE if total >= WIDE else 0)
