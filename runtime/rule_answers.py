"""Answers of `anze rules …` as plain values, ready for JSON or a page; reads no options, prints nothing."""

import difflib
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from domain import clock as clocks
from domain.calendar import SHANGHAI, local_date
from domain.ladder import calls, outrun
from domain.places import NAMES, NATION, region_name
from domain.rehearsal import Books, Misplaced, Rehearsal, rehearse
from domain.routing import departments, is_department
from models.contracts.claim_terms import ClaimTerms
from models.contracts.clock import RunningDuty
from models.contracts.pack import HUMAN_QUEUE
from models.contracts.rulebook import BoundDuty, Rulebook
from models.contracts.vocabulary import Event, Role
from rules import lock as locks
from rules.complaints import reason
from rules.difference import Change, changes
from rules.examples import Agreed, Occurrence, read_examples
from rules.findings import Finding, RulesRefused
from rules.library import Library, LoadedPack
from rules.reading import condition
from runtime.trial import Outcome, Situation, books, facts, first_department, found_duty, signed_on

FAR = timedelta(days=800)
"""How far the clock runs on when a duty follows from another one's expiry (overdue, the next policy year)."""
Events = Mapping[Event, list[Occurrence]]


class Unanswerable(ValueError):
    """A question about a place, sector, event or duty that does not exist; says so in Chinese."""


def known_region(library: Library, region: str) -> str:
    """The region itself, where such a place can be. Raises Unanswerable."""
    if len(region) != 6 or not region.isascii() or not region.isdigit():
        raise Unanswerable(f"地区“{region}”须是六位行政区划代码，如 341300")
    modelled = {pack.ref.region for pack in library.packs()} - {NATION}
    province = region[:2] + "0000"
    if region in NAMES or province in NAMES or modelled & {region, region[:4] + "00", province}:
        return region
    raise Unanswerable(f"没有行政区划代码为“{region}”的地区；已建模：{'、'.join(sorted(modelled))}")


def refused(findings: tuple[Finding, ...]) -> dict[str, Any]:
    return {"ok": False, "findings": [one.as_json() for one in findings], "warnings": [], "packs": [], "calendars": []}


def checked(library: Library, today: date) -> dict[str, Any]:
    """All packs that were read, with the digests compared to the lock and the example files read."""
    locked, present = locks.read_lock(), locks.digests(library.known())
    counts, findings = _example_counts(library)
    findings += locks.broken(locked, present) if present else ()
    warnings = (*library.warnings(today), *locks.unlisted(locked, present))
    return {
        "ok": not findings,
        "findings": [one.as_json() for one in findings],
        "warnings": [one.as_json() for one in warnings],
        "packs": [{**_pack(pack), "examples": counts.get(pack.examples, 0)} for pack in library.packs()],
        "calendars": [{"year": year.year, "notice": year.notice} for year in library.calendar().years],
    }


def _example_counts(library: Library) -> tuple[dict[Path, int], list[Finding]]:
    counts: dict[Path, int] = {}
    findings: list[Finding] = []
    for path in sorted({pack.examples for pack in library.packs() if pack.examples.exists()}):
        try:
            counts[path] = len(read_examples(path))
        except RulesRefused as complaint:
            findings += complaint.findings
    return counts, findings


def _pack(pack: LoadedPack) -> dict[str, Any]:
    instrument = pack.pack.instrument
    return {
        "region": pack.ref.region,
        "place": instrument.place or region_name(pack.ref.region),
        "number": instrument.number,
        "title": instrument.title,
        "issued_on": instrument.issued_on,
        "in_force_on": pack.ref.in_force_on,
        "in_force_by": instrument.in_force_by.value,
        "ends_on": instrument.ends_on,
        "checked_on": instrument.checked_on,
        "digest": pack.ref.digest,
        "built_in": pack.built_in,
        "duties": len(pack.pack.duties),
        "rates": len(pack.pack.rates),
        "routes": len(pack.pack.routes),
        "open_questions": len(pack.pack.open_questions),
    }


def covered(library: Library) -> dict[str, Any]:
    """Which places are modelled, since when, and when each was last checked against its source."""
    years = [year.year for year in library.calendar().years]
    return {"places": [_pack(pack) for pack in library.packs()], "calendars": years}


def unreadable(path: str, why: str) -> dict[str, Any]:
    return {"file": path, "name": None, "ok": False, "expected": None, "actual": None, "differences": [why]}


def example(path: Path, outcome: Outcome) -> dict[str, Any]:
    return {
        "file": str(path),
        "name": outcome.example.name,
        "ok": outcome.ok,
        "expected": outcome.expected,
        "actual": outcome.actual,
        "differences": outcome.differences,
    }


def parsed_events(texts: list[str]) -> Events:
    """`hazard_found=2024-03-10,major=true,due=2024-03-25` → an occurrence. Raises Unanswerable."""
    found: dict[Event, list[Occurrence]] = {}
    for text in texts:
        name, _, rest = text.partition("=")
        if name not in list(Event):
            near = difflib.get_close_matches(name, [event.value for event in Event], n=1)
            raise Unanswerable(f"未知的事件“{name}”" + (f"，是否指 {near[0]}？" if near else ""))
        on, *others = rest.split(",")
        carried = {key.strip(): value.strip() for key, _, value in (other.partition("=") for other in others)}
        try:
            one = Occurrence.model_validate({"on": on.strip(), **carried})
        except ValidationError as error:
            said = "；".join(f"{'.'.join(map(str, item['loc']))} {reason(item)}" for item in error.errors())
            raise Unanswerable(f"事件“{text}”：{said}") from error
        found.setdefault(Event(name), []).append(one)
    if not found:
        raise Unanswerable("请用 --event 事件=日期 给出至少一个事件")
    return found


def parsed_terms(texts: list[str]) -> ClaimTerms:
    """`small_fast_days=5` → the terms of a contract. Raises Unanswerable."""
    told = {name.strip(): value.strip() for name, _, value in (text.partition("=") for text in texts)}
    try:
        return Agreed.model_validate(told).terms
    except ValidationError as error:
        said = "；".join(f"{'.'.join(map(str, item['loc']))} {reason(item)}" for item in error.errors())
        raise Unanswerable(f"合同约定：{said}（可用：{'、'.join(Agreed.model_fields)}）") from error


def explained(
    library: Library, situation: Situation, events: Events, duty: str, *, out_of_area: bool = False
) -> dict[str, Any]:
    """One duty, day by day, with its ladder and the departments it reaches. Raises Unanswerable."""
    situation = replace(situation, on=signed_on(events), out_of_area=out_of_area)
    held = books(library, situation)
    _required_duty(library, situation, held, duty)
    rehearsed = _until_opened(held, events, duty)
    running, explanation = rehearsed.latest(duty), rehearsed.explain(duty)
    if running is None or explanation is None:
        anchors = _anchors(held, duty)
        raise Unanswerable(f"“{duty}”尚未产生：缺少起算事件，请用 --event 给出 {anchors}")
    rulebook = next(one for one in rehearsed.lives if running in one.clock.duties).rulebook
    bound = clocks.bound(rulebook, duty)
    return {
        **_head(bound, situation),
        **explanation.model_dump(mode="json", exclude={"days"}),
        "anchor": _anchor(running),
        "days": [{**day.model_dump(mode="json"), "label": day.mark.label} for day in explanation.days],
        "ladder": _ladder(bound, running, rehearsed, rulebook),
        "packs": [ref.model_dump(mode="json") for ref in rulebook.packs],
    }


def _head(bound: BoundDuty, situation: Situation) -> dict[str, Any]:
    return {
        "duty": bound.duty.id,
        "label": bound.duty.label,
        "region": situation.region,
        "sector": situation.sector.value,
        "size": situation.size.value,
        "owed_by": bound.duty.owed_by.value,
        "number": bound.cites.number,
        "clause": bound.cites.clause,
        "by": bound.cites.by.value,
        "by_parts": bound.duty.by.model_dump(mode="json"),
        "because": bound.because,
    }


def _anchor(running: RunningDuty) -> dict[str, Any]:
    at = running.anchor_at.astimezone(SHANGHAI)
    return {"event": running.anchor.value, "label": running.anchor.label, "on": str(at.date()), "at": at.isoformat()}


def _ladder(bound: BoundDuty, running: RunningDuty, rehearsed: Rehearsal, rulebook: Rulebook) -> list[dict[str, Any]]:
    """Every rung at its instant, as it would fire if nothing else happened."""
    fresh = running.model_copy(update={"rung": 0, "hushes": ()})
    found = outrun(calls(bound.duty, fresh, rehearsed.due[bound.duty.id]))
    return [
        {
            "moment": call.foothold.moment,
            "at": call.at.astimezone(SHANGHAI).isoformat(),
            "tell": [role.value for role in call.foothold.rung.tell],
            "notice": call.foothold.rung.notice.value,
            "departments": {
                role.value: first_department(rulebook, role) for role in call.foothold.rung.tell if is_department(role)
            },
        }
        for call in found
    ]


def _until_opened(held: Books, events: Events, duty: str) -> Rehearsal:
    """Run to the last event; where the duty only follows later from another one's expiry, run on."""
    given = facts(events)
    last = local_date(max(fact.at for fact in given))
    try:
        rehearsed = rehearse(held, given, last)
        return rehearsed if rehearsed.latest(duty) else rehearse(held, given, last + FAR)
    except Misplaced as misplaced:
        raise Unanswerable(str(misplaced)) from misplaced


def _anchors(held: Books, duty: str) -> str:
    found = found_duty(held, duty)
    return " 或 ".join(f"{event.value}（{event.label}）" for event in found[0].duty.anchor) if found else ""


def _required_duty(library: Library, situation: Situation, held: Books, duty: str) -> tuple[BoundDuty, Rulebook]:
    """The duty; else say whether it is unknown, or known but none of this case's."""
    if not held.policy.packs:
        raise Unanswerable(f"{region_name(situation.region)}在 {situation.on} 没有已施行的规则包")
    if found := found_duty(held, duty):
        return found
    written = [one for pack in library.pack_for(situation.region, situation.on) for one in pack.pack.duties]
    same = [one for one in written if one.id == duty]
    if agreed := next((one.agreed for one in same if one.agreed), None):
        raise Unanswerable(f"“{duty}”的期限依合同约定，没有约定就不产生：请用 --agreed {agreed.value}=数字 给出")
    if same:
        why = "未启用" if not any(one.enabled for one in same) else f"适用：{condition(same[-1].when)}"
        raise Unanswerable(f"“{duty}”不适用于此情形（{why}）")
    known = sorted({one.id for one in written})
    near = difflib.get_close_matches(duty, known, n=1)
    raise Unanswerable(f"未知的义务“{duty}”{f'（是否指 {near[0]}？）' if near else ''}；可用：{'、'.join(known)}")


def routed(library: Library, situation: Situation, duty: str | None, role: Role | None) -> dict[str, Any]:
    """The departments of one role, of a duty's rungs, or of every role. Raises Unanswerable."""
    held = books(library, situation)
    rulebook, roles = held.policy, [one for one in Role if is_department(one)]
    if duty:
        bound, rulebook = _required_duty(library, situation, held, duty)
        roles = [one for rung in bound.duty.ladder for one in rung.tell if is_department(one)]
    if role:
        if not is_department(role):
            raise Unanswerable(f"{role.label}（{role.value}）是保单当事人或人工处理，不经由部门对应")
        roles = [role]
    return {
        "region": situation.region,
        "place": region_name(situation.region),
        "sector": situation.sector.value,
        "on": str(situation.on),
        "duty": duty,
        "roles": [_role(rulebook, one) for one in dict.fromkeys(roles)],
    }


def _role(rulebook: Rulebook, role: Role) -> dict[str, Any]:
    found = departments(rulebook, role, rulebook.region, rulebook.sector)
    stated = next((bound for bound in rulebook.routes if bound.route.role is role), None)
    return {
        "role": role.value,
        "label": role.label,
        "department": found[0][1] if found else HUMAN_QUEUE,
        "clause": stated.route.clause if stated else None,
        "by": stated.route.by.value if stated else None,
        "stated_by": stated.region if stated else None,
        "candidates": [{"region": at, "place": region_name(at), "department": name} for at, name in found],
    }


def changed(library: Library, region: str, before: date, after: date) -> tuple[Change, ...]:
    """What changed for a place between two days, level by level."""
    old = {(pack.ref.region, pack.path.parent): pack for pack in library.pack_for(region, before)}
    new = {(pack.ref.region, pack.path.parent): pack for pack in library.pack_for(region, after)}
    found: list[Change] = []
    for level in sorted(old.keys() | new.keys()):
        was, now = old.get(level), new.get(level)
        place = (now or was or old[level]).level.name
        found += changes(was.pack if was else None, now.pack if now else None, place)
    return tuple(found)
