"""What a term and the life of a policy show: every day and every date, and what became of them."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from api.drawings.days import Fold, day_strip, rows_of, said
from api.drawings.hours import hour_line
from api.drawings.life import Life, Mark, Milestone, Standing
from api.drawings.life_bar import life_bar
from api.drawings.words import Speech, same
from models.contracts.clock import Day
from models.contracts.vocabulary import DayMark
from tests.drawings.reading import sheets
from tests.drawings.showcase import LIFE, drawings, explained, term
from tests.makers import duty, suspension

DUE = datetime.fromisoformat("2024-02-09T10:30:00+08:00")


def test_every_day_of_45_is_shown_with_its_number_and_the_last_one_by_name() -> None:
    for sheet in sheets(day_strip(term(), "days")):
        assert {str(number) for number in range(1, 46)} <= set(sheet.texts)
        assert sheet.texts.count("到期") == 1
        assert sum("停" in text for text in sheet.texts) >= 5


def test_a_strip_says_the_rolled_last_day_and_why() -> None:
    (sheet, phone) = sheets(day_strip(term(), "days"))
    assert sheet.said("desc") == phone.said("desc")
    for told in ("计入 45 天", "中止，不计 5 天", "推算末日为2024年10月4日", "到期日为2024年10月8日 24:00"):
        assert told in sheet.said("desc")
    assert any("企业停产检修" in text for text in sheet.texts)
    assert any("国办发明电" in text for text in sheet.texts)


def test_the_legend_names_only_what_occurs() -> None:
    plain = sheets(day_strip(explained(duty(7), date(2024, 3, 4)), "plain"))[0]
    assert not any("中止" in text or "顺延" in text or "法定" in text or "今天" in text for text in plain.texts)
    assert any("起算日" in text for text in plain.texts)


def test_a_strip_of_45_days_is_under_thirty_kilobytes() -> None:
    assert len(day_strip(term(), "days", today=date(2024, 9, 12)).encode()) < 30_000


def test_a_year_is_folded_without_losing_a_day() -> None:
    year = explained(duty(1, "year"), date(2024, 3, 1))
    rows = rows_of(year.days)
    assert tuple(day for row in rows for day in (row.days if isinstance(row, Fold) else row)) == year.days
    assert len(rows) < 10
    assert any("第 3–" in text for text in sheets(day_strip(year, "year"))[1].texts)


def test_a_week_in_which_something_happens_is_not_folded() -> None:
    days = [Day(on=date(2024, 1, 1) + timedelta(days=n), mark=DayMark.COUNTED, number=n + 1) for n in range(210)]
    days[100] = days[100].model_copy(update={"mark": DayMark.SUSPENDED, "number": None})
    shown = [day for row in rows_of(days) if not isinstance(row, Fold) for day in row]
    assert days[100] in shown
    assert len(shown) == 7


def test_a_term_that_stands_still_says_so() -> None:
    held = explained(duty(10), date(2024, 9, 20), suspension(date(2024, 9, 25)))
    assert any("计时已中止" in text for text in sheets(day_strip(held, "held"))[1].texts)
    assert "计时已中止" in said(held, Speech(same))


def test_a_reason_with_braces_or_markup_is_only_shown() -> None:
    held = explained(duty(10), date(2024, 9, 20), suspension(date(2024, 9, 24), date(2024, 9, 25), note="{x} <b>{0}"))
    assert any("{x} <b>{0}" in text for text in sheets(day_strip(held, "braces"))[0].texts)


def test_hours_are_a_line_between_two_instants() -> None:
    line = sheets(hour_line(explained(duty(48, "hour"), DUE), DUE, "hours"))[0]
    assert {"2月9日 10:30", "2月11日 10:30", "2月10日", "2月11日"} <= set(line.texts)
    assert "共 48 小时" in line.said("desc")


def test_suspended_days_are_taken_off_the_hours() -> None:
    held = explained(duty(48, "hour"), DUE, suspension(date(2024, 2, 10), date(2024, 2, 10)))
    line = sheets(hour_line(held, DUE, "hours"))[1]
    assert "共 48 小时" in line.said("desc")
    assert "2月12日 10:30" in line.texts


@pytest.mark.parametrize(
    ("milestone", "stands"),
    [
        (Milestone("上传", date(2024, 10, 12), date(2024, 10, 12)), Standing.DONE),
        (Milestone("上传", date(2024, 10, 11), date(2024, 10, 12)), Standing.LATE),
        (Milestone("上传", date(2024, 10, 11)), Standing.OVERDUE),
        (Milestone("上传", date(2024, 10, 12)), Standing.COMING),
        (Milestone("上传", skipped=True), Standing.SKIPPED),
        (Milestone("上传"), Standing.COMING),
    ],
)
def test_a_milestone_is_overdue_only_after_its_last_day(milestone: Milestone, stands: Standing) -> None:
    assert LIFE.standing(milestone) is stands


def test_nothing_runs_on_after_a_policy_has_ended() -> None:
    ended = replace(LIFE, ended_on=date(2024, 9, 30), ended_label="退保")
    assert ended.standing(Milestone("服务", date(2024, 10, 8))) is Standing.STOPPED
    assert ended.standing(Milestone("服务", date(2024, 9, 29))) is Standing.OVERDUE
    shown = sheets(life_bar(ended, "ended"))[1]
    assert "退保" in shown.texts
    assert not any("还剩" in text for text in shown.texts)


def test_both_forms_of_a_life_name_every_milestone_with_its_dates() -> None:
    for sheet in sheets(life_bar(LIFE, "life")):
        said = "".join(sheet.texts)
        for told in (
            "签署",
            "上传",
            "8月20日完成",
            "晚 7 天",
            "未办理即已过",
            "逾期 4 天",
            "届满",
            "今天 2024年10月12日",
        ):
            assert told in said
    assert "隐患 4 项，未销号 3 项" in sheets(life_bar(LIFE, "life"))[0].said("desc")


def test_a_phone_reads_a_life_in_order_of_time() -> None:
    phone = sheets(life_bar(LIFE, "life"))[1]
    heights = {text: y for text, _, _, y in phone.spans()}
    order = ["签署", "上传", "机构", "计划", "服务", "今天 2024年10月12日", "续保", "届满"]
    assert sorted(order, key=lambda text: heights[text]) == order


def test_many_hazards_stay_one_sign_and_a_number() -> None:
    many = tuple(Mark(f"YH-{n}", date(2024, 9, 10)) for n in range(200))
    wide, phone = sheets(life_bar(replace(LIFE, hazards=many), "many"))
    assert "×200" in wide.texts
    assert "隐患 200 项，未销号 200 项" in phone.texts
    assert sum(text.startswith("隐患 YH-") for text in phone.texts) == 12


def test_a_policy_of_one_day_and_a_bare_one_can_be_drawn() -> None:
    day = date(2024, 9, 1)
    assert len(sheets(life_bar(Life(day, day, day), "bare"))) == 2


def test_links_carry_what_they_open() -> None:
    links = sheets(life_bar(LIFE, "life"))[1].links
    assert links["/h/2"] == "隐患 YH-2024-002，9月9日，未结"
    assert "/due?late=1" in sheets(drawings()["coming"]())[0].links
