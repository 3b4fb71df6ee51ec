"""The money of a case page: a policy's terms and spending, a claim's path and ledger; who sees it is in audience.py."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Any

from sqlalchemy import Row

from api.claims import reads as claim_reads
from api.claims.explaining import explanation
from api.claims.ledger import ledger
from api.claims.shapes import Because, ClaimLedger
from api.desk.audience import Part, Reader
from api.shapes import Duties
from domain import wording
from models.contracts.claim_state import ClaimView
from models.contracts.vocabulary import AccidentGrade, CaseKind, ClaimPath

LIMITS = ("limit_per_person", "limit_per_accident", "limit_aggregate", "limit_rescue")
PERMILLE = Decimal("0.001")


@dataclass(frozen=True)
class Fact:
    """One thing a page states; `name` is its key in the templates, where its label stands."""

    name: str
    value: str


@dataclass(frozen=True)
class ClaimShown:
    """What a claim adds to the page; `None` and empty where the reader does not see it."""

    path: ClaimPath | None = None
    grade: AccidentGrade | None = None
    why_path: Because | None = None
    why_grade: Because | None = None
    other_paths: tuple[Because, ...] = ()
    payable: str = ""
    reached: str = ""
    amount: Because | None = None
    figures: tuple[Because, ...] = ()
    payments: tuple[Because, ...] = ()
    ledger: ClaimLedger | None = None


def money_of(row: Row[Any], reader: Reader) -> Iterator[Fact]:
    """Terms and spending of a policy, as far as the reader sees them."""
    if row.kind is not CaseKind.POLICY:
        return
    terms = row.view.get("terms") or {}
    if reader.sees(Part.TERMS):
        yield Fact("premium_total", wording.money(Decimal(terms["premium_total"])))
        yield Fact("insured_headcount", str(terms["insured_headcount"]))
        yield from (Fact(name, wording.money(Decimal(terms[name]))) for name in LIMITS if terms.get(name))
    if reader.sees(Part.SPENDING):
        yield Fact("spent", wording.money(Decimal(row.view["spent"])))
        if row.view.get("spend_floor"):
            yield Fact("spend_floor", wording.money(Decimal(row.view["spend_floor"])))
    if reader.sees(Part.SPENDING_SHARE):
        yield from _shares(row.view, Decimal(terms.get("premium_total") or 0))


def _shares(view: dict[str, Any], premium: Decimal) -> Iterator[Fact]:
    if not premium:
        return
    yield Fact("spent_share", wording.share((Decimal(view["spent"]) / premium).quantize(PERMILLE, ROUND_DOWN)))
    if view.get("spend_floor"):
        yield Fact("floor_share", wording.share((Decimal(view["spend_floor"]) / premium).quantize(PERMILLE)))


def claim_of(row: Row[Any], duties: Duties, reader: Reader) -> ClaimShown | None:
    """Path, grade and money of a claim; `None` for any other case."""
    if row.kind is not CaseKind.CLAIM:
        return None
    view = claim_reads.view(row)
    told = explanation(view, duties)
    shown: dict[str, Any] = {}
    if reader.sees(Part.CLAIM_WAY):
        # why a path was taken speaks of the figures agreed, which are the parties' own
        taken = told.path if reader.sees(Part.CLAIM_MONEY) else told.path.model_copy(update={"because": ()})
        shown |= {"path": view.path, "grade": view.grade, "why_path": taken, "why_grade": told.grade}
    if reader.sees(Part.CLAIM_SUM) or reader.sees(Part.CLAIM_MONEY):
        shown |= _sums(view)
    if reader.sees(Part.CLAIM_MONEY):
        shown |= {
            "other_paths": told.other_paths,
            "amount": told.amount,
            "figures": told.figures,
            "payments": told.payments,
        }
        shown |= {"ledger": ledger(view, duties.as_of)}
    return ClaimShown(**shown)


def _sums(view: ClaimView) -> dict[str, str]:
    sums = view.money
    reached = sums.paid + sums.prepaid + sums.advanced - sums.recovered
    return {
        "payable": wording.money(sums.payable) if sums.payable is not None else "",
        "reached": wording.money(reached),
    }
