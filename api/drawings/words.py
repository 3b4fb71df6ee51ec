"""The words on drawings, Chinese, with named gaps; another language is a function over them, labels are given."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from string import Formatter
from typing import Any

from domain.calendar import SHANGHAI
from domain.wording import WEEKDAYS

Translate = Callable[[str], str]

SHORT_DAY, PLAIN_DAY = "{month}月{day}日", "{year}年{month}月{day}日"
YEAR, MONTH, WEEKDAY = "{year}年", "{month}月", "周{letter}"
"""Months and weekdays are filled before they are translated: 10月 → Oct, the `{name}` in the forms of a day."""
CLOCK, SPAN = "{day} {time}", "{first}–{last}"
ITEMS, MONEY, SHARE = "{n} 件", "{amount} 元", "{percent} %"
STOP, COMMA, SEMICOLON, LISTED, NOTED = "。", "，", "；", "、", "{label}：{reasons}"
TODAY, OVERDUE, TOTAL, NOTHING = "今天", "逾期", "合计", "没有记录"

LIFE, LIFE_SAID = "保单的一生", "{signed}签署，{expires}届满；今天是{today}。"
SIGNED, EXPIRES = "签署", "届满"
DUE_ON, PROVISIONAL = "应于{day}", "日期暂定"
DONE_ON, LATER, LATE_BY = "{day}完成", "晚 {n} 天", "逾期 {n} 天"
DUE_TODAY, LEFT = "今天到期", "还剩 {n} 天"
SKIPPED, STOPPED, NO_TERM = "未办理即已过", "随保单终止", "未办理"
HAZARDS, CLAIMS = "隐患", "理赔"
HAZARD, CLAIM, MAJOR = "隐患 {label}", "理赔 {label}", "重大隐患 {label}"
HAZARDS_SAID, CLAIMS_SAID = "隐患 {n} 项，未销号 {open} 项", "理赔 {n} 件，未结 {open} 件"
CLOSED_ON, IS_OPEN = "{day}办结", "未结"
LEGEND_DONE, LEGEND_LATE, LEGEND_OVERDUE = "已完成", "已完成，但晚于期限", "逾期未完成"
LEGEND_COMING = "未完成，未到期"
LEGEND_HAZARD, LEGEND_HAZARD_CLOSED, OF_MAJOR = "隐患未销号", "隐患已销号", "重大{label}"
LEGEND_CLAIM, LEGEND_CLAIM_CLOSED, LEGEND_LATE_SPAN = "理赔未结", "理赔已结", "超期时段"

STRIP, STRIP_SAID = "逐日计算", "自{first}至{last}逐日列出：计入 {counted} 天"
STRIP_PART = "{label} {n} 天"
STRIP_NOMINAL, STRIP_DUE = "推算末日为{day}", "到期日为{day} 24:00"
NUMBERED = "数字为计入的第几天"
FOLDED, FOLDED_UNCOUNTED = "{n} 周 · 第 {first}–{last} 天", "{n} 周 · {label}"
START_LETTER, DUE_LETTER, REST_LETTER, HOLIDAY_LETTER, MAKE_UP_LETTER = "始", "到期", "休", "假", "班"
PAUSE_LETTER, EXTENDED_LETTER, ROLLED_LETTER, NOMINAL_LETTER, SKIPPED_LETTER = "停", "延", "顺", "末", "不计"
HOLIDAY, MAKE_UP, WEEKEND, NOMINAL = "法定节假日", "调休上班", "周末", "推算末日，遇休息日"
SOURCES = "放假安排：{documents}"
HOURS, HOURS_SAID, HOURS_HELD = "按小时计算", "自{start}起，至{end}止，共 {n} 小时", "自{start}起"
HOURS_RUN = "已过去"

CALENDAR, CALENDAR_SAID = "未来 {n} 天到期事项", "自{first}至{last}共有 {n} 件到期，{busiest}最多，{most} 件"
CALENDAR_EMPTY, CALENDAR_LATE = "自{first}至{last}没有到期事项", "另有 {n} 件已逾期"
COLUMN_SAID = "{day}（{weekday}），{n} 件"

TABLE_SAID, TABLE_MOST = "共 {n} 件，其中逾期 {late} 件", "{row} · {column}最多，{n} 件"
CELL_SAID, CELL_LATE_SAID = "{row} · {column}：{n} 件", "{row} · {column}：{n} 件，其中逾期 {late} 件"
LATE_LETTER = "逾 {n}"
SHADES, LEGEND_TABLE_LATE = "颜色越深，件数越多", "斜线和“逾”：其中已逾期"
LEFT_OUT = "没有记录的列未画出。"
REST_OF = "其余 {n} 件，点开地名查看"
TILES, TILES_SAID = "方块图", "按城市分组的方块图，共 {places} 个地方、{n} 件，其中逾期 {late} 件；排列不代表地理位置"
TILES_REMARK = "方块图：每块是一个地方，按件数排列，不代表地理位置。"

STAGES, STAGES_SAID, STAGE_PART = "按阶段分布", "共 {n} 件", "{label} {n} 件"
SPARK, SPARK_SAID = "{label}走势", "依次为 {values}"
SPENDING, SPENT, FLOOR = "服务费列支", "已列支 {amount}（{share}）", "下限 {amount}（{share}）"
SHORT, REACHED = "还差 {amount}", "已达下限"


def same(words: str) -> str:
    """No translation: the Chinese words themselves."""
    return words


def capital(label: str) -> str:
    """A label as it stands by itself: English begins it with a capital, Chinese has none."""
    return label[:1].upper() + label[1:]


class Counting(Formatter):
    """Fills the gaps of a sentence; `{n:day}` counts days: 1 day, 2 days."""

    def format_field(self, value: Any, format_spec: str) -> str:
        ending = "" if str(value) == "1" else "s"
        return f"{value} {format_spec}{ending}" if format_spec else str(value)


COUNTING = Counting()


class Speech:
    """How a drawing speaks: words through the translation, then their gaps filled."""

    def __init__(self, t: Translate) -> None:
        self.t = t

    def __call__(self, words: str, **values: str | int) -> str:
        return COUNTING.format(self.t(words), **values)

    def day(self, on: date) -> str:
        """3月8日"""
        return self(SHORT_DAY, month=on.month, day=on.day, name=self.month(on))

    def full_day(self, on: date) -> str:
        """2024年3月8日"""
        return self(PLAIN_DAY, year=on.year, month=on.month, day=on.day, name=self.month(on))

    def day_in(self, on: date, year: int) -> str:
        """The day as said in a year: with its own year where that is another."""
        return self.day(on) if on.year == year else self.full_day(on)

    def month(self, on: date) -> str:
        """10月"""
        return self.t(MONTH.format(month=on.month))

    def month_of_axis(self, on: date) -> str:
        """A month on an axis of time; January by its year."""
        return self(YEAR, year=on.year) if on.month == 1 else self.month(on)

    def span(self, first: date, last: date) -> str:
        """3月4日–5月26日"""
        return self(SPAN, first=self.day(first), last=self.day_in(last, first.year))

    def weekday(self, on: date) -> str:
        """周五"""
        return self.t(WEEKDAY.format(letter=WEEKDAYS[on.weekday()]))

    def letter(self, of: str) -> str:
        """五, at the head of a column; alone it would be another word (日 is also a length of time)."""
        return self.t(WEEKDAY.format(letter=of)).removeprefix(WEEKDAY.format(letter=""))

    def instant(self, at: datetime) -> str:
        """3月8日 09:30, in Beijing time"""
        local = at.astimezone(SHANGHAI)
        return self(CLOCK, day=self.day(local.date()), time=f"{local:%H:%M}")

    def money(self, amount: Decimal) -> str:
        """12,000.00 元"""
        return self(MONEY, amount=f"{amount:,.2f}")

    def share(self, value: Decimal) -> str:
        """A share of one as a percentage, to a tenth: 8.4 %"""
        percent = (value * 100).quantize(Decimal("0.1"))
        return self(SHARE, percent=f"{percent.normalize():f}")
