"""The page on which all running cases of one user go to another: shown with their number first, then done; no room."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response

from api.desk.frame import Visit, back, posted, visited
from api.desk.hands import Colleague, Desk, colleagues, hand_over, running, somebody
from api.problems import one_field
from api.words import Reason
from api.written import id_of


async def _between(visit: Visit, given: Mapping[str, Any]) -> tuple[Colleague, Colleague]:
    """From whom, who may be disabled, and to whom, who may act. Raises Problem 422 for others, and for one person."""
    desk = Desk.of(visit.caller)
    giver = await somebody(visit.entry, id_of(given.get("giver")), desk.members, "giver")
    taker = await somebody(visit.entry, id_of(given.get("taker")), desk.live, "taker")
    if giver.id == taker.id:
        raise one_field("taker", Reason.WORD)
    return giver, taker


async def shown(visit: Visit, here: str, home: str) -> Response:
    """The two people to choose, and how many cases would go; `here` is the page's address, `home` the one above it."""
    asked, desk = visit.request.query_params, Desk.of(visit.caller)
    same = bool(asked.get("giver")) and asked.get("giver") == asked.get("taker")
    both = asked.get("giver") and asked.get("taker") and not same
    chosen = await _between(visit, asked) if both else None
    moved = asked.get("moved", "")
    return visit.page(
        "desk/handover.html.j2",
        422 if same else 200,
        same=same,
        here=here,
        home=home,
        chosen=chosen,
        running=await running(visit.entry, chosen[0].id) if chosen else {},
        members=await colleagues(visit.entry, desk.members),
        moved=int(moved) if moved.isascii() and moved.isdecimal() and len(moved) < 8 else None,
    )


async def done(request: Request, here: str) -> Response:
    """Carried out; sent again it finds nothing left to give."""
    async with posted(request, most_files=0) as form, visited(request) as visit:
        giver, taker = await _between(visit, form)
        moved = await hand_over(visit, giver.id, taker.id)
    return back(f"{here}?moved={moved}")
