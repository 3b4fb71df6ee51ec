"""What a contract agrees about claims: limits and the figures of the fast paths, each with its source; no state."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field, model_validator

from models.contracts.base import Money, Name, Strict
from models.contracts.vocabulary import By, EmergencyPurpose, LimitKind


class Figure(Strict):
    """A figure that stands in no notice: where it was agreed, and who says so."""

    source: Name
    """Clause of the contract, or the document of the insurer's own rule."""
    by: By = By.CONTRACT


class Yuan(Figure):
    value: Annotated[Money, Field(gt=0)]


class Days(Figure):
    """Natural days."""

    value: Annotated[int, Field(strict=True, ge=1, le=365)]


class Hours(Figure):
    """Hours that run on over nights and rest days."""

    value: Annotated[int, Field(strict=True, ge=1, le=720)]


class Purposes(Figure):
    """What an emergency advance may be spent on."""

    value: tuple[EmergencyPurpose, ...] = Field(min_length=1, max_length=10)


class ClaimTerms(Strict):
    """Figures of the fast paths and of four eyes; `None` is not agreed, and a path without its figures does not start.

    Without `four_eyes_above` every payment needs a second person (by product).
    """

    determination_days: Days | None = None
    """Shorter than the thirty days of 保险法 23; a longer figure changes nothing."""
    payment_days: Days | None = None
    """Shorter than the ten days of 保险法 23; a longer figure changes nothing."""
    small_fast_threshold: Yuan | None = None
    small_fast_days: Days | None = None
    large_prepay_days: Days | None = None
    emergency_cap: Yuan | None = None
    emergency_purposes: Purposes | None = None
    emergency_hours: Hours | None = None
    four_eyes_above: Yuan | None = None


class Limits(Strict):
    """Limits of liability in yuan. `None` is unknown, unless `not_agreed` says that the contract has no such limit."""

    per_person: Money | None = None
    per_accident: Money | None = None
    aggregate: Money | None = None
    """Over the whole policy."""
    rescue: Money | None = None
    """Own ceiling of rescue and loss prevention per accident, beside the indemnity (保险法 57); else `per_accident`."""
    costs: Money | None = None
    """Ceiling of appraisal and litigation costs per accident where the contract has one (保险法 64, 66)."""
    not_agreed: tuple[LimitKind, ...] = Field(default=(), max_length=5)

    @model_validator(mode="after")
    def _one_word(self) -> "Limits":
        if any(self.of(kind) is not None for kind in self.not_agreed):
            raise ValueError("同一限额不能既有金额又注明未约定")
        return self

    def of(self, kind: LimitKind) -> Decimal | None:
        """The amount of one limit, `None` where unknown or not agreed."""
        return getattr(self, kind.value)

    @property
    def unknown(self) -> tuple[LimitKind, ...]:
        """The limits that must be settled before money moves: person, accident and aggregate, as far as open."""
        needed = (LimitKind.PER_PERSON, LimitKind.PER_ACCIDENT, LimitKind.AGGREGATE)
        return tuple(kind for kind in needed if self.of(kind) is None and kind not in self.not_agreed)

    @property
    def rescue_ceiling(self) -> Decimal | None:
        """Rescue is paid beside the indemnity up to the sum insured (保险法 57 ¶2)."""
        insured = self.per_accident if self.per_accident is not None else self.aggregate
        return self.rescue if self.rescue is not None else insured
