"""What a mail says of one notice, in words ready for a template; sentences are in templates, addresses elsewhere."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from activities.links import DEPARTMENTS
from domain import wording
from models.contracts.notice import About
from models.contracts.rulebook import Citation
from models.contracts.vocabulary import By, CaseKind, HazardGrade, NoticeKind, Sector, Size
from models.tables.outbox import OutboxNotice

ABOUT_HAZARD = frozenset(
    {
        NoticeKind.HAZARD_NOTICE,
        NoticeKind.MAJOR_HAZARD_REPORT,
        NoticeKind.RECHECK_RESULT,
        NoticeKind.HAZARD_OBJECTION,
        NoticeKind.OBJECTION_ANSWER,
    }
)
WITHOUT_DUE = frozenset(
    {
        NoticeKind.POLICY_OPENED,
        NoticeKind.POLICY_SURRENDERED,
        NoticeKind.POLICY_LAPSED,
        NoticeKind.MAJOR_HAZARD_REPORT,
    }
)
"""Kinds whose subject shows no due day: nothing is waited for (a report is met by being told)."""


@dataclass(frozen=True)
class HazardFacts:
    """A hazard as the letter describes it."""

    number: str
    grade: str
    description: str
    place: str
    criterion: str
    closed: bool
    """Nothing more is to be done about it."""


@dataclass(frozen=True)
class Matter:
    """One notice in words; empty text means that there is nothing to say."""

    kind: str
    of: CaseKind
    """What kind of case it is about."""
    number: str
    """Of that case."""
    to: str
    is_department: bool
    is_ours: bool
    title: str
    duty: str
    owed_by: str
    policy_number: str
    insured: str
    insurer: str
    place: str
    region: str
    due_by: str
    due_short: str
    due_at: datetime | None
    overdue: bool
    left: str
    counting: str
    provisional: str
    cites: str
    by: str
    by_product: bool
    note: str
    settled: str
    expires_day: str
    hazard: HazardFacts | None
    link: str
    forwarded: str = ""
    """Why somebody else reads this letter than the one it was written for."""
    by_hand: bool = False
    """Whether it came to the operators for want of a reader: what it asks is to find one."""
    link_for: str = ""
    """What the link lets its holder do (LinkPurpose)."""
    room: str = ""
    """The page of the case for who can sign in; there where no link invites an act."""
    withheld: bool = False
    """Whether what people wrote, and amounts, are left out: operators see neither, on pages or in letters."""
    copy_for: str = ""
    """The name of the department this was written to, where the reader covers for its contact and has a copy."""

    @property
    def case(self) -> str:
        """The case by its number, where it is not the policy, which is always named."""
        return "" if self.of is CaseKind.POLICY else f"{self.of.label} {self.number}"


def matter(row: OutboxNotice, now: datetime, link: str | None = None, settled: str = "") -> Matter:
    """The words of one notice at the instant its mail was composed; `settled` says what has happened since."""
    about = About.model_validate(row.about)
    cites = Citation.model_validate(row.cites) if row.cites else None
    hazard = hazard_facts(row)
    waits = row.kind not in WITHOUT_DUE
    asked_at = max(row.at, now)
    return Matter(
        kind=row.kind.value,
        of=CaseKind(row.matter.get("kind") or CaseKind.POLICY),
        number=str(row.matter.get("number") or ""),
        to=row.to_role.value,
        is_department=row.to_role in DEPARTMENTS,
        is_ours=about.owed_by is row.to_role,
        title=_title(row, about, hazard),
        duty=about.label or row.kind.label,
        owed_by=about.owed_by.label if about.owed_by else "义务人",
        due_by=wording.last_moment(about.effective, about.due_at),
        due_short=_short(about.effective, asked_at) if about.effective and waits else "",
        due_at=about.due_at,
        overdue=waits and not settled and about.due_at is not None and about.due_at <= asked_at,
        left=wording.left(about.due_at, asked_at) if about.due_at and waits and not settled else "",
        counting=about.counting,
        provisional=wording.provisional_note(about.effective) if about.provisional else "",
        cites=wording.citation(cites) if cites else "",
        by=wording.who_says(cites.by) if cites else "",
        by_product=cites is not None and cites.by is By.PRODUCT,
        note=_note(about, hazard),
        settled=settled,
        hazard=hazard,
        link=link or "",
        forwarded=about.passed_on,
        by_hand=False,
        withheld=False,
        **_parties(row.matter),
    )


def _short(on: date, now: datetime) -> str:
    """The day, with its year only where that is not this one."""
    return (wording.short_day if on.year == wording.local_date(now).year else wording.plain_day)(on)


def for_operators(told: Matter) -> Matter:
    """Without what people wrote: operators find who reads a letter, its text is for who was meant."""
    hazard = told.hazard and replace(told.hazard, description="", place="", criterion="")
    return replace(told, note="", hazard=hazard, withheld=True)


def hazard_facts(row: OutboxNotice) -> HazardFacts | None:
    """The hazard a notice speaks of, `None` where it speaks of a policy."""
    if row.matter.get("kind") != "hazard":
        return None
    view = row.matter.get("view") or {}
    return HazardFacts(
        number=str(row.matter.get("number") or view.get("number") or ""),
        grade=HazardGrade(view.get("grade") or HazardGrade.ORDINARY).label,
        description=str(view.get("description") or ""),
        place=str(view.get("place") or ""),
        criterion=str(view.get("criterion") or ""),
        closed=row.matter.get("ended_at") is not None,
    )


def _note(about: About, hazard: HazardFacts | None) -> str:
    """What the step added, unless the letter describes the hazard with the same words."""
    note = about.note.rstrip("。 ")
    return "" if hazard and note == hazard.description.rstrip("。 ") else note


def policy_number(facts: dict[str, Any]) -> str:
    view = facts.get("view") or {}
    return str(view.get("policy_number") or facts.get("number") or "")


def _title(row: OutboxNotice, about: About, hazard: HazardFacts | None) -> str:
    if hazard and row.kind in ABOUT_HAZARD:
        return f"{hazard.grade} {hazard.number}"
    return about.label or row.kind.label


def _parties(facts: dict[str, Any]) -> dict[str, str]:
    region = str(facts.get("region") or "")
    expires = facts.get("expires_on")
    return {
        "policy_number": policy_number(facts),
        "insured": str(facts.get("insured_name") or ""),
        "insurer": str(facts.get("insurer_name") or ""),
        "region": wording.full_region_name(region) if region else "",
        "place": wording.place_line(region, Sector(facts["sector"]), Size(facts["size"])) if region else "",
        "expires_day": wording.day(date.fromisoformat(str(expires))) if expires else "",
    }
