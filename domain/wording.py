"""Dates, money, terms and citations in Chinese, for pages, mails and the Temporal UI alike; no template."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from domain.calendar import SATURDAY, SHANGHAI, local_date, midnight
from domain.places import full_region_name, region_name
from domain.routing import is_department
from models.contracts.clock import Projection
from models.contracts.duty import Duty
from models.contracts.rulebook import Citation
from models.contracts.vocabulary import By, FirstDay, Role, Sector, Size, TermUnit

__all__ = [
    "by_line",
    "citation",
    "counting",
    "day",
    "duty_line",
    "forwarded",
    "full_region_name",
    "instant",
    "last_hour",
    "last_moment",
    "left",
    "money",
    "place_line",
    "plain_day",
    "provisional_note",
    "region_name",
    "roles",
    "share",
    "short_day",
    "until_line",
    "who_says",
]

WEEKDAYS = "一二三四五六日"
LAST_HOUR = "24:00"
SUSPENDED = "计时已中止，恢复后重新推算到期日"
SETTLED = "此后系统中已有办理记录，或者期限已终止，仅供核对。"
MAIL_LATER = "邮件未能投出，稍后再试"
MAIL_MOVED = "邮件被拒收，已转给接替的收件单位；请核对邮箱"
MAIL_STUCK = "邮件被拒收，没有可以接替的收件单位；请核对邮箱后补发"
ASKED_BOUNCED = "应本人要求发送的验证码或链接被拒收；请核对邮箱"
COPY_BOUNCED = "抄送给它的信被拒收，原信不受影响；请核对邮箱"
TOLD_BEFORE_RESTORE = "恢复数据后补记的通知，恢复之前可能已经发出；请核对收件单位是否收到，再决定是否补发"
MAIL_UNDELIVERED = "多日投递未成功；请检查邮件服务器后补发"
DIGEST_FILE = "事项清单-{day}.xlsx"
DIGEST_COVER, DIGEST_SHEET = "说明", "事项"
DIGEST_TO, DIGEST_AT, DIGEST_LINES, DIGEST_LATE, DIGEST_REMARK = "收件单位", "成文时间", "件数", "其中逾期", "备注"
DIGEST_REMARKED = "每件写明依据的文件和条款；条款没有写明的算法、时点和收件单位按系统约定。办理链接只供收件单位使用。"
DIGEST_HEADINGS = (
    "通知", "事项", "案卷编号", "保单", "投保单位", "承保机构", "地区行业", "义务人", "最后期限", "还剩或逾期", "依据",
    "期限算法", "暂定日期", "说明", "隐患情况", "办理链接",
)  # fmt: skip
PRODUCT_ONLY = "系统约定，文件未作规定"
NOTICE_UNWRITTEN = "通知无法成文（模板出错）；同一封信中的其他事项不受影响"


def day(on: date) -> str:
    """2024年2月18日（周日）"""
    return f"{plain_day(on)}（周{WEEKDAYS[on.weekday()]}）"


def plain_day(on: date) -> str:
    """2024年2月18日"""
    return f"{on.year}年{on.month}月{on.day}日"


def short_day(on: date) -> str:
    """2月18日"""
    return f"{on.month}月{on.day}日"


def instant(at: datetime) -> str:
    """An aware instant in Beijing time; midnight is 24:00 of the day that ends with it, as the law counts."""
    local = at.astimezone(SHANGHAI)
    if (local.hour, local.minute, local.second) == (0, 0, 0):
        return f"{plain_day(local.date() - timedelta(days=1))} 24:00"
    return f"{plain_day(local.date())} {local:%H:%M}"


def last_hour(due_at: datetime | None) -> str:
    """24:00 where a term of days ends; a term in hours ends at its own minute within its last day."""
    return instant(due_at).rpartition(" ")[2] if due_at else LAST_HOUR


def last_moment(effective: date | None, due_at: datetime | None) -> str:
    """2024年2月18日（周日）24:00, or 14:30 of that day for a term in hours; nothing while the term is suspended."""
    return f"{day(effective)}{last_hour(due_at)}" if effective else ""


def money(amount: Decimal) -> str:
    """12,000.00 元"""
    return f"{amount:,.2f} 元"


def share(value: str | Decimal) -> str:
    """A share of one as a percentage: "0.12" → 12 %"""
    percent = (Decimal(value) * 100).normalize()
    return f"{percent:f} %"


def who_says(by: By) -> str:
    """法规规定, 合同约定 or 系统约定: every figure says which it is."""
    return by.label


def citation(cites: Citation) -> str:
    """Document number and clause: 应急监二〔2023〕84号 二(五)"""
    return f"{cites.number} {cites.clause}".strip()


def by_line(cites: Citation) -> str:
    """The citation with who says it; our own choice is never shown as law."""
    return f"{citation(cites)}（{who_says(cites.by)}）"


def with_clause(says: str, clause: str) -> str:
    """A sentence with the clause it follows from behind it, where there is one."""
    return f"{says}（{clause}）" if clause else says


def place_line(region: str, sector: Sector, size: Size | None = None) -> str:
    """安徽省宿州市 · 危险化学品 · 中型"""
    parts = [full_region_name(region), sector.label, size.label if size else ""]
    return " · ".join(part for part in parts if part)


def roles(told: tuple[Role, ...]) -> str:
    return "、".join(role.label for role in told)


def provisional_note(due: date | None) -> str:
    """Why a due date may still move: the year's calendar of days off is not published."""
    year = f"{due.year}年" if due else "相关年份"
    return f"暂定：{year}放假安排尚未公布，目前按周末和固定节假日推算，公布后重新推算并告知"


def forwarded(to: Role, holder: Role) -> str:
    """Why somebody reads what was written for another role; nothing between departments: one may be several roles."""
    theirs = to is holder or (is_department(to) and is_department(holder))
    return "" if theirs else f"此件原应送{to.label}，未能直接送达，请代为联系并核对其邮箱"


def left(due_at: datetime | None, now: datetime) -> str:
    """How much time is left, in whole days (hours on the last day), or since when it is overdue.

    A term that ended at midnight is overdue by one day on the very next: people subtract the dates they see.
    """
    if due_at is None:
        return SUSPENDED
    if due_at <= now:
        return f"已逾期 {_overdue(due_at, now)}"
    return f"还剩 {_span_of(due_at - now)}"


def _overdue(due_at: datetime, now: datetime) -> str:
    if due_at != midnight(local_date(due_at)):
        return _span_of(now - due_at)
    return f"{(local_date(now) - local_date(due_at)).days + 1} 天"


def _span_of(gap: timedelta) -> str:
    days, hours = divmod(gap // timedelta(hours=1), 24)
    return f"{days} 天" if days else f"{hours} 小时" if hours else "不足 1 小时"


def duty_line(label: str, effective: date | None, cites: Citation | None = None, *, provisional: bool = False) -> str:
    """上传电子保单，应2024年3月8日（周五）前完成（应急监二〔2023〕84号 二(五)，法规规定）"""
    due = f"应于{day(effective)} 24:00 前完成" if effective else SUSPENDED
    source = f"（{citation(cites)}，{who_says(cites.by)}）" if cites else ""
    return f"{label}，{due}{'（暂定）' if provisional else ''}{source}"


def until_line(label: str, effective: date, due_at: datetime | None, *, provisional: bool = False) -> str:
    """上传电子保单：2024年3月8日（周五）24:00前"""
    return f"{label}：{last_moment(effective, due_at)}前{'（暂定）' if provisional else ''}"


def counting(
    duty: Duty, anchor_on: date, projection: Projection, suspended_days: int = 0, extended_days: int = 0
) -> str:
    """How the due day was counted, in one sentence; days are natural days unless the duty says otherwise."""
    nominal, effective = projection.nominal, projection.effective
    if nominal is None or effective is None:
        return f"自{plain_day(anchor_on)}{_anchor(duty)}起计；{SUSPENDED}"
    if duty.within.unit is TermUnit.HOUR:
        since, hours = f"{plain_day(anchor_on)}{_anchor(duty)}", duty.within.amount
        return f"自{since}起 {hours} 小时，连续计算，遇休息日不顺延" if hours else f"{since}，应当立即办理"
    span = _span(duty, anchor_on)
    moved = timedelta(days=suspended_days + extended_days)
    if duty.given_by == "due" and span is not None and nominal != span + moved:
        return f"期限由记录人设定，{_landing(nominal, effective)}"
    pauses = f"，扣除中止 {suspended_days} 日" if suspended_days else ""
    grants = f"，延期 {extended_days} 日" if extended_days else ""
    capped = duty.until_expiry and span is not None and nominal < span
    cap = "，以保险期间届满为限" if capped else ""
    return f"{_length(duty, anchor_on)}{pauses}{grants}{cap}，{_landing(nominal, effective)}"


def _anchor(duty: Duty) -> str:
    """What the term is counted from; unsaid where several events may start it."""
    return duty.anchor[0].label.removeprefix("保单") if len(duty.anchor) == 1 else ""


def _length(duty: Duty, anchor_on: date) -> str:
    within = duty.within
    if within.amount == 0:
        return f"于{plain_day(anchor_on)}{_anchor(duty)}当日"
    first = "次日" if within.first_day is FirstDay.EXCLUDED else "当日"
    return f"自{plain_day(anchor_on)}{_anchor(duty)}{first}起算{within.amount}{within.unit.label}"


def _landing(nominal: date, effective: date) -> str:
    """The last day; where it was rolled, from which rest day to which working day."""
    if nominal == effective:
        return f"末日为{plain_day(effective)}"
    made_up = "（调休上班日）" if effective.weekday() >= SATURDAY else ""
    write = short_day if nominal.year == effective.year else plain_day
    return f"末日{write(nominal)}为休息日，顺延至{write(effective)}{made_up}"


def _span(duty: Duty, anchor_on: date) -> date | None:
    """The last day of a term of natural days by simple addition; `None` for other units."""
    if duty.within.unit is not TermUnit.NATURAL_DAY:
        return None
    taken = duty.within.amount - (duty.within.first_day is FirstDay.INCLUDED)
    return anchor_on + timedelta(days=taken)
