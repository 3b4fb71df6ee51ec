"""What a policy's contract says, as far as duties depend on it; the figures of its claims are in claim_terms.py."""

from typing import Annotated

from pydantic import Field, model_validator

from models.contracts.base import (
    Count,
    FactDate,
    FactInstant,
    Flag,
    Money,
    Name,
    Number,
    Region,
    Strict,
)
from models.contracts.claim_terms import ClaimTerms
from models.contracts.vocabulary import (
    PolicyKind,
    Sector,
    ServiceItem,
    Size,
)


class Terms(Strict):
    """What the contract says, as far as duties depend on it."""

    number: Number
    region: Region
    sector: Sector
    size: Size
    size_source: Name | None = None
    kind: PolicyKind = PolicyKind.ANNUAL
    signed_at: FactInstant
    effective_on: FactDate
    expires_on: FactDate
    """The last day of cover."""
    premium_total: Money
    premium_collected: Money | None = None
    headcount: Count
    insured_headcount: Count
    limit_per_person: Money | None = None
    limit_per_accident: Money | None = None
    limit_aggregate: Money | None = None
    limit_rescue: Money | None = None
    claim_terms: ClaimTerms | None = None
    """Figures of the fast claim paths, where this contract has its own."""
    service_items: tuple[ServiceItem, ...] = Field(default=(), max_length=10)
    services_per_year: Annotated[int, Field(strict=True, ge=1, le=52)] | None = None
    filed_clause: Number | None = None
    out_of_area: Flag = False
    out_of_area_filing: Number | None = None
    previous_policy: Number | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "Terms":
        if self.expires_on < self.effective_on:
            raise ValueError("保险期间届满日不得早于生效日")
        if self.expires_on.year - self.effective_on.year > 10:
            raise ValueError("保险期间不得超过十年")
        return self
