"""Columns of a portfolio: what each may be called, and how a cell becomes a field of an application; reads no file."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from api.amounts import ungrouped
from api.reasons import among
from domain.calendar import SHANGHAI, noon
from domain.places import code_of
from domain.policy.transitions import ENTERABLE
from models.contracts.base import AMOUNT_SAID, HIDDEN_CHARACTERS, INSTANT_SAID
from models.contracts.vocabulary import Event, PolicyKind, Sector, ServiceItem, Size, Word

W = TypeVar("W", bound=Word)
R = TypeVar("R")
Cell = object
LIST = re.compile(r"[、;；|\n]+")
PAIR = re.compile(r"[=:：]")
DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")
CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?")
YES, NO = {"是", "有", "y", "yes", "true", "1", "√"}, {"否", "无", "n", "no", "false", "0", ""}
FORMULA_ERRORS = ("#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!")
LONGEST = 5000
"""Characters of a cell that is read; no column holds more, and a cell may have a hundred thousand."""
CENT = Decimal("0.01")
EXACT = 10**15
"""A spreadsheet keeps fifteen digits of a number and makes the others zero, without a word."""
UNIT = re.compile(r"[*＊]|[(（][^()（）]*[)）]$")
"""What people add to a heading: a mark that it is needed, a unit."""
OF_MANY = re.compile(r"[(（][^()（）]*(?:[百千万亿]|\b(?:k|wan|thousand|million)\b)[^()（）]*[)）]", re.IGNORECASE)
"""A unit that makes another number of what stands in the cells: 万元."""


DATE_SAID = "日期须写作 2026-01-31、2026/1/31 或者 2026年1月31日，也可将单元格设为日期格式"
PAST = tuple(event for event in Event if event in ENTERABLE)


class Unreadable(ValueError):
    """A cell whose content is not what its column holds; the text is what a person is told."""


def text(cell: Cell) -> str:
    """The cell as a person wrote it; a number that is whole carries no decimals."""
    if isinstance(cell, int | float) and abs(cell) >= EXACT:
        raise Unreadable("数字超过 15 位，表格软件已把末尾改成 0，请将该列设为文本后重新填写")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    written = HIDDEN_CHARACTERS.sub("", str(cell)).strip()
    if len(written) > LONGEST:
        raise Unreadable(f"单元格内容过长，最多 {LONGEST} 字")
    if written in FORMULA_ERRORS:
        raise Unreadable("单元格公式有误")
    return written


def code(cell: Cell) -> str:
    """A number, a code or an address, typed with full-width signs as it may be."""
    return unicodedata.normalize("NFKC", text(cell)).strip()


def capitals(cell: Cell) -> str:
    """A code that has no small letters."""
    return code(cell).upper()


def region(cell: Cell) -> str:
    """Six digits, or the name of one place, as in the form of a page; what names none or several is read by nobody."""
    written = code(cell)
    found = code_of(written)
    if not re.fullmatch(r"\d{6}", found, re.ASCII):
        raise Unreadable("须为六位行政区划代码，或者地区全称")
    return found


def day(cell: Cell) -> date:
    """2026-03-01, 2026/3/1, 2026年3月1日, 20260301, or a cell formatted as a date."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    written = code(cell)
    if re.fullmatch(r"\d{8}", written):
        written = f"{written[:4]}-{written[4:6]}-{written[6:]}"
    found = DATE.fullmatch(written)
    if not found:
        is_number = isinstance(cell, int | float)
        raise Unreadable("单元格是数字，请设为日期格式，或者写作 2026-01-31" if is_number else DATE_SAID)
    return _real_day(found)


def instant(cell: Cell) -> datetime:
    """A day with a time in Shanghai, or an instant with its offset; a day alone is taken as its noon."""
    if isinstance(cell, datetime):
        return cell if cell.tzinfo else cell.replace(tzinfo=SHANGHAI)
    if isinstance(cell, date):
        return noon(cell)
    written = code(cell)
    if "T" in written:
        try:
            stamped = datetime.fromisoformat(written)
        except ValueError:
            raise Unreadable(INSTANT_SAID) from None
        return stamped if stamped.tzinfo else stamped.replace(tzinfo=SHANGHAI)
    found = DATE.match(written)
    if not found:
        raise Unreadable(INSTANT_SAID)
    return _at(_real_day(found), written[found.end() :].strip())


def _real_day(found: re.Match[str]) -> date:
    try:
        return date(*(int(part) for part in found.groups()))
    except ValueError:
        raise Unreadable("没有这一天") from None


def _at(on: date, written: str) -> datetime:
    if not written:
        return noon(on)
    found = CLOCK.fullmatch(written)
    try:
        hour, minute, second = (int(part or 0) for part in found.groups()) if found else (-1, 0, 0)
        return datetime.combine(on, time(hour, minute, second), SHANGHAI)
    except ValueError:
        raise Unreadable(INSTANT_SAID) from None


def money(cell: Cell) -> str:
    """Yuan; thousands separators and a currency sign are left out."""
    written = repr(cell) if isinstance(cell, int | float) else code(cell)
    written = ungrouped(written.lstrip("¥").removesuffix("元").strip())
    try:
        amount = Decimal(written)
        if amount != amount.quantize(CENT):
            raise Unreadable("金额最多两位小数")
    except InvalidOperation:
        raise Unreadable(AMOUNT_SAID) from None
    return str(amount.quantize(CENT))


def count(cell: Cell) -> int:
    written = ungrouped(code(cell))
    if not re.fullmatch(r"\d{1,9}", written, re.ASCII):
        raise Unreadable("须为整数")
    return int(written)


def yes(cell: Cell) -> bool:
    written = text(cell).lower()
    if written not in YES | NO:
        raise Unreadable("须填“是”或“否”")
    return written in YES


def word(kind: type[W], listed: Collection[W] = ()) -> Callable[[Cell], str]:
    """A word of the vocabulary, by its Chinese label or by its value; `listed` are those worth telling of many."""
    known = {name: one.value for one in kind for name in (one.label, one.value)}

    def read(cell: Cell) -> str:
        written = text(cell)
        if written not in known:
            raise Unreadable(among(one.label for one in listed or kind))
        return known[written]

    return read


def words(kind: type[W]) -> Callable[[Cell], list[str]]:
    """Several words; a label may itself contain the mark that stands between two."""
    one = word(kind)
    known = sorted((name for member in kind for name in (member.label, member.value)), key=len, reverse=True)
    part = re.compile("|".join(re.escape(name) for name in known) + r"|[^、，,；;|\s]+")
    return lambda cell: [_numbered(number, one, found) for number, found in enumerate(part.findall(text(cell)), 1)]


def _numbered(number: int, read: Callable[[Cell], R], cell: Cell) -> R:
    """One of several in a cell: which of them is wrong is told by its place."""
    try:
        return read(cell)
    except Unreadable as wrong:
        raise Unreadable(f"第 {number} 项：{wrong}") from None


def facts(cell: Cell) -> list[dict[str, Any]]:
    """上传电子保单=2026-03-02；确定服务机构=2026-03-05"""
    found: list[dict[str, Any]] = []
    for number, part in enumerate(filter(None, (part.strip() for part in LIST.split(text(cell)))), 1):
        name, *on = PAIR.split(part, maxsplit=1)
        if not on:
            raise Unreadable("既往事实须写作“上传电子保单=2026-03-02”")
        event = _numbered(number, word(Event, PAST), name)
        found.append({"event": event, "on": _numbered(number, day, on[0])})
    return found


@dataclass(frozen=True)
class Column:
    """A column: where its value goes in the application, how it is read, and what it may be called."""

    path: str
    read: Callable[[Cell], Any]
    names: tuple[str, ...]

    @property
    def title(self) -> str:
        return self.names[0]


COLUMNS = (
    Column("terms.number", code, ("保单号", "保单号码", "number", "policy_number")),
    Column("insurer", code, ("保险机构代码", "insurer", "insurer_code")),
    Column("terms.region", region, ("地区代码", "行政区划代码", "region")),
    Column("terms.sector", word(Sector), ("行业", "sector")),
    Column("terms.size", word(Size), ("规模", "企业规模", "size")),
    Column("terms.size_source", text, ("规模来源", "size_source")),
    Column("terms.kind", word(PolicyKind), ("类型", "保单类型", "kind")),
    Column("terms.signed_at", instant, ("签署时间", "签单时间", "signed_at")),
    Column("terms.effective_on", day, ("生效日期", "effective_on")),
    Column("terms.expires_on", day, ("届满日期", "expires_on")),
    Column("terms.premium_total", money, ("保费总额", "保费", "premium_total")),
    Column("terms.premium_collected", money, ("实收保费", "premium_collected")),
    Column("terms.headcount", count, ("从业人数", "headcount")),
    Column("terms.insured_headcount", count, ("投保人数", "insured_headcount")),
    Column("terms.limit_per_person", money, ("每人限额", "limit_per_person")),
    Column("terms.service_items", words(ServiceItem), ("服务项目", "service_items")),
    Column("terms.services_per_year", count, ("年服务次数", "services_per_year")),
    Column("terms.filed_clause", code, ("备案条款", "filed_clause")),
    Column("terms.out_of_area", yes, ("异地投保", "out_of_area")),
    Column("terms.out_of_area_filing", code, ("异地报备", "out_of_area_filing")),
    Column("terms.previous_policy", code, ("上期保单", "previous_policy")),
    Column("insured.name", text, ("投保单位", "insured", "insured_name")),
    Column("insured.credit_code", capitals, ("统一社会信用代码", "credit_code")),
    Column("insured.email", code, ("邮箱", "email")),
    Column("facts", facts, ("既往事实", "facts")),
    Column("fixed", yes, ("固定", "fixed")),
    Column("story", text, ("故事", "story")),
)
TITLES = {column.path: column.title for column in COLUMNS}
NAMED = {name: column for column in COLUMNS for name in column.names}
DATES = ("terms.effective_on", "terms.expires_on")


def layout(headings: Iterable[Cell]) -> dict[int, Column]:
    """Which position holds which column. Raises Unreadable where two have one meaning, or one counts in 万元."""
    found: dict[int, Column] = {}
    for position, heading in enumerate(headings):
        column = NAMED.get(UNIT.sub("", str(heading or "").strip()).strip().lower())
        if column and column.read in (money, count) and OF_MANY.search(str(heading)):
            raise Unreadable(f"“{column.title}”：金额须以元、人数须以人为单位，请换算后再导入")
        if column in found.values():
            raise Unreadable(f"“{column.title}”出现了两次" if column else "")
        if column:
            found[position] = column
    return found


def moved(values: Mapping[str, Any], shift: timedelta) -> dict[str, Any]:
    """Every date of a row by whole days; a row marked 固定 keeps its own."""
    if values.get("fixed") or not shift:
        return dict(values)
    changed = {path: values[path] + shift for path in (*DATES, "terms.signed_at") if path in values}
    past = [{**fact, "on": fact["on"] + shift} for fact in values.get("facts", ())]
    return {**values, **changed, "facts": past}


def application(values: Mapping[str, Any]) -> dict[str, Any]:
    """The body of POST /v1/policies, with dates and instants as the API reads them."""
    body: dict[str, Any] = {"terms": {}, "insured": {}}
    for path, value in values.items():
        part, _, name = path.partition(".")
        if name:
            body[part][name] = _written(value)
    past = [{"event": fact["event"], "on": str(fact["on"])} for fact in values.get("facts", ())]
    return body | ({"facts": past} if past else {})


def _written(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return value.isoformat() if isinstance(value, date) else value
