"""What a list of cases is asked for by people, as it stands in an address; which rows answer it, lists.py says."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, Field, ValidationError

from api.shapes import ListQuery
from domain.places import NAMES, NATION, code_of, full_region_name, place_of, places_of
from models.contracts.base import FactDate
from models.contracts.vocabulary import ClaimPath, Size

PER_PAGE = 30
HELD_BY = r"^(mine|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$"
MOST_TYPED = 120  # letters of a place
F = TypeVar("F", bound=BaseModel)
PLACES = tuple(name for code, name in NAMES.items() if code != NATION)
"""Names to choose a place from."""


def legible(filters: type[F], given: Mapping[str, Any]) -> F:
    """What an address asks for, without what cannot be read of it."""
    try:
        return filters.model_validate(given)
    except ValidationError as error:
        wrong = {str(one["loc"][0]) for one in error.errors()}
        return filters.model_validate({name: value for name, value in given.items() if name not in wrong})


class CaseFilters(ListQuery):
    """What a list is asked for by people. `q` is how a number begins, a part of an enterprise's name, a credit code."""

    region: Annotated[str, Field(max_length=MOST_TYPED)] | None = None
    """Six digits; or what was typed, where that is not one place we know: it stays, and nothing lies there."""
    q: Annotated[str, Field(max_length=120)] | None = None
    size: Size | None = None
    stage: Annotated[str, Field(max_length=40)] | None = None
    grade: Annotated[str, Field(max_length=40)] | None = None
    path: ClaimPath | None = None
    due_on: FactDate | None = None
    rate_review: bool | None = None
    waiting: bool | None = None
    """A payment, an objection or a request for more time that nobody has decided."""
    open: bool | None = None
    hand: Annotated[str, Field(pattern=HELD_BY)] | None = None
    """Who has it in hand: `mine`, or a colleague's id (hands.py)."""
    order: Literal["opened", "due"] = "opened"
    limit: Annotated[int, Field(ge=1, le=500)] = PER_PAGE

    @classmethod
    def read(cls, asked: Mapping[str, str]) -> Self:
        """From an address: what is unknown or unreadable is left out, but for a place, which may be written by name.

        What is empty asks for all, also where a list begins with less.
        """
        named = {name: value.strip() for name, value in asked.items() if name in cls.model_fields}
        given: dict[str, str | None] = {name: value for name, value in named.items() if value}
        given |= {name: None for name, value in named.items() if not value and cls._begins_with(name) is not None}
        if named.get("region"):
            given["region"] = code_of(named["region"][:MOST_TYPED])
        return legible(cls, given)

    def address(self, **changed: object) -> str:
        """The query string of these filters, without cursor, with some of them changed."""
        known = self.model_dump(mode="json", exclude_defaults=True, exclude={"cursor", "limit"})
        kept = {name: _spelled(value) for name, value in (known | changed).items()}
        return urlencode({name: said for name, said in kept.items() if said or self._begins_with(name) is not None})

    @classmethod
    def _begins_with(cls, name: str) -> Any:
        """What a list is asked for where its address does not say; `None` where that is all."""
        known = cls.model_fields.get(name)
        return known.default if known else None

    @property
    def lost(self) -> bool:
        """What was typed is not one place we know."""
        return self.region is not None and place_of(self.region) is None

    @property
    def place(self) -> str:
        """As its field shows it, so that it means the same when it is sent again."""
        return NAMES.get(self.region, self.region) if self.region else ""

    @property
    def meant(self) -> tuple[str, ...]:
        """The full names of all that what was typed may mean."""
        return tuple(full_region_name(code) for code in places_of(self.region or ""))


def _spelled(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
