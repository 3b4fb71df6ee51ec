"""The stacked rules of one place as plain values, with the reason for each; printing is done elsewhere."""

from collections.abc import Sequence
from typing import Any

from domain.places import region_name
from models.contracts.rulebook import BoundDuty, BoundPath, Citation, Rulebook
from models.contracts.vocabulary import HazardGrade, SpendPurpose, SurrenderReason
from rules import reasons
from rules.library import Library
from rules.reading import rung_text, term
from runtime.trial import Situation, books, claim_book


def shown(library: Library, situation: Situation) -> dict[str, Any]:
    """Everything a policy, its hazards and its claims obey there; `packs` is empty where no notice is known."""
    held = books(library, situation)
    hazards = _united(held.hazards[HazardGrade.ORDINARY], held.hazards[HazardGrade.MAJOR])
    claim = claim_book(library, situation)
    packs = library.pack_for(situation.region, situation.on)
    return {
        "region": situation.region,
        "place": region_name(situation.region),
        "sector": situation.sector.value,
        "size": situation.size.value,
        "on": str(situation.on),
        "packs": [
            {
                "region": pack.ref.region,
                "place": pack.level.name,
                "number": pack.pack.instrument.number,
                "in_force_on": str(pack.ref.in_force_on),
                "digest": pack.ref.digest,
                "names_sector": pack.pack.scope is None or situation.sector in pack.pack.scope.sectors,
            }
            for pack in packs
        ],
        "duties": [_duty(bound) for bound in (*held.policy.duties, *hazards, *claim.duties)],
        **_figures(held.policy),
        "claim_gates": _gates(claim),
        "paths": [_path(bound) for bound in claim.paths],
        **_money(held.policy),
        "routes": [
            {"region": one.region, "role": one.route.role.value, "department": one.route.department}
            for one in held.policy.routes
        ],
        "open_questions": [
            {"place": pack.level.name, **question.model_dump(mode="json")}
            for pack in packs
            for question in pack.pack.open_questions
        ],
    }


def _united(ordinary: Rulebook, major: Rulebook) -> Sequence[BoundDuty]:
    """Duties of hazards of either grade; where the grades differ, both."""
    return list(dict.fromkeys((*ordinary.duties, *major.duties)))


def _duty(bound: BoundDuty) -> dict[str, Any]:
    duty = bound.duty
    return {
        "id": duty.id,
        "label": duty.label,
        "case": duty.case.value,
        "owed_by": duty.owed_by.value,
        "grade": duty.when.grade.value if duty.when.grade else None,
        "term": term(duty),
        "ladder": [rung_text(rung) for rung in duty.ladder],
        **_cited(bound.cites),
        "because": bound.because,
    }


def _cited(cites: Citation) -> dict[str, Any]:
    return {"region": cites.region, "number": cites.number, "clause": cites.clause, "by": cites.by.value}


def _figures(book: Rulebook) -> dict[str, Any]:
    return {
        "rates": {
            name: {
                "label": bound.rate.label,
                "value": bound.rate.value,
                "figure": reasons.figure(bound.rate),
                "base": bound.rate.base.value,
                **_cited(bound.cites),
                "because": bound.because,
            }
            for name, bound in book.rates.items()
        },
        "gates": _gates(book),
        "required_fields": [
            {"field": one.required.field.value, "label": one.required.field.label, **_cited(one.cites)}
            for one in book.required_fields
        ],
    }


def _gates(book: Rulebook) -> list[dict[str, Any]]:
    return [
        {
            "id": one.gate.id,
            "label": one.gate.label,
            "before": one.gate.before.value,
            "needs": one.gate.needs.value,
            **_cited(one.cites),
        }
        for one in book.gates
    ]


def _path(bound: BoundPath) -> dict[str, Any]:
    return {
        "path": bound.rule.path.value,
        "label": bound.rule.path.label,
        "facts": [fact.label for fact in bound.rule.facts],
        "figures": [figure.label for figure in bound.rule.figures],
        "pays": [fact.label for fact in bound.rule.pays],
        **_cited(bound.cites),
    }


def _money(book: Rulebook) -> dict[str, Any]:
    """Surrender: a reason every level lists. Provision: some level allows it and none forbids it."""
    lawful = [set(one.surrender.lawful_reasons) for one in book.surrender]
    named = [set(one.fees.purposes) for one in book.fees if one.fees.purposes]
    allows = [one.fees.provision_allowed for one in book.fees]
    return {
        "surrender": {
            "limited": bool(lawful),
            "lawful_reasons": [one.value for one in SurrenderReason if all(one in level for level in lawful)],
            "cites": [_cited(one.cites) for one in book.surrender],
        },
        "fees": {
            "provision_allowed": bool(allows) and all(allows),
            "purposes": [one.value for one in SpendPurpose if all(one in level for level in named)],
            "cites": [_cited(one.cites) for one in book.fees],
        },
    }
