"""Reads folders of packs and calendars and checks each file by itself; how packs combine is not known here."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations, pairwise
from pathlib import Path

from models.contracts.calendar import CalendarYear
from models.contracts.pack import Pack
from rules.complaints import validated
from rules.findings import Finding, RulesRefused, shown
from rules.packfile import Document, read_document
from rules.stacking import disjoint

FOLDER = re.compile(r"^([0-9]{6})(_[A-Za-z0-9_]+)?$", re.ASCII)
NATION = "000000"
"""The one place with several folders: national laws and measures stand side by side, each with its own dates."""
BESIDE = frozenset({"examples.yaml"})
"""What lies beside the dated files of a pack and is read elsewhere."""
DATES = ("issued_on", "in_force_on", "ends_on", "checked_on")
Read = tuple[str, Path, Document, Pack]


@dataclass
class Shelf:
    """One folder of pack folders, as far as it could be read, and everything that is wrong with it."""

    packs: list[Read] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def read_shelf(folder: Path) -> Shelf:
    """Every pack below a folder of pack folders; a single pack folder is a shelf of one."""
    shelf = Shelf()
    if not folder.is_dir():
        shelf.findings.append(Finding(shown(folder), 0, "", "没有这个文件夹"))
        return shelf
    regions: dict[str, Path] = {}
    for place in _pack_folders(folder, shelf):
        match = FOLDER.fullmatch(place.name)
        if not match:
            reason = "文件夹名须以六位行政区划代码开头，如 341300_suzhou_ah"
            shelf.findings.append(Finding(shown(place), 0, "", reason))
        elif (region := match[1]) in regions and region != NATION:
            shelf.findings.append(
                Finding(shown(place), 0, "", f"与 {regions[region].name} 是同一地区，请并入一个文件夹")
            )
        else:
            regions[region] = place
            _read_folder(region, place, shelf)
    return shelf


def _pack_folders(folder: Path, shelf: Shelf) -> Sequence[Path]:
    folder = folder.resolve()
    found = sorted(place for place in folder.iterdir() if place.is_dir() and not place.name.startswith((".", "_")))
    if any(_yaml_files(folder)) or (FOLDER.fullmatch(folder.name) and not found):
        return [folder]
    if not found:
        shelf.findings.append(Finding(shown(folder), 0, "", "文件夹中没有规则包"))
    return found


def _yaml_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.suffix in {".yaml", ".yml"} and not path.name.startswith(".") and path.name not in BESIDE:
            yield path


def _read_folder(region: str, folder: Path, shelf: Shelf) -> None:
    read: list[Read] = []
    for path in _yaml_files(folder):
        try:
            document = read_document(path)
            pack = validated(document, Pack)
        except RulesRefused as refused:
            shelf.findings += refused.findings
            continue
        shelf.findings += [*_misdated(path, document, pack), *_doubles(document, pack)]
        read.append((region, path, document, pack))
    if not any(_yaml_files(folder)):
        shelf.findings.append(Finding(shown(folder), 0, "", "文件夹中没有以施行日期命名的规则文件，如 2024-01-01.yaml"))
    read.sort(key=lambda item: item[3].instrument.in_force_on)
    shelf.findings += _overlaps(read)
    shelf.packs += read


def _misdated(path: Path, document: Document, pack: Pack) -> Iterator[Finding]:
    in_force_on, ends_on = pack.instrument.in_force_on, pack.instrument.ends_on
    for key in DATES:
        written, read = document.data["instrument"].get(key), getattr(pack.instrument, key)
        if written is not None and written != str(read):  # a count of seconds would be read as a date too
            yield document.finding(("instrument", key), f"“{written}”的写法不对，应为日期，如 2026-01-31")
    if path.name != f"{in_force_on}.yaml":
        reason = f"文件名须与施行日期一致：应为 {in_force_on}.yaml"
        yield document.finding(("instrument", "in_force_on"), reason)
    if ends_on and ends_on < in_force_on:
        yield document.finding(("instrument", "ends_on"), f"失效日期 {ends_on} 早于施行日期 {in_force_on}")


def _overlaps(read: Sequence[Read]) -> Iterator[Finding]:
    """An earlier file ends by itself the day before the next begins, unless it says that it lasts longer."""
    for (_, earlier_path, _, earlier), (_, _, document, later) in pairwise(read):
        begins, ends = later.instrument.in_force_on, earlier.instrument.ends_on
        same_day = begins == earlier.instrument.in_force_on
        if same_day or (ends and ends >= begins):
            reason = f"施行期间与 {earlier_path.name} 重叠" + (
                "（同一施行日期）" if same_day else f"（该文件至 {ends}）"
            )
            yield document.finding(("instrument", "in_force_on"), reason)


def _doubles(document: Document, pack: Pack) -> Iterator[Finding]:
    """Two entries with one id would both apply to some case; with disjoint conditions they may stand together."""
    for key, entries in (("duties", pack.duties), ("gates", pack.gates)):
        for (_, one), (index, other) in combinations(enumerate(entries), 2):
            if one.id == other.id and not disjoint(one.when, other.when):
                yield document.finding((key, index, "id"), f"“{other.id}”在本文件中重复，且适用条件有交集")


def read_calendars(folder: Path) -> tuple[tuple[CalendarYear, ...], list[Finding]]:
    """The published years, in order, and what is wrong with their files."""
    years: list[CalendarYear] = []
    findings: list[Finding] = []
    for path in _yaml_files(folder) if folder.is_dir() else ():
        try:
            document = read_document(path)
            year = validated(document, CalendarYear)
        except RulesRefused as refused:
            findings += refused.findings
            continue
        findings += _wrong_days(path, document, year)
        years.append(year)
    return tuple(sorted(years, key=lambda year: year.year)), findings


def _wrong_days(path: Path, document: Document, year: CalendarYear) -> Iterator[Finding]:
    if path.stem != str(year.year):
        yield document.finding(("year",), f"文件名须与年份一致：应为 {year.year}.yaml")
    for key, days in (("off", year.off), ("work", year.work)):
        for day in sorted(day for day in days if day.year != year.year):
            yield document.finding((key,), f"{day} 不在 {year.year} 年内")
    for day in sorted(year.off & year.work):
        yield document.finding(("work",), f"{day} 既是休息日又是上班日")
    for day in sorted(day for day in year.work if not _weekend(day)):
        yield document.finding(("work",), f"{day} 本来就是工作日，不是调休上班日")


def _weekend(day: date) -> bool:
    return day.weekday() >= 5  # Saturday is 5
