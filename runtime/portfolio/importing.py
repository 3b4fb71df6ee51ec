"""One import from file to report: read, move dates, check, send, write down; the command and the demo both use it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from api.keys import TOKEN
from rules.library import Library
from runtime.portfolio.checking import contract_faults, rule_faults
from runtime.portfolio.columns import application, moved
from runtime.portfolio.reading import BadFile, Fault, Portfolio, Row, read_portfolio
from runtime.portfolio.sending import Outcome, Parcel, Result, client, send_all, whose

FROM_FILE = "@"
Done = Callable[[Result], None]


@dataclass(frozen=True)
class Plan:
    """What is to be imported: rows that can be sent, and rows that cannot, with the reasons."""

    portfolio: Portfolio
    parcels: tuple[Parcel, ...]
    refused: tuple[Result, ...]


def load(path: Path, rebase_to: date | None, keys: Mapping[str, str] | None = None) -> Plan:
    """Read the file and turn rows into applications. `keys`: codes of insurers that can be sent for.

    Raises BadFile where the file is no portfolio.
    """
    portfolio = read_portfolio(path)
    shift = _shift(portfolio, rebase_to)
    parcels: list[Parcel] = []
    refused: list[Result] = []
    for row in portfolio.rows:
        insurer, fault = _insurer(row, keys)
        values = moved(row.values, shift)
        body = application({path: value for path, value in values.items() if path not in {"insurer", "fixed", "story"}})
        faults = row.faults or fault or contract_faults(body)[1]
        if faults:
            refused.append(Result(row.line, row.number, Outcome.REFUSED, faults=faults))
        else:
            parcels.append(Parcel(row.line, insurer, row.number, body))
    return Plan(portfolio, tuple(parcels), tuple(refused))


def check(plan: Plan, rules: Library, today: date, done: Done) -> list[Result]:
    """What the rules say to every row; nothing is sent."""
    results = list(plan.refused)
    for parcel in plan.parcels:
        read, faults = contract_faults(parcel.body)
        faults += rule_faults(rules, read, today) if read else ()
        outcome = Outcome.REFUSED if faults else Outcome.VALID
        result = Result(parcel.line, parcel.number, outcome, faults=faults)
        done(result)
        results.append(result)
    return sorted(results, key=lambda result: result.line)


async def send(plan: Plan, api: str, keys: Mapping[str, str], done: Done) -> list[Result]:
    """Open every policy that can be opened."""
    async with client(api) as http:
        sent = await send_all(http, keys, plan.parcels, done)
    return sorted([*plan.refused, *sent], key=lambda result: result.line)


async def holders(api: str, tokens: Sequence[str]) -> dict[str, str]:
    """Insurer code → key. Raises NoEntry."""
    async with client(api) as http:
        return await whose(http, tokens)


def tokens(given: Sequence[str]) -> list[str]:
    """Keys as they were written, or every key in a file named after @. Raises BadFile."""
    found: list[str] = []
    for one in given:
        if not one.startswith(FROM_FILE):
            found.append(one)
            continue
        try:
            written = Path(one[1:]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise BadFile(f"无法读取密钥文件 {one[1:]}") from None
        found += re.findall(TOKEN, written)
    return list(dict.fromkeys(found))


def reference_day(portfolio: Portfolio) -> date:
    """The day a portfolio is written for: the one after the last signing among the rows that may be moved."""
    signed: list[date] = [row.values["terms.signed_at"].date() for row in portfolio.rows if _may_move(row.values)]
    if not signed:
        raise BadFile("没有可以平移日期的行")
    return max(signed) + timedelta(days=1)


def _may_move(values: Mapping[str, Any]) -> bool:
    return not values.get("fixed") and "terms.signed_at" in values


def _shift(portfolio: Portfolio, to: date | None) -> timedelta:
    return to - reference_day(portfolio) if to else timedelta()


def _insurer(row: Row, keys: Mapping[str, str] | None) -> tuple[str, tuple[Fault, ...]]:
    """Whose policy the row is; with one key only, a row without a code is its holder's."""
    code = str(row.values.get("insurer", ""))
    if keys is None or code in keys:
        return code, ()
    if not code and len(keys) == 1:
        return next(iter(keys)), ()
    return code, (Fault("保险机构代码", "没有给出该机构的密钥" if code else "必填"),)
