"""What a link's page shows and offers: the matter in words, what was done with it, what may be done now."""

from dataclasses import dataclass
from typing import Any

from api import reads
from api.callers import Entry
from api.desk.audience import Reader
from api.desk.caseduties import DutyShown, duties_of
from api.drawings.words import Translate
from api.duties import read_duties
from api.enterprise.matters import Addressed, HazardMatter, PolicyMatter, VisitShown, hazard_matter, policy_matter
from api.offices import neighbours
from api.portal.deeds import FOR_DEPARTMENTS, Deed, Matter, standing_duty
from api.portal.links import OpenedLink
from domain import wording
from models.contracts.notice import About
from models.contracts.rulebook import Citation
from models.contracts.vocabulary import By, CaseKind, LinkPurpose, NoticeKind, Word


@dataclass(frozen=True)
class Told:
    """The matter as the letter told it, where nothing of it is open any more."""

    label: str
    due_day: str
    due_hour: str
    counting: str
    cites: str
    by: By


@dataclass(frozen=True)
class Offer:
    """Everything a link's page says and offers at this instant."""

    link: OpenedLink
    about: About
    stage: Word
    place: str
    deeds: tuple[Deed, ...]
    done: tuple[tuple[Deed, str], ...]
    hazard: HazardMatter | None = None
    policy: PolicyMatter | None = None
    visit: VisitShown | None = None
    duty: DutyShown | None = None
    told: Told | None = None
    settled: bool = False
    offices: tuple[tuple[str, str], ...] = ()
    anew: bool = False
    """Whether what this link was used for is to be done once more: the letter of the next round invites to it."""

    @property
    def matter(self) -> Matter:
        return Matter(duty=self.link.duty_key, visit=self.about.visit)


async def offer_of(entry: Entry, link: OpenedLink, t: Translate, address: Addressed) -> Offer:
    """The page as it stands now; days left are computed, never stored."""
    case = link.case
    about = About.model_validate(link.notice.about) if link.notice is not None else About()
    reader = Reader(link.kind, lambda kind, case_id: "", t)
    parts = await _parts(entry, link, about, reader, address)
    allowed: tuple[Deed, ...] = parts.pop("deeds")
    return Offer(
        link=link,
        about=about,
        stage=reads.STAGES[case.kind](case.stage),
        place=wording.place_line(case.region, case.sector, case.size),
        deeds=tuple(deed for deed in allowed if deed not in link.used),
        anew=Deed.CLAIM_RECTIFICATION in allowed and Deed.CLAIM_RECTIFICATION in link.used,
        done=tuple((Deed(action), wording.instant(used_at)) for action, used_at in link.used.items()),
        **parts,
    )


async def _parts(entry: Entry, link: OpenedLink, about: About, reader: Reader, address: Addressed) -> dict[str, Any]:
    if link.purpose is LinkPurpose.DEPARTMENT:
        return await _of_department(entry, link, about, reader, address)
    if link.purpose is LinkPurpose.RECTIFICATION:
        hazard = await hazard_matter(entry, link.case, reader, address)
        return {"hazard": hazard, "deeds": hazard.deeds}
    policy = await policy_matter(entry, link.case, reader, address)
    visit = policy.visit(about.visit)
    return {"policy": policy, "visit": visit, "deeds": _of_policy(link, policy, visit)}


def _of_policy(link: OpenedLink, policy: PolicyMatter, visit: VisitShown | None) -> tuple[Deed, ...]:
    if link.case.ended_at is not None:
        return ()
    if link.purpose is LinkPurpose.RATING:
        return (Deed.RATE_SERVICE,) if visit and not visit.stars else ()
    return (Deed.CONFIRM_PLAN,) if policy.plan and not policy.plan.confirmed else ()


async def _of_department(
    entry: Entry, link: OpenedLink, about: About, reader: Reader, address: Addressed
) -> dict[str, Any]:
    case = link.case
    hazard = await hazard_matter(entry, case, reader, address) if case.kind is CaseKind.HAZARD else None
    owed = standing(link)
    if owed is None:
        noted = (Deed.ACKNOWLEDGE,) if not link.duty_key else ()
        return {"hazard": hazard, "told": _told(link, about), "settled": bool(link.duty_key), "deeds": noted}
    duties, happened = await read_duties(entry, case), await reads.timeline(entry, case.id)
    shown = duties_of(case, duties, happened, reader, owed["key"])
    return {
        "hazard": hazard,
        "duty": next((one for one in shown if one.key == owed["key"]), None),
        "deeds": FOR_DEPARTMENTS,
        "offices": await neighbours(entry.connection, str(case.region), (link.holder.region, link.holder.department)),
    }


def standing(link: OpenedLink) -> dict[str, Any] | None:
    """The open duty a department's link speaks of; none where its letter named none."""
    reported = link.notice is not None and link.notice.kind is NoticeKind.MAJOR_HAZARD_REPORT
    return standing_duty(link.case.view, link.duty_key, reported=reported) if link.duty_key else None


def _told(link: OpenedLink, about: About) -> Told | None:
    if not about.label:
        return None
    written = link.notice.cites if link.notice is not None else None
    cites = Citation.model_validate(written) if written else None
    return Told(
        label=about.label,
        due_day=wording.day(about.effective) if about.effective else "",
        due_hour=wording.last_hour(about.due_at),
        counting=about.counting,
        cites=wording.citation(cites) if cites else "",
        by=cites.by if cites else By.PRODUCT,
    )
