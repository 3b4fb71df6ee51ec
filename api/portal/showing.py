"""What a link's page shows and offers: the matter in words, what was done with it, what may be done now."""

from dataclasses import dataclass
from typing import Any

from api import reads
from api.callers import Entry
from api.desk.audience import Reader
from api.desk.caseduties import DutyShown, duties_of
from api.desk.deeds import Deed, Topic
from api.desk.handling import Handling, handlings
from api.desk.matters import Addressed, HazardMatter, PolicyMatter, VisitShown, hazard_matter, policy_matter
from api.drawings.words import Translate
from api.duties import read_duties
from api.offices import neighbours
from api.portal.links import OpenedLink
from domain import wording
from models.contracts.notice import About
from models.contracts.rulebook import Citation
from models.contracts.vocabulary import By, CaseKind, LinkPurpose, Word


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
    def topic(self) -> Topic:
        return Topic(duty=self.link.duty_key, visit=self.about.visit)

    @property
    def did(self) -> frozenset[Deed]:
        """What was done with this link, or in the name of its department by another way."""
        return frozenset({*map(Deed, self.link.used), *(deed for deed, _ in self.done)})


async def offer_of(entry: Entry, link: OpenedLink, t: Translate, address: Addressed) -> Offer:
    """The page as it stands now; days left are computed, never stored."""
    case = link.case
    about = About.model_validate(link.notice.about) if link.notice is not None else About()
    reader = Reader(link.kind, lambda kind, case_id: "", t)
    parts = await _parts(entry, link, about, reader, address)
    allowed: tuple[Deed, ...] = parts.pop("deeds")
    by_link = tuple((Deed(action), wording.instant(used_at)) for action, used_at in link.used.items())
    return Offer(
        link=link,
        about=about,
        stage=reads.STAGES[case.kind](case.stage),
        place=wording.place_line(case.region, case.sector, case.size),
        deeds=tuple(deed for deed in allowed if deed not in link.used),
        anew=Deed.CLAIM_RECTIFICATION in allowed and Deed.CLAIM_RECTIFICATION in link.used,
        done=parts.pop("done", by_link),
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
    mine = await _handling(entry, link)
    done = tuple((one.deed, one.at) for one in mine.done) if mine else ()
    shown: dict[str, Any] = {"hazard": hazard, "done": done, "deeds": mine.offered if mine else ()}
    if mine is None or mine.standing is None:
        return shown | {"told": _told(link, about), "settled": bool(link.duty_key)}
    owed = mine.standing.key
    duties, happened = await read_duties(entry, case), await reads.timeline(entry, case.id)
    cards = duties_of(case, duties, happened, reader, owed)
    holder = (link.holder.region, link.holder.department)
    return shown | {
        "duty": next((one for one in cards if one.key == owed), None),
        "offices": await neighbours(entry.connection, str(case.region), holder),
    }


async def _handling(entry: Entry, link: OpenedLink) -> Handling | None:
    """What this link's letter was about, as the department stands with it now."""
    news = link.notice.kind if link.notice is not None and not link.duty_key else None
    mine = await handlings(entry, link.case)
    return next((one for one in mine if one.duty == link.duty_key and one.news is news), None)


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
