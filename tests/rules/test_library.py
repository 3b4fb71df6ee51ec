"""Reading packs: what is refused and where it says so, what is in force when, and what a case is pinned to."""

from datetime import date
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest

from models.contracts.rulebook import PackRef, RulesFor
from models.contracts.vocabulary import CaseKind, HazardGrade, Sector, Size
from rules import lock as locks
from rules.findings import RulesRefused, UnknownPack
from rules.library import Library
from rules.schema import SCHEMA, schema_text
from tests.rules.packs_on_paper import days, duty, floor, write

SUZHOU = "341300_suzhou_ah"


def library(root: Path, *extra: Path) -> Library:
    return Library(root, root / "no-calendars", extra)


def complaints(root: Path) -> str:
    with pytest.raises(RulesRefused) as refused:
        library(root)
    return str(refused.value)


def asked(on: str = "2024-03-01", region: str = "341300", **more: Any) -> RulesFor:
    known = {"sector": Sector.HAZARDOUS_CHEMICALS, "size": Size.MEDIUM, "case": CaseKind.POLICY}
    return RulesFor.model_validate({"region": region, "on": date.fromisoformat(on), **known, **more})


def test_every_mistake_of_a_file_is_told_with_line_and_reason(tmp_path: Path) -> None:
    path = tmp_path / SUZHOU / "2024-01-01.yaml"
    path.parent.mkdir()
    path.write_text(
        """\
instrument: {number: 甲〔2023〕1号, title: 某通知, issued_by: [局], issued_on: null, in_force_on: 2024-01-01}
duties:
  - id: policy_upload
    label: 上传
    owed_by: insurer
    anchor: policy_signed
    met_by: policy_uploaded
    within: {amount: 7}
    by: law
    ladder:
      - {at: soon, tell: [governor], notice: duty_overdue}
dutys: []
""",
        encoding="utf-8",
    )
    said = complaints(tmp_path)
    assert "2024-01-01.yaml:1: instrument.checked_on: 缺少核对日期" in said
    assert "2024-01-01.yaml:3: duties[policy_upload].clause: 缺少条款号" in said
    assert "2024-01-01.yaml:8: duties[policy_upload].within.unit: 期限缺少单位" in said
    assert "2024-01-01.yaml:11: duties[policy_upload].ladder[1].at: “soon”：时点须写作" in said
    assert "2024-01-01.yaml:11: duties[policy_upload].ladder[1].tell[1]: 未知的角色“governor”" in said
    assert "2024-01-01.yaml:12: dutys: 未知的键" in said


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "键“a”重复"),
        ("a: &x [1]\nb: *x\n", 1, "锚点或别名"),
        ("a: 1\n2: b\n", 2, "键须是文字"),
        ("a: !!python/none x\n", 1, "标签"),
        ("a: 1\n---\nb: 2\n", 2, "一份文档"),
        ("a: [1\n", 2, "不是合法的 YAML"),
        ("a: " + "[" * 40 + "]" * 40, 1, "嵌套过深"),
        ("<<: {a: 1}\n", 1, "合并键"),
    ],
)
def test_yaml_that_hides_something_is_refused_at_its_line(tmp_path: Path, text: str, line: int, reason: str) -> None:
    path = tmp_path / SUZHOU / "2024-01-01.yaml"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    said = complaints(tmp_path)
    assert f"2024-01-01.yaml:{line}: " in said
    assert reason in said


def test_a_number_without_quotes_and_a_wrong_date_are_refused(tmp_path: Path) -> None:
    rate = floor("0.12")
    rate["prevention_spend_floor"]["value"] = 0.12
    write(tmp_path, SUZHOU, rates=rate, instrument={"issued_on": "2023-02-30"})
    said = complaints(tmp_path)
    assert "数字请加引号" in said
    assert "“2023-02-30”的写法不对" in said


def test_a_count_of_seconds_is_no_date(tmp_path: Path) -> None:
    write(tmp_path, SUZHOU, instrument={"checked_on": "1704067200"})
    assert "instrument.checked_on: “1704067200”的写法不对" in complaints(tmp_path)


def test_the_file_name_must_be_the_day_of_coming_into_force(tmp_path: Path) -> None:
    write(tmp_path, SUZHOU, name="2024-02-01")
    assert "应为 2024-01-01.yaml" in complaints(tmp_path)


def test_two_files_of_one_day_overlap(tmp_path: Path) -> None:
    write(tmp_path, SUZHOU)
    write(tmp_path, SUZHOU, name="2024-01-01_b")
    assert "同一施行日期" in complaints(tmp_path)


def test_a_file_that_lasts_into_the_next_one_overlaps(tmp_path: Path) -> None:
    write(tmp_path, SUZHOU, instrument={"ends_on": "2025-01-01"})
    write(tmp_path, SUZHOU, "2025-01-01")
    assert "2025-01-01.yaml:7: instrument.in_force_on: 施行期间与 2024-01-01.yaml 重叠" in complaints(tmp_path)


@pytest.mark.parametrize("folder", ["suzhou", "34130_suzhou", "3413000", "341300suzhou"])
def test_a_folder_starts_with_six_digits(tmp_path: Path, folder: str) -> None:
    write(tmp_path, folder)
    assert "六位行政区划代码" in complaints(tmp_path)


def test_two_folders_of_one_place_are_refused(tmp_path: Path) -> None:
    write(tmp_path, SUZHOU)
    write(tmp_path, "341300_other")
    assert "同一地区" in complaints(tmp_path)


def test_one_id_twice_is_refused_unless_no_case_meets_both(tmp_path: Path) -> None:
    write(tmp_path, SUZHOU, duties=[duty(when={"sizes": ["large"]}), duty(when={"sizes": ["small"]})])
    assert library(tmp_path).resolve(asked(size=Size.LARGE)).rulebook.duties
    write(tmp_path, SUZHOU, duties=[duty(when={"sizes": ["large"]}), duty()])
    assert "重复" in complaints(tmp_path)


def test_levels_that_contradict_each_other_are_refused_at_the_line_of_the_lower_one(tmp_path: Path) -> None:
    write(tmp_path, "340000_anhui", "2022-01-01", duties=[duty(within={"amount": 5, "unit": "working_day"})])
    path = write(tmp_path, SUZHOU, duties=[duty()])
    line = path.read_text(encoding="utf-8").splitlines().index("- id: policy_upload") + 1
    said = complaints(tmp_path)
    assert f"2024-01-01.yaml:{line}: duties[policy_upload].id" in said
    assert "overrides: policy_upload" in said


def test_the_version_in_force_at_signing_holds_and_stays_pinned(tmp_path: Path) -> None:
    write(tmp_path, SUZHOU, duties=[duty()])
    write(tmp_path, SUZHOU, "2025-01-01", duties=[duty(within=days(5))])
    read = library(tmp_path)
    old, new = read.resolve(asked("2024-12-31")).rulebook, read.resolve(asked("2025-01-01")).rulebook
    assert [book.duties[0].duty.within.amount for book in (old, new)] == [7, 5]
    assert read.resolve(asked("2023-12-31")).rulebook.packs == ()
    later = read.resolve(asked("2026-01-01", packs=old.packs)).rulebook
    assert later.duties[0].duty.within.amount == 7
    assert later.packs == old.packs


def test_a_pack_that_has_ended_is_not_in_force(tmp_path: Path) -> None:
    write(tmp_path, SUZHOU, duties=[duty()], instrument={"ends_on": "2024-12-31"})
    read = library(tmp_path)
    assert read.pack_for("341300", date(2024, 12, 31))
    assert not read.pack_for("341300", date(2025, 1, 1))


def test_a_digest_nobody_has_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, SUZHOU)
    ref = PackRef(region="341300", in_force_on=date(2024, 1, 1), digest="0" * 64)
    with pytest.raises(UnknownPack):
        library(tmp_path).resolve(asked(packs=(ref,)))


def test_a_district_obeys_city_province_and_nation_without_registration(tmp_path: Path) -> None:
    for folder in ("000000_national", "340000_anhui", SUZHOU, "330000_zhejiang"):
        write(tmp_path, folder)
    refs = library(tmp_path).resolve(asked(region="341302")).rulebook.packs
    assert [ref.region for ref in refs] == ["000000", "340000", "341300"]


def test_the_digest_does_not_depend_on_line_ends(tmp_path: Path) -> None:
    path = write(tmp_path, SUZHOU)
    before = library(tmp_path).packs()[0].ref.digest
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert library(tmp_path).packs()[0].ref.digest == before


def test_a_further_folder_replaces_the_same_place_and_pinned_cases_keep_the_old_one(tmp_path: Path) -> None:
    write(tmp_path / "a", SUZHOU, duties=[duty()])
    write(tmp_path / "b", "341300_draft", duties=[duty(within=days(3))])
    pinned = library(tmp_path / "a").resolve(asked()).rulebook.packs
    read = library(tmp_path / "a", tmp_path / "b")
    assert read.resolve(asked()).rulebook.duties[0].duty.within.amount == 3
    assert read.resolve(asked(packs=pinned)).rulebook.duties[0].duty.within.amount == 7
    single = library(tmp_path / "a", tmp_path / "b" / "341300_draft")
    assert single.resolve(asked()).rulebook.duties[0].duty.within.amount == 3


def test_a_rulebook_holds_only_what_the_case_obeys_and_travels_light(tmp_path: Path) -> None:
    hazard = {"anchor": "hazard_found", "met_by": "hazard_told"}
    entries = [
        duty(),
        duty(id="off", enabled=False, source="二手资料"),
        duty(id="large_only", when={"sizes": ["large"]}),
        duty(id="fishery_only", when={"sectors": ["fishery"]}),
        duty(id="outside", when={"out_of_area": True}),
        duty(id="report", when={"grade": "major"}, **hazard),
        duty(id="tell", **hazard),
    ]
    write(tmp_path, SUZHOU, duties=entries, rates=floor("0.12"))
    read = library(tmp_path)

    def ids(**more: Any) -> set[str]:
        return {bound.duty.id for bound in read.resolve(asked(**more)).rulebook.duties}

    assert ids() == {"policy_upload"}
    assert ids(size=Size.LARGE) == {"policy_upload", "large_only"}
    assert ids(out_of_area=True) == {"policy_upload", "outside"}
    assert ids(case=CaseKind.HAZARD, grade=HazardGrade.MAJOR) == {"report", "tell"}
    assert ids(case=CaseKind.HAZARD, grade=HazardGrade.ORDINARY) == {"tell"}
    assert read.resolve(asked()).rulebook.duties[0].duty.proves == ()
    assert read.resolve(asked(case=CaseKind.HAZARD)).rulebook.rates == {}


def test_one_question_is_answered_once(tmp_path: Path) -> None:
    write(tmp_path, SUZHOU)
    read = library(tmp_path)
    assert read.resolve(asked("2024-03-01")) is read.resolve(asked("2024-03-02"))


def test_citing_a_repealed_document_and_an_old_check_are_warned_of(tmp_path: Path) -> None:
    write(tmp_path, "000000_national", instrument={"repeals": ["安监总办〔2017〕140号"]})
    cites = ["AQ 9010-2019", "安监总办[2017]140号《办法》"]
    write(tmp_path, SUZHOU, instrument={"cites": cites, "checked_on": "2024-01-01"})
    said = [str(finding) for finding in library(tmp_path).warnings(date(2026, 11, 22))]
    assert any("cites[2]: 引用的 安监总办〔2017〕140号 已自 2024-01-01 起被" in one for one in said)
    assert any("已逾一年" in one for one in said)
    assert len(said) == 2


def test_a_calendar_with_a_day_of_another_year_or_a_made_up_weekday_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "packs", SUZHOU)
    (tmp_path / "calendars").mkdir()
    text = "year: 2024\nnotice: 某通知\noff: [2023-12-30]\nwork: [2024-02-05]\n"
    (tmp_path / "calendars" / "2024.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(RulesRefused) as refused:
        Library(tmp_path / "packs", tmp_path / "calendars")
    assert "2024.yaml:3: off: 2023-12-30 不在 2024 年内" in str(refused.value)
    assert "2024.yaml:4: work: 2024-02-05 本来就是工作日" in str(refused.value)


def test_a_released_file_that_changed_or_is_gone_breaks_the_lock(tmp_path: Path) -> None:
    path = write(tmp_path / "packs", SUZHOU)
    lock = tmp_path / "packs.lock"
    present = locks.digests(library(tmp_path / "packs").known(), tmp_path)
    assert locks.write_lock({}, present, lock) == ("packs/341300_suzhou_ah/2024-01-01.yaml",)
    locked = locks.read_lock(lock)
    assert locks.broken(locked, present, tmp_path) == ()
    path.write_text(path.read_text(encoding="utf-8") + "# 改\n", encoding="utf-8")
    changed = locks.digests(library(tmp_path / "packs").known(), tmp_path)
    assert "不得改动" in locks.broken(locked, changed, tmp_path)[0].reason
    assert "不得删除" in locks.broken(locked, {}, tmp_path)[0].reason


def test_a_case_finds_the_text_it_was_signed_under_when_another_took_its_place(tmp_path: Path) -> None:
    """A released text may be read anew under its own day; the one before stays beside it, for those it binds."""
    path = write(tmp_path / "packs", SUZHOU, duties=[duty(within=days(7))])
    (then,) = library(tmp_path / "packs").packs()
    kept = tmp_path / "earlier" / "2026-11-22" / SUZHOU / path.name
    kept.parent.mkdir(parents=True)
    path.rename(kept)
    write(tmp_path / "packs", SUZHOU, duties=[duty(within=days(5))])
    read = library(tmp_path / "packs")

    of_then = read.resolve(asked(packs=(then.ref,))).rulebook
    assert (of_then.packs, of_then.duties[0].duty.within.amount) == ((then.ref,), 7)
    assert read.resolve(asked()).rulebook.duties[0].duty.within.amount == 5, "nobody new is put under it"
    listed = locks.digests(read.known(), tmp_path)
    assert set(listed) == {f"packs/{SUZHOU}/{path.name}", f"earlier/2026-11-22/{SUZHOU}/{path.name}"}
    rmtree(tmp_path / "earlier")
    lost = locks.broken(listed, locks.digests(library(tmp_path / "packs").known(), tmp_path), tmp_path)
    assert ["不得删除" in one.reason for one in lost] == [True]


def test_an_earlier_text_that_cannot_be_read_any_more_is_told_with_its_line(tmp_path: Path) -> None:
    write(tmp_path / "packs", SUZHOU)
    write(tmp_path / "earlier" / "2026-11-22", SUZHOU, name="2024-02-01")
    read = library(tmp_path / "packs")
    assert read.packs(), "nobody reads it before a case asks for it"
    with pytest.raises(RulesRefused, match=r"应为 2024-01-01\.yaml"):
        read.known()


def test_the_released_packs_are_as_they_were_released() -> None:
    read = Library()
    assert locks.broken(locks.read_lock(), locks.digests(read.known())) == ()


def test_the_schema_for_editors_is_the_contract_of_today() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), "anze rules schema"
