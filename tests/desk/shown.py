"""What a page of a room shows, as people find it: its links, the cases it lists, the way back; no test is here."""

from collections.abc import Collection
from typing import TypeVar
from uuid import UUID

Id = TypeVar("Id", str, UUID)


def listed(page: str, among: Collection[Id]) -> set[Id]:
    """The cases a page leads to."""
    return {one for one in among if f"/{one}" in page}


def links(page: str) -> list[str]:
    """The addresses of a page, as they are written there."""
    return [one.partition('"')[0] for one in page.split('href="')[1:]]


def way_of(page: str) -> str:
    """The first link of a case, the way back."""
    return links(page.partition('class="way"')[2])[0]


def address_in(page: str, case_id: UUID | str) -> str:
    """Where a list says a case lies, with the way back to itself."""
    return next(one for one in links(page) if one.partition("?")[0].endswith(str(case_id)))
