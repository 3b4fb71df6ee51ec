"""Which acts a case allows right now, which of them comes next, and in what order; nothing is carried out here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from api.claims.doors import DOORS as CLAIM_DOORS
from api.desk.words import Language
from api.doors import SHELVES, Door
from api.insurer.doors import DOORS as INSURER_DOORS
from domain.claim.refusals import OPEN_TO as CLAIM_OPEN_TO
from domain.hazard.refusals import OPEN_TO as HAZARD_OPEN_TO
from domain.policy.refusals import AFTER_EXPIRY, EVENT_OF, ONCE
from domain.policy.transitions import ENDED, NEEDS
from models.contracts.base import Command
from models.contracts.vocabulary import CaseKind, Event, PaymentStatus, Post

DOORS: Mapping[tuple[CaseKind, str], Door] = {(door.kind, door.update): door for door in (*INSURER_DOORS, *CLAIM_DOORS)}
"""Everything the pages can do is done through one of these: the allow-list."""
STAGES_OF: Mapping[type[Command], frozenset[Any]] = {**HAZARD_OPEN_TO, **CLAIM_OPEN_TO}
RENEWS_WITHIN = timedelta(days=60)
APPROVAL = "approve_payment"
DANGEROUS = frozenset({"surrender", "refuse_claim", "void_payment", "reopen_claim", "withdraw_claim"})
"""Acts that are hard to take back; their button looks it."""


@dataclass(frozen=True)
class Situation:
    """What decides which acts make sense: the case's row, what has happened, and what there is to choose from."""

    row: Row[Any]
    happened: frozenset[Event]
    today: date
    extendable: tuple[tuple[str, str], ...] = ()
    """Keys and names of open terms that may still be extended."""
    excusable: tuple[tuple[str, str], ...] = ()

    @property
    def view(self) -> Mapping[str, Any]:
        return self.row.view

    @property
    def suspended(self) -> bool:
        return any(one.get("until_on") is None for one in self.row.clock.get("suspensions", ()))

    def payments(self, *statuses: PaymentStatus) -> list[Mapping[str, Any]]:
        return [one for one in self.view.get("payments", ()) if PaymentStatus(one["status"]) in statuses]

    def has(self, name: str) -> bool:
        return self.view.get(name) is not None


@dataclass(frozen=True)
class Offered:
    """One thing that can be done with a case now."""

    door: Door
    address: str
    next: bool = False

    def title(self, language: Language) -> str:
        return self.door.summary if language is Language.CHINESE else self.door.english

    @property
    def dangerous(self) -> bool:
        return self.door.update in DANGEROUS


def posts_for(door: Door) -> tuple[Post, ...]:
    """Proposing is a handler's, approving an administrator's, everything else either's (promises.md 5.1)."""
    if door.update == APPROVAL:
        return (Post.INSURER_ADMIN,)
    return (Post.INSURER_ADMIN, Post.INSURER_HANDLER)


def acts_of(situation: Situation, posts: frozenset[Post]) -> tuple[Offered, ...]:
    """What this person can do with the case now; what comes next stands first."""
    kind = situation.row.kind
    shelf, _ = SHELVES[kind]
    after = [name for name, is_next in NEXT[kind] if is_next(situation)]
    found = [
        Offered(door, f"/insurer/{shelf}/{situation.row.id}/{update}", update in after)
        for (of, update), door in DOORS.items()
        if of is kind and possible(situation, door) and not posts.isdisjoint(posts_for(door))
    ]
    order = {name: place for place, name in enumerate(after)}
    return tuple(sorted(found, key=lambda act: order.get(act.door.update, len(order))))


def possible(situation: Situation, door: Door) -> bool:
    """Whether the case would take the command at all, by the same tables the case itself refuses by."""
    row, command = situation.row, door.command
    if row.ended_at is not None:
        return False
    if row.kind is CaseKind.POLICY and not _in_order(situation, command):
        return False
    stages = STAGES_OF.get(command)
    if stages is not None and row.stage not in {stage.value for stage in stages}:
        return False
    return ONLY_WHEN.get(door.update, _always)(situation)


def _in_order(situation: Situation, command: type[Command]) -> bool:
    if situation.row.stage in {stage.value for stage in ENDED} and command not in AFTER_EXPIRY:
        return False
    event = EVENT_OF.get(command)
    if event is None:
        return True
    needed = NEEDS.get(event)
    return not (event in ONCE and event in situation.happened) and (needed is None or needed in situation.happened)


def _always(_: Situation) -> bool:
    return True


def _not_yet(event: Event) -> Callable[[Situation], bool]:
    return lambda situation: event not in situation.happened


ONLY_WHEN: Mapping[str, Callable[[Situation], bool]] = {
    "resume": lambda of: of.suspended,
    "suspend": lambda of: not of.suspended,
    "extend": lambda of: bool(of.extendable),
    "excuse": lambda of: bool(of.excusable),
    "file_out_of_area": lambda of: bool(of.view.get("terms", {}).get("out_of_area")),
    "confirm_told": _not_yet(Event.HAZARD_TOLD),
    "object": lambda of: not of.has("objection"),
    "answer_objection": lambda of: of.has("objection"),
    "decline_more_time": lambda of: of.has("more_time"),
    "approve_payment": lambda of: bool(of.payments(PaymentStatus.PROPOSED)),
    "void_payment": lambda of: bool(of.payments(PaymentStatus.PROPOSED, PaymentStatus.APPROVED, PaymentStatus.FAILED)),
    "set_off_advance": lambda of: bool(of.payments(PaymentStatus.CONFIRMED)),
    "upload_result": _not_yet(Event.CLAIM_RESULT_UPLOADED),
}


def _open_money(of: Situation) -> bool:
    left = of.view["money"]["open"]
    return bool(of.view.get("losses")) and left is not None and Decimal(left) > 0


def _expires_soon(of: Situation) -> bool:
    return of.row.expires_on - of.today <= RENEWS_WITHIN


NEXT: Mapping[CaseKind, tuple[tuple[str, Callable[[Situation], bool]], ...]] = {
    CaseKind.POLICY: (
        ("upload", _not_yet(Event.POLICY_UPLOADED)),
        ("resume", lambda of: of.suspended),
        ("name_provider", _not_yet(Event.PROVIDER_NAMED)),
        ("file_plan", _not_yet(Event.PLAN_FILED)),
        ("confirm_plan", _not_yet(Event.PLAN_CONFIRMED)),
        ("record_visit", _not_yet(Event.VISIT_RECORDED)),
        ("complete_service", _not_yet(Event.SERVICE_COMPLETED)),
        ("renew", _expires_soon),
    ),
    CaseKind.HAZARD: (
        ("answer_objection", lambda of: of.has("objection")),
        ("extend", lambda of: of.has("more_time")),
        ("decline_more_time", lambda of: of.has("more_time")),
        ("confirm_told", _not_yet(Event.HAZARD_TOLD)),
        ("recheck", _always),
        ("claim_rectification", _always),
    ),
    CaseKind.CLAIM: (
        ("receive_documents", lambda of: not of.view["documents_complete"]),
        ("record_survey", lambda of: of.view["facts_true"] is None or of.view["liability_clear"] is None),
        ("set_limits", lambda of: bool(of.view["limits_unknown"])),
        ("assess_loss", lambda of: not of.view["losses"]),
        ("determine", _always),
        ("agree_settlement", lambda of: bool(of.view["losses"])),
        ("refuse_claim", _always),
        ("propose_payment", _open_money),
        ("upload_result", _always),
        ("close_claim", lambda of: not of.view["duties"]),
    ),
}
"""What comes next, in this order, where the case would take it."""
