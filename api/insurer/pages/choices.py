"""What a form of a case offers: terms, losses, payments, victims to choose from, and what is filled in already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fastapi import Request
from sqlalchemy import Row, select

from api.callers import Entry
from api.claims.shapes import VictimQuery, VictimReading
from api.claims.victims import victims
from api.doors import Door
from api.duties import question_of, read_duties
from api.insurer.pages.acts import Situation
from api.insurer.pages.words import ERASED, VICTIM
from api.rows import TIMELINE
from domain.calendar import local_date
from domain.wording import money
from models.contracts.vocabulary import CaseKind, LossHead, PaymentStatus

Choice = tuple[str, str]
OPEN_PAYMENTS = (PaymentStatus.PROPOSED, PaymentStatus.APPROVED, PaymentStatus.FAILED)


@dataclass(frozen=True)
class Offer:
    """Choices by field, and a body to begin with."""

    options: Mapping[str, Sequence[Choice]]
    body: Mapping[str, Any]


async def situation_of(entry: Entry, row: Row[Any]) -> Situation:
    """The case as it stands: what has happened, and which of its terms can be extended or excused."""
    found = select(TIMELINE.c.event).where(TIMELINE.c.case_id == row.id).distinct()
    happened = frozenset((await entry.connection.execute(found)).scalars())
    duties = await read_duties(entry, row)
    excusable = _excusable(entry, row)
    return Situation(
        row,
        happened,
        local_date(entry.tools.now()),
        tuple((one.key, one.label) for one in duties.items if one.state == "open" and one.extendable_days),
        tuple((one.key, one.label) for one in duties.items if one.state == "open" and one.duty in excusable),
    )


def _excusable(entry: Entry, row: Row[Any]) -> frozenset[str]:
    """Duties a stated reason ends, by the packs the case is pinned to."""
    if row.kind is not CaseKind.POLICY:
        return frozenset()
    resolved = entry.tools.rules.resolve(question_of(row))
    return frozenset(bound.duty.id for bound in resolved.rulebook.duties if bound.duty.excusable)


async def offer(request: Request, entry: Entry, situation: Situation, door: Door) -> Offer:
    """What the form of this act begins with."""
    options = _of_terms(situation, door)
    if situation.row.kind is CaseKind.CLAIM:
        people = await known_victims(request, entry, situation.row)
        options |= _of_claim(situation, door, [(str(one.ref), called(one)) for one in people])
    body = BEGINNINGS.get(door.update, _empty)(situation)
    return Offer(options, body)


async def known_victims(request: Request, entry: Entry, row: Row[Any]) -> list[VictimReading]:
    """Masked, as they stand in every list."""
    return await victims(request, entry, row.id, VictimQuery(unmasked=False, why=None))


def called(victim: VictimReading) -> str:
    """How a victim is told from another without being known: 张**，证件尾号 0000."""
    if victim.erased_at:
        return ERASED.format(because=victim.erased_because)
    number = victim.identity_number or victim.bank_account
    return VICTIM.format(name=victim.name, end=number[-4:]) if number else victim.name


def _of_terms(situation: Situation, door: Door) -> dict[str, Sequence[Choice]]:
    if door.update == "extend":
        return {"duty": situation.extendable}
    if door.update == "excuse":
        return {"duty": situation.excusable}
    if door.update == "suspend":
        return {"duties": [(one["key"], one["label"]) for one in situation.view["duties"] if "#" not in one["key"]]}
    return {}


def _of_claim(situation: Situation, door: Door, people: Sequence[Choice]) -> dict[str, Sequence[Choice]]:
    losses = [(one["id"], f"{one['id']} {LossHead(one['head']).label} {money(Decimal(one['amount']))}")
              for one in situation.view["losses"]]  # fmt: skip
    found: dict[str, dict[str, Sequence[Choice]]] = {
        "assess_loss": {"lines.person": people},
        "propose_payment": {"lines.person": people, "lines.line": losses},
        "approve_payment": {"number": _payments(situation, PaymentStatus.PROPOSED)},
        "void_payment": {"number": _payments(situation, *OPEN_PAYMENTS)},
        "set_off_advance": {"number": _payments(situation, PaymentStatus.CONFIRMED), "line": losses},
    }
    return {name: given for name, given in found.get(door.update, {}).items() if given}


def _payments(situation: Situation, *statuses: PaymentStatus) -> list[Choice]:
    return [(one["number"], f"{one['number']} {money(amount_of(one))}") for one in situation.payments(*statuses)]


def amount_of(payment: Mapping[str, Any]) -> Decimal:
    return sum((Decimal(line["amount"]) for line in payment["lines"]), Decimal("0.00"))


def _empty(_: Situation) -> Mapping[str, Any]:
    return {}


def _today(of: Situation) -> Mapping[str, Any]:
    return {"on": str(of.today)}


def _visit(of: Situation) -> Mapping[str, Any]:
    return {"on": str(of.today), "items": list(of.view["terms"].get("service_items", ()))}


def _plan(of: Situation) -> Mapping[str, Any]:
    terms = of.view["terms"]
    given = {"items": list(terms.get("service_items", ())), "services_per_year": terms.get("services_per_year")}
    return {name: value for name, value in given.items() if value}


def _losses(of: Situation) -> Mapping[str, Any]:
    return {"lines": [_without_none(line) for line in of.view["losses"]]}


def _without_none(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def _proposal(of: Situation) -> Mapping[str, Any]:
    """Every certain loss with what no payment covers yet, under the next number of the claim."""
    taken: dict[str, Decimal] = {}
    payments = [one for one in of.view["payments"] if PaymentStatus(one["status"]) is not PaymentStatus.VOIDED]
    for line in (line for one in payments for line in one["lines"] if line.get("line")):
        taken[line["line"]] = taken.get(line["line"], Decimal(0)) + Decimal(line["amount"])
    left = [(one, Decimal(one["amount"]) - taken.get(one["id"], Decimal(0))) for one in of.view["losses"]]
    lines = [
        _without_none({"head": one["head"], "amount": str(amount), "person": one.get("person"), "line": one["id"]})
        for one, amount in left
        if amount > 0 and one["determined"]
    ]
    return {"number": f"{of.row.number}-P{len(of.view['payments']) + 1}"[:64], "lines": lines}


def _agreement(of: Situation) -> Mapping[str, Any]:
    payable = of.view["money"]["payable"]
    return {"amount": payable} if payable else {}


def _limits(of: Situation) -> Mapping[str, Any]:
    return {"limits": _without_none(of.view["limits"])}


def _casualties(of: Situation) -> Mapping[str, Any]:
    accident = of.view["accident"]
    return {"casualties": {name: accident[name] for name in ("deaths", "serious_injuries", "direct_loss")}}


def _longer(of: Situation) -> Mapping[str, Any]:
    """More time, as the insured asked for it."""
    asked = of.view.get("more_time")
    return {"duty": asked["duty"], "days": asked["days"]} if asked else {}


BEGINNINGS: Mapping[str, Any] = {
    "record_visit": _visit,
    "record_spend": _today,
    "file_plan": _plan,
    "assess_loss": _losses,
    "propose_payment": _proposal,
    "agree_settlement": _agreement,
    "set_limits": _limits,
    "update_casualties": _casualties,
    "extend": _longer,
}
"""What a form begins with, where the case knows it."""
