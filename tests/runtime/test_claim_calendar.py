"""A newly published year is foretold for a claim too, with the terms its contract agreed."""

from datetime import UTC, date, datetime
from uuid import uuid4

from api.operator.calendars import adoption, foreseen
from api.operator.sending import VIEWS, Outcome
from models.contracts.vocabulary import CaseKind, Sector, Size
from models.tables.cases import Case
from rules.library import Library


def test_every_kind_of_case_has_its_answer() -> None:
    assert set(VIEWS) == set(CaseKind)


def test_a_claim_of_a_grave_accident_is_foretold() -> None:
    library = Library()
    case = Case(
        id=uuid4(), kind=CaseKind.CLAIM, insurer_id=uuid4(), workflow_id="claim/T/C-1", number="C-1", region="350200",
        sector=Sector.OTHER, size=Size.MEDIUM, stage="reported", insured_id=uuid4(), insured_name="样例",
        signed_on=date(2026, 9, 1), effective_on=date(2026, 9, 2), expires_on=date(2027, 9, 1), calendar_through=2026,
        seq=1, opened_at=datetime(2026, 11, 1, tzinfo=UTC), changed_at=datetime(2026, 11, 1, tzinfo=UTC),
        view={"grade": "relatively_serious", "terms": {"large_prepay_days": {"value": 5, "source": "特别约定"}}},
    )  # fmt: skip
    assert foreseen(library, case, adoption(library, 2026, None)).outcome is Outcome.WOULD
