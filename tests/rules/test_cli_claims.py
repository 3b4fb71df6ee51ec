"""Claims on the command line: terms explained day by day, agreed figures, paths shown, wrong examples told apart."""

import json
from pathlib import Path

from typer.testing import CliRunner

from runtime.cli import app

PLACE = ["--region", "350200", "--sector", "fireworks", "--size", "small"]
EVENTS = ["--event", "policy_signed=2025-05-08", "--event", "claim_reported=2025-06-03"]
EXAMPLE = """
- name: 试一例
  given:
    region: "350200"
    sector: fireworks
    size: small
    agreed: {small_fast_threshold: "10000.00", small_fast_days: 5}
    events: {policy_signed: 2025-05-08, claim_reported: 2025-06-03}
    until: 2025-06-04
    claim: {facts_true: true, liability_clear: true, losses: [{amount: "9000.00"}]}
"""


def rules(*arguments: str):
    return CliRunner().invoke(app, ["rules", *arguments])


def explained(*arguments: str) -> dict:
    answer = rules("explain", *PLACE, *EVENTS, *arguments, "--json")
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def tried(tmp_path: Path, path: str) -> dict:
    file = tmp_path / "examples.yaml"
    file.write_text(EXAMPLE + path, encoding="utf-8")
    return json.loads(rules("examples", str(file), "--json").stdout)[0]


def test_a_determination_is_explained_with_the_days_that_do_not_count() -> None:
    waits = ("--event", "documents_requested=2025-06-09", "--event", "documents_received=2025-06-24")
    answer = explained("--duty", "claim_determination", *waits)
    assert (answer["number"], answer["clause"], answer["by"]) == ("保险法", "第二十三条第一款", "law")
    assert (answer["nominal"], answer["effective"]) == ("2025-07-18", "2025-07-18")
    assert sum(day["mark"] == "suspended" for day in answer["days"]) == 15


def test_a_term_of_the_contract_is_explained_with_the_figure_given_and_cites_the_contract() -> None:
    started = ("--event", "small_fast_started=2025-06-09")
    answer = explained("--duty", "small_fast_payment", *started, "--agreed", "small_fast_days=3")
    assert (answer["effective"], answer["by"], answer["number"]) == ("2025-06-12", "contract", "保险合同")


def test_a_term_of_the_contract_without_its_figure_is_refused_with_what_to_give() -> None:
    answer = rules("explain", *PLACE, *EVENTS, "--duty", "small_fast_payment")
    assert answer.exit_code != 0
    assert "--agreed small_fast_days=" in answer.output


def test_an_unknown_figure_is_refused_with_the_known_ones() -> None:
    answer = rules("explain", *PLACE, *EVENTS, "--duty", "claim_determination", "--agreed", "fast=3")
    assert answer.exit_code != 0
    assert "small_fast_days" in answer.output


def test_a_place_shows_its_paths_with_conditions_figures_and_clauses() -> None:
    shown = json.loads(rules("show", "350200", "--on", "2025-05-08", "--json").stdout)
    paths = {one["path"]: one for one in shown["paths"]}
    assert paths["large_prepay"]["facts"] == ["事故等级为较大以上", "责任明确"]
    assert (paths["large_prepay"]["clause"], paths["large_prepay"]["by"]) == ("二(四)", "law")
    assert paths["small_fast"]["figures"] == ["小额快付金额标准", "小额快付天数"]
    assert "小额快付" in rules("show", "350200", "--on", "2025-05-08").output


def test_an_example_whose_path_is_right_holds(tmp_path: Path) -> None:
    answer = tried(tmp_path, "  path: {chosen: small_fast, grade: ordinary, because: [责任明确]}\n")
    assert (answer["ok"], answer["differences"]) == (True, [])


def test_an_example_with_another_path_grade_or_reason_says_each_difference(tmp_path: Path) -> None:
    path = "  path: {chosen: ordinary, grade: major, because: [不存在的话], against: {small_fast: [超过标准]}}\n"
    differences = tried(tmp_path, path)["differences"]
    assert len(differences) == 4
    assert differences[0].startswith("路径应为 普通理赔，实际为 小额快付")
    assert "事故等级应为 重大事故，实际为 一般事故" in differences


def test_a_misspelt_fact_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "examples.yaml"
    file.write_text(EXAMPLE.replace("facts_true", "fact_true"), encoding="utf-8")
    assert "未知的键“fact_true”" in rules("examples", str(file)).output


def test_a_changed_path_is_told_by_the_comparison_of_two_packs(tmp_path: Path) -> None:
    pack = Path("rules/packs/350200_xiamen/2022-05-31.yaml").read_text(encoding="utf-8")
    before, after = tmp_path / "before.yaml", tmp_path / "after.yaml"
    before.write_text(pack, encoding="utf-8")
    after.write_text(pack.replace("facts: [serious_grade, liability_clear]", "facts: [serious_grade]"), "utf-8")
    assert "理赔路径 大额预付（large_prepay）的条件由" in rules("diff", str(before), str(after)).output
