"""Importing a portfolio: what is read, what is refused row by row, and that repeating changes nothing."""

import csv
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import text
from typer.testing import CliRunner

from api.portfolio.columns import COLUMNS, Unreadable, count, day, instant, layout, money, words
from api.portfolio.parcels import Outcome
from api.portfolio.reading import BadFile, read_portfolio
from api.portfolio.reporting import write_report
from domain.calendar import SHANGHAI, local_date
from models.contracts.vocabulary import ServiceItem
from models.tables.engine import connected, operator
from runtime.cli import app
from runtime.demo.town import Town, open_town
from runtime.portfolio import importing
from runtime.portfolio.sending import NoEntry
from runtime.samples import load_directory
from runtime.settings import PROJECT_ROOT, Settings

SAMPLE = PROJECT_ROOT / "samples" / "portfolio.csv"
TODAY = local_date(datetime.now(UTC))
HEADINGS = [column.title for column in COLUMNS]


def row(number: str = "T-1", **changed: Any) -> dict[str, Any]:
    signed = TODAY - timedelta(days=2)
    plain = {
        "保单号": number, "保险机构代码": "PS", "地区代码": "341300", "行业": "危险化学品", "规模": "中型",
        "类型": "一年期", "签署时间": f"{signed} 23:59",
        "生效日期": f"{TODAY}", "届满日期": f"{TODAY + timedelta(days=364)}",
        "保费总额": "86,000.00", "从业人数": "128", "投保人数": "128", "每人限额": "¥600000", "年服务次数": "2",
        "服务项目": "安全风险辨识、评估和安全评价、安全生产宣传教育培训", "投保单位": "某化工有限公司",
        "统一社会信用代码": "91341300MA2NXR5T8H", "邮箱": "anquan@hg.example",
    }  # fmt: skip
    return plain | changed


def table(path: Path, *rows: dict[str, Any], encoding: str = "utf-8", headings: list[str] = HEADINGS) -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, headings, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize(
    "written",
    ["2026-03-01", "2026/3/1", "2026年3月1日", "20260301", date(2026, 3, 1), datetime(2026, 3, 1)],  # noqa: DTZ001
)
def test_a_day_is_read_however_people_write_it(written: object) -> None:
    assert day(written) == date(2026, 3, 1)


@pytest.mark.parametrize(
    ("written", "hour"),
    [
        ("2026-03-01 23:59", 23),
        ("2026-03-01", 12),
        ("2026-03-01T08:00:00+08:00", 8),
        (datetime(2026, 3, 1, 7), 7),  # noqa: DTZ001
    ],
)
def test_an_instant_without_an_offset_is_shanghai_time(written: object, hour: int) -> None:
    assert instant(written) == datetime(2026, 3, 1, hour, 59 if hour == 23 else 0, tzinfo=SHANGHAI)


@pytest.mark.parametrize("written", ["2026-02-30", "明天", "1/2/26", ""])
def test_what_is_no_day_is_said_to_be_none(written: str) -> None:
    with pytest.raises(Unreadable):
        day(written)


def test_money_is_exact_and_never_rounded() -> None:
    assert [money(cell) for cell in ("¥1,200.5", 86000.0, 12, "0.10元")] == ["1200.50", "86000.00", "12.00", "0.10"]
    with pytest.raises(Unreadable, match="两位小数"):
        money(0.125)
    for written in ("1,50", "12,34.00", "1，5"):
        with pytest.raises(Unreadable):
            money(written)


def test_a_whole_number_from_a_spreadsheet_is_a_count() -> None:
    assert [count(cell) for cell in (128.0, "1,280", "１，２８０人".removesuffix("人"))] == [128, 1280, 1280]
    with pytest.raises(Unreadable):
        count(1.5)


def test_labels_that_contain_the_separator_are_read_whole() -> None:
    read = words(ServiceItem)("安全风险辨识、评估和安全评价、其他服务")
    assert read == ["risk_assessment", "other"]


def test_columns_are_known_by_chinese_and_english_names() -> None:
    found = layout(["保单号", "region", "不认识"])
    assert [column.path for column in found.values()] == ["terms.number", "terms.region"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_is_read_in_the_encodings_people_save_it_in(tmp_path: Path, encoding: str) -> None:
    read = read_portfolio(table(tmp_path / "p.csv", row(), encoding=encoding))
    assert read.rows[0].values["terms.sector"] == "hazardous_chemicals"


def test_a_workbook_with_real_dates_and_numbers_is_read(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(HEADINGS)
    values = row() | {
        "签署时间": datetime(2026, 3, 1, 9, 30),  # noqa: DTZ001
        "生效日期": date(2026, 3, 2),
        "地区代码": 341300,
        "从业人数": 128,
        "保费总额": 86000.5,
    }
    sheet.append([values.get(name, "") for name in HEADINGS])
    book.save(tmp_path / "p.xlsx")
    read = read_portfolio(tmp_path / "p.xlsx").rows[0]
    assert not read.faults
    assert read.values["terms.effective_on"] == date(2026, 3, 2)
    assert read.values["terms.region"] == "341300"
    assert read.values["terms.premium_total"] == "86000.50"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00bad", b"a,b\n1,2\n"])
def test_what_is_no_portfolio_is_refused_as_a_whole(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "p.csv").write_bytes(content)
    with pytest.raises(BadFile):
        read_portfolio(tmp_path / "p.csv")


def test_a_bad_cell_spoils_its_row_only_and_names_its_column(tmp_path: Path) -> None:
    rows = (row("T-1", 行业="挖矿", 从业人数="很多"), row("T-2"), row("T-2"))
    plan = importing.load(table(tmp_path / "p.csv", *rows), None)
    assert [parcel.number for parcel in plan.parcels] == ["T-2"]
    sector, headcount = plan.refused[0].faults
    assert str(sector).startswith("行业：不是可用的取值，可填：非煤矿山、煤矿、")
    assert str(headcount) == "从业人数：须为整数"
    assert "与第 3 行重复" in str(plan.refused[1].faults[0])


def test_rebasing_moves_every_row_by_the_same_days_but_not_the_fixed_ones(tmp_path: Path) -> None:
    path = table(tmp_path / "p.csv", row("T-1"), row("T-2", 固定="是"))
    moved, fixed = importing.load(path, TODAY + timedelta(days=9)).parcels
    assert moved.body["terms"]["effective_on"] == str(TODAY + timedelta(days=10))
    assert fixed.body["terms"]["effective_on"] == str(TODAY)


def test_the_sample_portfolio_passes_every_check(tmp_path: Path) -> None:
    copy = tmp_path / "portfolio.csv"
    copy.write_bytes(SAMPLE.read_bytes())
    ended = CliRunner().invoke(app, ["import", str(copy), "--dry-run", "--rebase-to", "today", "--json"])
    assert ended.exit_code == 0, ended.output
    assert json.loads(ended.stdout)["totals"]["valid"] == 200


def test_a_dry_run_says_what_the_place_requires(tmp_path: Path) -> None:
    path = table(tmp_path / "p.csv", row(地区代码="350200", 每人限额="", 投保人数="100"))
    ended = CliRunner().invoke(app, ["import", str(path), "--dry-run", "--json"])
    assert ended.exit_code == 1
    assert "每人责任限额" in json.loads(ended.stdout)["rows"][0]["faults"][0]["reason"]
    assert "每人责任限额" in (tmp_path / "p.result.csv").read_text(encoding="utf-8-sig")


@pytest.mark.parametrize("named", ["宿州市", "安徽省宿州市", "３４１３００"])
def test_a_place_is_read_by_its_name_too_and_one_nobody_knows_is_told(tmp_path: Path, named: str) -> None:
    read, wrong = read_portfolio(table(tmp_path / "p.csv", row(地区代码=named), row(地区代码="某某市"))).rows
    assert (read.values["terms.region"], read.faults) == ("341300", ())
    assert "六位行政区划代码" in wrong.faults[0].reason


def test_text_that_looks_like_a_formula_is_not_computed_in_the_report(tmp_path: Path) -> None:
    path = table(tmp_path / "p.csv", row(投保单位="=1+1"))
    CliRunner().invoke(app, ["import", str(path), "--dry-run"])
    assert "'=1+1" in (tmp_path / "p.result.csv").read_text(encoding="utf-8-sig")


def test_without_a_key_nothing_is_sent(tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, ["import", str(table(tmp_path / "p.csv", row()))])
    assert ended.exit_code == 2


@pytest.fixture
async def town(settings: Settings) -> AsyncIterator[Town]:
    async with open_town(settings) as running:
        yield running


async def opened(town: Town) -> int:
    async with connected(town.engine) as connection, connection.begin():
        await operator(connection)
        return (await connection.execute(text("SELECT count(*) FROM cases"))).scalar_one()


async def test_an_import_opens_each_policy_once_however_often_it_runs(
    town: Town, settings: Settings, tmp_path: Path
) -> None:
    keys = await load_directory(settings)
    api = str(town.http.base_url)
    holders = await importing.holders(api, list(keys.values()))
    assert sorted(holders) == ["PS", "QY", "YS"]
    rows = [row(f"IMP-{number}") for number in range(12)] + [row("IMP-X", 地区代码="350200", 每人限额="")]
    plan = importing.load(table(tmp_path / "p.csv", *rows), None, holders)
    first = await importing.send(plan, api, holders, lambda _: None)
    again = await importing.send(plan, api, holders, lambda _: None)
    assert [one.outcome for one in first] == [Outcome.OPENED] * 12 + [Outcome.REFUSED]
    assert [one.outcome for one in again] == [Outcome.THERE] * 12 + [Outcome.REFUSED]
    assert "厦应急规〔2022〕2号" in str(first[-1].faults[0])
    assert await opened(town) == 12
    report = write_report(plan.portfolio, {one.line: one for one in again})
    assert report.read_text(encoding="utf-8-sig").count("此前已导入") == 12


async def test_another_policy_under_the_same_number_is_refused(town: Town, settings: Settings, tmp_path: Path) -> None:
    holders = await importing.holders(str(town.http.base_url), list((await load_directory(settings)).values()))
    ends = []
    for premium in ("100.00", "200.00"):
        plan = importing.load(table(tmp_path / "p.csv", row("IMP-TWICE", 保费总额=premium)), None, holders)
        ends += await importing.send(plan, str(town.http.base_url), holders, lambda _: None)
    assert [one.outcome for one in ends] == [Outcome.OPENED, Outcome.REFUSED]


async def test_a_key_nobody_knows_stops_the_import_at_once(town: Town) -> None:
    with pytest.raises(NoEntry):
        await importing.holders(str(town.http.base_url), ["anze_00000000_" + "x" * 43])


def test_keys_are_read_from_the_file_the_sample_directory_keeps(tmp_path: Path) -> None:
    token = "anze_0123abcd_" + "k" * 43
    (tmp_path / "sample-keys.json").write_text(json.dumps({"PS": token}))
    assert importing.tokens([f"@{tmp_path / 'sample-keys.json'}"]) == [token]
