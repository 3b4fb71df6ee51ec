"""What happens when the one alarm of a case rings, in words for the Temporal UI; what comes of it each life decides."""

from collections.abc import Mapping
from datetime import datetime

from domain import clock as clocks
from domain.clock import Waiting
from domain.ladder import footholds
from domain.notices import Case
from domain.wording import roles

MOST_NAMED = 2
"""Of what rings at one instant; the Temporal UI shows a line."""


def first(case: Case) -> tuple[Waiting, ...]:
    """What rings first of all duties, rungs before overdue events; several where they ring at one instant."""
    waiting = clocks.waiting(case.rulebook, case.clock, case.calendar)
    at = min((one.at for one in waiting), default=None)
    ringing = [one for one in waiting if one.at == at]
    return tuple(sorted(ringing, key=lambda one: (one.call is None, one.running.key)))


def said(ringing: tuple[Waiting, ...]) -> str:
    """逾期通知（第 2 级，共 3 级）：上传电子保单 → 保险机构、应急管理部门；另有 1 项; empty where nothing rings."""
    named = "；".join(_said(one) for one in ringing[:MOST_NAMED])
    more = len(ringing) - MOST_NAMED
    return f"{named}；另有 {more} 项" if more > 0 else named


def awaited(case: Case, turns: Mapping[str, datetime | None]) -> str:
    """What the next alarm brings, of duties or of the life itself, whose `turns` are named. Empty: nothing waits."""
    ringing = first(case)
    instants = [at for at in (*turns.values(), ringing[0].at if ringing else None) if at]
    alarm = min(instants, default=None)
    turned = [named for named, at in turns.items() if at and at == alarm]
    return "；".join([*turned, *([said(ringing)] if ringing and ringing[0].at == alarm else [])])


def _said(one: Waiting) -> str:
    if one.call is None:
        assert one.duty.overdue_event is not None
        return f"{one.duty.overdue_event.label}：{one.duty.label}"
    rung = f"第 {one.call.index + 1} 级，共 {len(footholds(one.duty))} 级"
    return f"{one.call.foothold.rung.notice.label}（{rung}）：{one.duty.label} → {roles(one.call.tell)}"
