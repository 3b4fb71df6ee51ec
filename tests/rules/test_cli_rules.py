"""`anze rules …` as people and programs use it: what it prints, in which form, and how it ends."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from runtime.commands.rules import app
from tests.rules.packs_on_paper import days, duty, floor, write

SUZHOU = ("--region", "341300", "--sector", "hazardous_chemicals", "--size", "medium")
NEW_CITY = ("--region", "410100", "--sector", "fireworks", "--size", "small")
EXAMPLE = """\
- name: 签单第八天仍未上传，报应急管理部门
  given:
    region: "341300"
    sector: hazardous_chemicals
    size: medium
    events: {policy_signed: 2024-03-01}
    until: 2024-03-12
  due:  {policy_upload: {nominal: 2024-03-08, effective: 2024-03-08}}
  told: {2024-03-06: {policy_upload: [insurer]}, 2024-03-09: {policy_upload: [emergency, insurer]}}
"""


def run(*words: str | Path, code: int = 0) -> Any:
    """Standard output as text, or read as JSON where that was asked for."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout) if "--json" in words else result.output


@pytest.fixture
def example(tmp_path: Path) -> Path:
    path = tmp_path / "examples.yaml"
    path.write_text(EXAMPLE, encoding="utf-8")
    return path


@pytest.fixture
def drafts(tmp_path: Path) -> Path:
    """A city nobody has seen."""
    write(
        tmp_path / "drafts",
        "410100_zhengzhou",
        duties=[duty(within=days(3))],
        rates=floor("0.15"),
        routes=[{"role": "emergency", "department": "市应急管理局", "clause": "五", "by": "law"}],
    )
    return tmp_path / "drafts"


def test_the_packs_of_the_house_pass_the_check() -> None:
    assert "通过" in run("check")
    answer = run("check", "--json")
    assert answer["ok"]
    assert {pack["region"] for pack in answer["packs"]} >= {"000000", "220000", "330000", "340000", "341300", "350200"}


def test_a_refused_pack_is_told_with_all_its_findings_and_exit_code_one(tmp_path: Path) -> None:
    write(tmp_path, "410100_zhengzhou", duties=[{**duty(), "clause": None, "tell": 1}])
    assert "未通过" in run("check", "--packs", tmp_path, code=1)
    answer = run("check", "--packs", tmp_path, "--json", code=1)
    assert not answer["ok"]
    assert len(answer["findings"]) == 2
    assert all(finding["line"] for finding in answer["findings"])


def test_every_example_of_every_pack_holds() -> None:
    answer = run("examples", "--json")
    assert len(answer) > 50
    assert [one for one in answer if not one["ok"]] == []


def test_an_example_that_holds_ends_with_zero(example: Path) -> None:
    (answer,) = run("examples", example, "--json")
    assert answer["ok"]
    assert answer["actual"]["due"]["policy_upload"]["nominal"] == "2024-03-08"
    assert answer["expected"]["told"]["2024-03-09"] == {"policy_upload": ["emergency", "insurer"]}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("nominal: 2024-03-08", "nominal: 2024-03-07", "末日应为 2024-03-07，实际为 2024-03-08"),
        ("[emergency, insurer]", "[insurer]", "2024-03-09 policy_upload：应告知 insurer，实际告知 emergency、insurer"),
        ("until: 2024-03-12", "until: 2024-03-16", "2024-03-16 policy_upload：应告知 无人，实际告知 financial"),
        ("due:  {policy_upload:", "due:  {policy_uplod:", "没有名为 policy_uplod 的义务"),
        ("effective: 2024-03-08}", "effective: 2024-03-08, provisional: true}", "暂定应为 是，实际为 否"),
        (
            "due:  {policy_upload: {nominal: 2024-03-08, effective: 2024-03-08}}",
            "due: {policy_upload: null}",
            "不应产生",
        ),
        ("due:  {", "to: {policy_upload: [市卫健委]}\n  due:  {", "应送达 市卫健委"),
    ],
)
def test_an_example_that_fails_says_what_differs(example: Path, old: str, new: str, said: str) -> None:
    assert old in EXAMPLE
    example.write_text(EXAMPLE.replace(old, new), encoding="utf-8")
    assert said in run("examples", example, code=1)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  told:", "  tolled:", "tolled: 未知的键"),
        ("    until:", "    untill:", "given.until: 缺少必填项"),
        ('"341300"', "341300", "数字请加引号"),
        ("policy_signed: 2024-03-01", "policy_signd: 2024-03-01", "未知的事件"),
        ("policy_signed: 2024-03-01", "policy_signed: {at: 2024-03-01}", "at: 未知的键"),
        ("policy_signed: 2024-03-01", "policy_signed: 2024-03-01T09:00:00", "时间须写作"),
        ("until: 2024-03-12", "until: 2024-02-30", "没有 2024-02-30 这一天"),
    ],
)
def test_a_misspelt_example_file_is_an_error_and_not_ignored(example: Path, old: str, new: str, said: str) -> None:
    assert old in EXAMPLE
    example.write_text(EXAMPLE.replace(old, new), encoding="utf-8")
    assert said in run("examples", example, code=1)
    assert not any(one["ok"] for one in run("examples", example, "--json", code=1))


def test_an_example_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    assert "无法读取文件" in run("examples", tmp_path / "none.yaml", code=1)


@pytest.mark.obligation("SZ-20")
def test_a_term_is_explained_day_by_day() -> None:
    asked = ("explain", *SUZHOU, "--event", "policy_signed=2024-01-02", "--duty", "service_completion")
    answer = run(*asked, "--json")
    assert (answer["nominal"], answer["effective"]) == ("2024-02-16", "2024-02-18")
    assert (answer["due_at"], answer["provisional"]) == ("2024-02-19T00:00:00+08:00", False)
    assert (answer["number"], answer["clause"], answer["by"]) == ("应急监二〔2023〕84号", "二(五)", "law")
    assert answer["days"][0]["on"] == "2024-01-02"
    assert answer["days"][-1]["on"] == "2024-02-18"
    assert sum(day["number"] is not None for day in answer["days"]) == 45
    due = next(rung for rung in answer["ladder"] if rung["moment"] == "due")
    assert due["at"] == "2024-02-19T00:00:00+08:00"
    assert set(due["departments"]) == {"emergency"}
    assert "第 1–3 日" in run(*asked)


def test_a_duty_that_follows_from_anothers_expiry_is_explained() -> None:
    events = ("--event", "policy_signed=2024-01-02", "--event", "hazard_found=2024-03-10,major=true,due=2024-03-25")
    answer = run("explain", *SUZHOU, *events, "--duty", "major_hazard_report", "--json")
    assert answer["anchor"]["event"] == "rectification_overdue"
    assert answer["anchor"]["on"] == "2024-03-26"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"--region": "899999"}, "没有行政区划代码"),
        ({"--region": "宿州"}, "六位行政区划代码"),
        ({"--sector": "banking"}, "未知的行业“banking”"),
        ({"--size": "huge"}, "未知的规模"),
        ({"--duty": "policy_uplod"}, "是否指 policy_upload"),
        ({"--event": "policy_sined=2024-01-02"}, "是否指 policy_signed"),
        ({"--event": "policy_signed=2024-13-02"}, "没有 2024-13-02 这一天"),
        ({"--event": "policy_signed=2024-01-02,colour=red"}, "未知的键"),
        ({"--event": "policy_effective=2024-01-02"}, "缺少起算事件"),
        ({"--duty": "first_service", "--size": "small"}, "不适用于此情形"),
        ({"--event": "policy_signed=2001-01-02"}, "没有已施行的规则包"),
    ],
)
def test_an_unanswerable_question_gets_a_chinese_sentence_and_exit_code_two(change: dict[str, str], said: str) -> None:
    plain = {"--region": "341300", "--sector": "fishery", "--size": "medium", "--duty": "policy_upload"}
    options = {**plain, "--event": "policy_signed=2024-01-02", **change}
    result = CliRunner().invoke(app, ["explain", *(word for pair in options.items() for word in pair), "--json"])
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_a_city_nobody_has_seen_works_from_its_folder_alone(drafts: Path) -> None:
    event = ("--event", "policy_signed=2024-03-01", "--duty", "policy_upload", "--packs", str(drafts))
    answer = run("explain", *NEW_CITY, *event, "--json")
    assert answer["nominal"] == "2024-03-04"
    assert answer["ladder"][0]["departments"] == {"emergency": "市应急管理局"}
    assert "410100" in run("coverage", "--packs", drafts)
    assert run("check", "--packs", drafts / "410100_zhengzhou", "--json")["ok"]
    shown = run("show", "410100", "--on", "2024-03-01", "--packs", str(drafts), "--json")
    assert shown["rates"]["prevention_spend_floor"]["value"] == "0.15"


def test_a_draft_replaces_the_built_in_pack_of_its_place(tmp_path: Path) -> None:
    write(tmp_path, "341300_draft", duties=[duty(within=days(5))])
    asked = ("--event", "policy_signed=2024-03-01", "--duty", "policy_upload", "--packs", str(tmp_path), "--json")
    assert run("explain", *SUZHOU, *asked)["nominal"] == "2024-03-06"
    assert run("check", "--packs", tmp_path, "--json")["ok"]


@pytest.mark.obligation("XM-33", "XM-36", "XM-38")
@pytest.mark.parametrize(
    ("sector", "department"),
    [("hazardous_chemicals", "市应急局"), ("fishery", "市海洋局"), ("civil_explosives", "human_queue")],
)
def test_a_role_becomes_the_department_the_notice_names(sector: str, department: str) -> None:
    answer = run("route", "--region", "350200", "--sector", sector, "--role", "industry", "--json")
    assert answer["roles"][0]["department"] == department


def test_a_party_of_the_policy_has_no_route() -> None:
    assert "不经由部门" in run("route", "--region", "350200", "--sector", "fishery", "--role", "insured", code=2)


def test_two_versions_are_compared_in_words(tmp_path: Path) -> None:
    old = write(tmp_path, "410100_a", duties=[duty()], rates=floor("0.12"))
    new = write(tmp_path, "410100_b", "2025-01-01", duties=[duty(within=days(5)), duty(id="recheck", label="复核")])
    said = run("diff", old, new)
    assert "义务 上传电子保单（policy_upload）的期限由“自保单签署起 7 日" in said
    assert "新增 义务 复核（recheck）" in said
    assert "取消 数值 预防费下限（prevention_spend_floor）" in said
    kinds = {(one["kind"], one["ident"]) for one in run("diff", old, new, "--json")}
    assert {("changed", "policy_upload"), ("added", "recheck"), ("removed", "prevention_spend_floor")} <= kinds


def test_a_place_is_compared_on_two_days() -> None:
    assert "新增 义务 上传电子保单" in run("diff", "2023-12-31", "2024-01-01", "--region", "341300")
    assert "没有变化" in run("diff", "2024-02-01", "2024-02-02", "--region", "341300")
    assert "不是日期" in run("diff", "yesterday", "2024-02-02", "--region", "341300", code=2)


@pytest.mark.obligation("SZ-27a", "AH-05a")
def test_the_stacked_view_gives_reasons() -> None:
    answer = run("show", "341300", "--on", "2024-03-01", "--json")
    assert answer["rates"]["prevention_spend_floor"]["value"] == "0.12"
    assert "12 %：宿州 二(六) 高于 安徽" in answer["rates"]["prevention_spend_floor"]["because"]
    assert "宿州" in run("show", "341300", "--on", "2024-03-01")


def test_coverage_lists_places_with_dates_and_open_questions() -> None:
    places = run("coverage", "--json")["places"]
    assert all(place["checked_on"] and place["open_questions"] > 0 for place in places)
