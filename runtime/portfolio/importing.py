"""One import from file to report: read, move dates, check, send, write down; the command and the demo both use it."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from api.keys import TOKEN
from api.portfolio.parcels import Plan, Result, checked, planned
from api.portfolio.reading import BadFile, Fault, Portfolio, Row, read_portfolio
from rules.library import Library
from runtime.portfolio.sending import client, send_all, whose

FROM_FILE = "@"
Done = Callable[[Result], None]


def load(path: Path, rebase_to: date | None, keys: Mapping[str, str] | None = None) -> Plan:
    """Read the file and turn rows into applications. `keys`: codes of insurers that can be sent for.

    Raises BadFile where the file is no portfolio.
    """
    portfolio = read_portfolio(path)
    return planned(portfolio, lambda row: _insurer(row, keys), _shift(portfolio, rebase_to))


def check(plan: Plan, rules: Library, today: date, done: Done) -> list[Result]:
    """What the rules say to every row; nothing is sent."""
    results = list(plan.refused)
    for result in checked(plan, rules, today):
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
