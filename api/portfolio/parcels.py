"""Rows of a portfolio as applications, and how each ended; how they travel is the importer's business."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from api.portfolio.checking import contract_faults, rule_faults
from api.portfolio.columns import TITLES, application, moved
from api.portfolio.reading import Fault, Portfolio, Row
from api.tools import Rules
from models.contracts.vocabulary import Word

NOT_OF_THE_APPLICATION = frozenset({"insurer", "fixed", "story"})
"""Columns that speak about the row, not about the policy."""
Whose = Callable[[Row], tuple[str, tuple[Fault, ...]]]
"""Whose policy a row is, or why nobody can send it."""


class Outcome(Word):
    """How a row ended, in the words of the report."""

    OPENED = "opened", "已建档"
    THERE = "there", "此前已导入"
    VALID = "valid", "检查通过"
    REFUSED = "refused", "未通过"
    UNKNOWN = "unknown", "结果不明，请重新导入"


@dataclass(frozen=True)
class Parcel:
    """One application on its way: the line it came from, whose it is, its body."""

    line: int
    insurer: str
    number: str
    body: Mapping[str, Any]

    @property
    def key(self) -> str:
        """The same row always has the same key; a changed row has another."""
        written = json.dumps(self.body, ensure_ascii=False, sort_keys=True)
        return "import-" + sha256(f"{self.insurer}\n{self.number}\n{written}".encode()).hexdigest()


@dataclass(frozen=True)
class Result:
    """How a row ended, with the policy's id where it was opened."""

    line: int
    number: str
    outcome: Outcome
    case_id: str = ""
    faults: tuple[Fault, ...] = ()

    @property
    def failed(self) -> bool:
        return self.outcome in {Outcome.REFUSED, Outcome.UNKNOWN}


@dataclass(frozen=True)
class Plan:
    """What is to be imported: rows that can be sent, and rows that cannot, with the reasons."""

    portfolio: Portfolio
    parcels: tuple[Parcel, ...]
    refused: tuple[Result, ...]


def planned(portfolio: Portfolio, whose: Whose, shift: timedelta = timedelta()) -> Plan:
    """Rows turned into applications, their dates moved by whole days; what is no application is refused."""
    parcels: list[Parcel] = []
    refused: list[Result] = []
    for row in portfolio.rows:
        insurer, fault = whose(row)
        values = moved(row.values, shift)
        body = application({path: value for path, value in values.items() if path not in NOT_OF_THE_APPLICATION})
        faults = row.faults or fault or contract_faults(body)[1]
        if faults:
            refused.append(Result(row.line, row.number, Outcome.REFUSED, faults=faults))
        else:
            parcels.append(Parcel(row.line, insurer, row.number, body))
    return Plan(portfolio, tuple(parcels), tuple(refused))


def checked(plan: Plan, rules: Rules, today: date) -> Iterator[Result]:
    """What contract and rules say to every row that could be sent; nothing is sent."""
    for parcel in plan.parcels:
        read, faults = contract_faults(parcel.body)
        faults += rule_faults(rules, read, today) if read else ()
        outcome = Outcome.REFUSED if faults else Outcome.VALID
        yield Result(parcel.line, parcel.number, outcome, faults=faults)


def column_of(field: str) -> str:
    """The column a field of the API came from."""
    path = ".".join(part for part in field.removeprefix("body.").split(".") if not part.isdigit())
    return TITLES.get(path, TITLES.get(path.partition(".")[0], ""))
