"""A link's page in words: the matter, its duty with date, counting and clause, what was done; no sentences."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from api.portal.deeds import Deed, is_open, offered, standing_duty
from api.portal.links import OpenedLink
from api.reads import STAGES, as_of
from domain import wording
from models.contracts.notice import About
from models.contracts.rulebook import Citation
from models.contracts.vocabulary import By, CaseKind, HazardGrade, LinkPurpose, Role


@dataclass(frozen=True)
class DutyShown:
    """A term as people read it; empty text means there is nothing to say."""

    label: str
    due_day: str
    left: str
    overdue: bool
    counting: str
    cites: str
    by: str
    by_product: bool
    provisional: str


@dataclass(frozen=True)
class HazardShown:
    """A hazard as its page describes it."""

    number: str
    grade: str
    description: str
    place: str
    criterion: str


@dataclass(frozen=True)
class PageShown:
    """Everything a link's page says."""

    purpose: str
    holder: str
    policy_number: str
    insured: str
    insurer: str
    place: str
    stage: str
    note: str
    hazard: HazardShown | None
    duty: DutyShown | None
    settled: bool
    deeds: tuple[Deed, ...]
    done: tuple[tuple[Deed, str], ...]


def page_of(link: OpenedLink, now: datetime) -> PageShown:
    """The page as it stands at this instant; days left are computed, never stored."""
    case, about = link.case, _about(link)
    at = as_of(now, case.changed_at)
    hazard = _hazard(case) if case.kind is CaseKind.HAZARD else None
    return PageShown(
        purpose=link.purpose.value,
        holder=link.holder.name,
        policy_number=case.view.get("policy_number") or case.number,
        insured=case.insured_name,
        insurer=link.insurer_name,
        place=wording.place_line(case.region, case.sector, case.size),
        stage=_stage(case),
        note="" if hazard else about.note,
        hazard=hazard,
        duty=_duty(link, about, at),
        settled=link.purpose is LinkPurpose.DEPARTMENT and bool(link.duty_key) and not is_open(link),
        deeds=offered(link),
        done=tuple((Deed(action), wording.instant(used_at)) for action, used_at in link.used.items()),
    )


def _about(link: OpenedLink) -> About:
    return About.model_validate(link.notice.about) if link.notice is not None else About()


def _stage(case: Any) -> str:
    return STAGES[case.kind](case.stage).label


def _hazard(case: Any) -> HazardShown:
    view = case.view
    return HazardShown(
        number=case.number,
        grade=HazardGrade(view.get("grade") or HazardGrade.ORDINARY).label,
        description=view.get("description") or "",
        place=view.get("place") or "",
        criterion=view.get("criterion") or "",
    )


def _duty(link: OpenedLink, about: About, now: datetime) -> DutyShown | None:
    """The duty as it stands in the case, else as the letter told it."""
    standing = _standing(link)
    if standing is not None:
        return _from_case(standing, about, now)
    return _from_letter(link, about) if about.label else None


def _standing(link: OpenedLink) -> dict[str, Any] | None:
    """For an enterprise the term it owes itself, whatever the letter was about."""
    view = link.case.view
    own = [one for one in view.get("duties", ()) if one["owed_by"] == Role.INSURED]
    if link.purpose is LinkPurpose.RECTIFICATION and own:
        return own[0]
    return standing_duty(link)


def _from_case(standing: dict[str, Any], about: About, now: datetime) -> DutyShown:
    effective = date.fromisoformat(standing["effective"]) if standing["effective"] else None
    due_at = datetime.fromisoformat(standing["due_at"]) if standing["due_at"] else None
    told_the_same = about.duty_key == standing["key"] and about.effective == effective
    return DutyShown(
        label=standing["label"],
        due_day=wording.day(effective) if effective else "",
        left=wording.left(due_at, now),
        overdue=due_at is not None and due_at <= now,
        counting=about.counting if told_the_same else "",
        cites=standing["clause"],
        by=By(standing["by"]).label,
        by_product=standing["by"] == By.PRODUCT,
        provisional=wording.provisional_note(effective) if standing["provisional"] else "",
    )


def _from_letter(link: OpenedLink, about: About) -> DutyShown:
    written = link.notice.cites if link.notice is not None else None
    cites = Citation.model_validate(written) if written else None
    return DutyShown(
        label=about.label,
        due_day=wording.day(about.effective) if about.effective else "",
        left="",
        overdue=False,
        counting=about.counting,
        cites=wording.citation(cites) if cites else "",
        by=cites.by.label if cites else By.PRODUCT.label,
        by_product=cites is None or cites.by is By.PRODUCT,
        provisional="",
    )
