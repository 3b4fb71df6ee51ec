"""Tells a story on the console as it happens, and who was told what and why at its end; reads nothing by itself."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from domain.calendar import SHANGHAI
from domain.wording import WEEKDAYS
from models.contracts.vocabulary import (
    By,
    CaseKind,
    ClaimStage,
    Event,
    HazardStage,
    NoticeKind,
    NoticeStatus,
    PolicyStage,
    Role,
    TaskKind,
)
from runtime.demo import ledger
from runtime.demo.ledger import Books, cited
from runtime.demo.people import Policy
from runtime.listing import listed

PARTIES = {Role.INSURED.value}
QUIET = frozenset({Event.POLICY_SIGNED, Event.POLICY_EFFECTIVE, Event.POLICY_YEAR_STARTED, Event.CONTRACT_YEAR_STARTED})
MOST_LINES = 60
"""Lines of the last table; what is below is counted in one."""


def day(on: date) -> str:
    """12月1日 周二, with the year where it is not the current story's first one."""
    return f"{on.year}年{on.month}月{on.day}日 周{WEEKDAYS[on.weekday()]}"


class Account:
    """The voice of the demo."""

    def __init__(self, console: Console, stories: Mapping[str, str]) -> None:
        """`stories`: policy number → the word of its story, for the policies that are told in full."""
        self.console = console
        self.stories = stories
        self._day: date | None = None
        self._announced = False

    def headline(self, said: str) -> None:
        self.console.rule(Text(said, style="bold"), align="left")

    def on(self, today: date) -> None:
        """The day is announced with its first line."""
        self._day = today
        self._announced = False

    def line(self, said: str, style: str = "") -> None:
        if self._day is not None and not self._announced:
            self.console.print()
            self.console.print(day(self._day), style="bold cyan")
            self._announced = True
        self.console.print(Text(f"  {said}", style=style))

    def act(self, policy: Policy, said: str) -> None:
        self.line(f"◆ {policy.number}〔{policy.story}〕{said}", "green")

    def mails(self, sent: Iterable[tuple[Any, list[Any]]], subjects: Mapping[str, str]) -> None:
        """One line a mail; welcome mails and those of unfollowed policies are counted. `subjects`: by Message-ID."""
        counted, asked = 0, 0
        for mail, notices in sent:
            if ledger.was_asked_for(mail, notices):
                asked += 1
            elif self._is_told(mail, notices):
                self._mail(mail, notices, subjects.get(mail.message_id) or _about(notices))
            else:
                counted += 1
        if asked:
            self.line(f"✉ 另有 {asked} 封信是办理的人自己要的（验证码、新链接）", "dim")
        if counted:
            self.line(f"✉ 另有 {counted} 封信寄给投保单位（建档、提醒）", "dim")

    def _is_told(self, mail: Any, notices: Sequence[Any]) -> bool:
        followed = any(policy_number(one) in self.stories for one in notices)
        welcome = all(one.kind == NoticeKind.POLICY_OPENED for one in notices)
        return mail.role not in PARTIES or (followed and not welcome) or mail.status == NoticeStatus.BOUNCED

    def _mail(self, mail: Any, notices: Sequence[Any], subject: str) -> None:
        self.line(f"✉ {_clock(mail.composed_at)} {mail.recipient} ← {subject}")
        clauses = cited(list(notices))
        if clauses:
            self.line(f"     依据 {clauses}", "dim")
        if mail.status == NoticeStatus.BOUNCED:
            heir = f"，转给 {mail.moved_to}" if mail.moved_to else "，没有接替单位，进人工队列"
            self.line(f"     ✗ 退信（{mail.last_code}）{heir}", "red")

    def life(self, policy: Policy, timeline: Sequence[Mapping[str, Any]]) -> None:
        """A policy's life in one paragraph."""
        parts = [_event(entry) for entry in timeline if Event(entry["event"]) not in QUIET]
        self.console.print(Text(f"{policy.number}〔{policy.story}〕{policy.name}", style="bold"))
        self.console.print(Text("  " + " → ".join(_folded(parts))))

    def who_what_why(self, books: Books) -> None:
        """The table of everybody who was told something."""
        counted: Counter[tuple[str, str, str, str]] = Counter()
        for one in books.notices:
            if one.to_role not in PARTIES:
                counted[_line(one)] += 1
        enterprises = Counter(NoticeKind(one.kind).label for one in books.notices if one.to_role in PARTIES)
        table = listed("谁 who", "何事 what", "为何 why", "谁说的 by", "件 count", title="谁被告知、何事、为何")
        rows = sorted(counted.items(), key=lambda item: (item[0][0], -item[1]))
        for (who, what, why, by), number in rows[:MOST_LINES]:
            table.add_row(*(Text(part) for part in (who, what, why, by)), str(number))
        for what, number in enterprises.most_common():
            table.add_row("投保单位（各家）", what, "见来信", "", str(number))
        self.console.print(table)

    def human_queue(self, books: Books) -> None:
        """What waits for a person, and why."""
        counted = Counter((TaskKind(task.kind).label, task.said) for task in books.tasks)
        table = listed("原因 reason", "应告知谁／怎么办 for whom", "件 count", title="人工队列 human queue")
        for (kind, said), number in counted.most_common():
            table.add_row(kind, Text(said), str(number))
        self.console.print(table)

    def totals(self, books: Books, days: int) -> None:
        policies = {PolicyStage(row.stage).label: row.number for row in books.cases if row.kind == CaseKind.POLICY}
        hazards = {HazardStage(row.stage).label: row.number for row in books.cases if row.kind == CaseKind.HAZARD}
        claims = {ClaimStage(row.stage).label: row.number for row in books.cases if row.kind == CaseKind.CLAIM}
        notices = Counter(NoticeStatus(one.status).label for one in books.notices)
        mails = Counter(NoticeStatus(one.status).label for one in books.told())
        asked = Counter(NoticeStatus(one.status).label for one in books.asked_for())
        table = Table(title=f"{days} 天的总数 totals", show_header=False)
        for name, found in (
            ("保单 policies", policies), ("隐患 hazards", hazards), ("赔案 claims", claims),
            ("通知 notices", notices), ("邮件 mails", mails), ("验证码与新链接 codes, fresh links", asked),
        ):  # fmt: skip
            table.add_row(
                name, str(sum(found.values())), "，".join(f"{word} {number}" for word, number in found.items())
            )
        table.add_row("步骤 steps", str(books.steps), "每一步一个事务，按序入账")
        table.add_row("人工队列 human queue", str(len(books.tasks)), "")
        self.console.print(table)


def policy_number(notice: Any) -> str:
    view = notice.matter.get("view") or {}
    return str(view.get("policy_number") or notice.matter.get("number") or "")


def _line(notice: Any) -> tuple[str, str, str, str]:
    label = notice.about.get("label", "") if notice.about.get("duty_key") else ""
    what = f"{NoticeKind(notice.kind).label}：{label}" if label else NoticeKind(notice.kind).label
    by = By(notice.cites["by"]).label if notice.cites else By.PRODUCT.label
    return notice.recipient, what, cited([notice]) or "发信时点由系统约定", by


def _about(notices: Sequence[Any]) -> str:
    """For a mail the server refused, so that nobody has seen its subject."""
    return (
        "、".join(dict.fromkeys(one.about.get("label") or NoticeKind(one.kind).label for one in notices))
        or "（已转出）"
    )


def _clock(at: datetime) -> str:
    here = at.astimezone(SHANGHAI)
    return f"{here.month}月{here.day}日 {here:%H:%M}"


def _event(entry: Mapping[str, Any]) -> str:
    at = datetime.fromisoformat(entry["at"]).astimezone(SHANGHAI)
    event = Event(entry["event"])
    said = entry["said"] if event in {Event.RUNG_FIRED, Event.RUNG_PASSED_OVER} else event.label
    return f"{at.month}/{at.day} {said or event.label}"


def _folded(parts: Sequence[str]) -> list[str]:
    """Equal neighbours once, with how often they came."""
    folded: list[list[Any]] = []
    for part in parts:
        if folded and folded[-1][0] == part:
            folded[-1][1] += 1
        else:
            folded.append([part, 1])
    return [f"{part} ×{times}" if times > 1 else part for part, times in folded]
