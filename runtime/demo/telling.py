"""`make demo`: a stack of its own, the sample portfolio, nine weeks, the account; ends by itself unless kept."""

import asyncio
import gc
import signal
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

from rich.console import Console
from rich.table import Table

from api.portfolio.parcels import Result
from api.portfolio.reading import Row
from domain.calendar import next_working
from models.contracts.calendar import WorkCalendar
from runtime import logs
from runtime.commands.importing import progress_bar
from runtime.demo import claims, ledger
from runtime.demo.account import Account
from runtime.demo.people import Insurer, NotDone, Policy
from runtime.demo.reckoning import reckon
from runtime.demo.stories import Act, Scene, acts_of
from runtime.demo.town import EVENING, MORNING, NOON, PostStuck, Town, open_town
from runtime.embedded.mail import MailCatcher
from runtime.portfolio import importing
from runtime.samples import read_directory
from runtime.settings import PROJECT_ROOT
from runtime.stack import Stack, StackOptions

PORTFOLIO = PROJECT_ROOT / "samples" / "portfolio.csv"
WEEKS = 9
AT_ONCE = 6
"""Policies whose people act at one time."""
REFUSAL = "550 5.1.1 no such mailbox"
GENERATION = 100_000
"""Allocations between two collections: a process that lives two minutes need not look for garbage often."""


class Failed(Exception):
    """The story did not go as it must; the text says why."""


async def tell(console: Console, keep: bool, portfolio: Path = PORTFOLIO) -> int:
    """The whole demo; 0 when every notice was delivered or is in the human queue, and none lost or doubled."""
    gc.set_threshold(GENERATION, 50, 50)
    console.print("正在启动 PostgreSQL、Temporal、收信箱 / starting …")
    async with Stack(StackOptions(samples=True, ui=keep)) as stack:
        logs.configure(stack.settings.model_copy(update={"log_level": "error"}), "demo")
        assert stack.mailbox is not None
        _refuse(stack.mailbox)
        async with open_town(stack.settings) as town:
            demo = Demo(console, stack, town, stack.mailbox)
            try:
                await demo.run(portfolio)
            except (Failed, NotDone, PostStuck) as failure:
                console.print(f"演示没有完成 / the demo did not finish: {failure}", style="bold red", markup=False)
                return 1
            faults = await demo.conclude()
            if keep:
                await _stay(console, stack, town)
    for fault in faults:
        console.print(fault, style="bold red", markup=False)
    return 1 if faults else 0


def _refuse(mailbox: MailCatcher) -> None:
    for one in read_directory().departments:
        if one.refuses:
            mailbox.refused[one.email] = REFUSAL


class Demo:
    """One telling."""

    def __init__(self, console: Console, stack: Stack, town: Town, mailbox: MailCatcher) -> None:
        self.console = console
        self.stack = stack
        self.town = town
        self.mailbox = mailbox
        self.begins = town.today
        self.policies: list[Policy] = []
        self.account = Account(console, {})
        self.claims: list[claims.Claim] = []
        self.told: set[UUID] = set()
        self.plan: dict[date, list[tuple[Policy, Act]]] = {}

    async def run(self, portfolio: Path) -> None:
        """Open the portfolio, then let the weeks pass."""
        await self._open(portfolio)
        self._schedule()
        self.account.headline(f"故事从 {self.begins} 开始，每个案卷各有自己的时钟")
        await self._post()
        last = next_working(self.town.calendar, self.begins + timedelta(weeks=WEEKS))
        while (today := await self._next_day(last)) < last:
            await self._day(today)
        await self._day(last)

    async def _open(self, portfolio: Path) -> None:
        keys = {one.code: self._key(one.code) for one in read_directory().insurers}
        plan = importing.load(portfolio, self.begins, keys)
        with progress_bar(self.console) as bar:
            task = bar.add_task("经接口导入保单 importing", total=len(plan.portfolio.rows))
            bar.advance(task, len(plan.refused))
            results = await importing.send(plan, str(self.town.http.base_url), keys, lambda _: bar.advance(task))
        failed = [result for result in results if result.failed]
        if failed:
            raise Failed("；".join(f"第 {one.line} 行 {'、'.join(map(str, one.faults))}" for one in failed[:5]))
        insurers = {code: Insurer(self.town, code, key) for code, key in keys.items()}
        rows = {row.line: row for row in plan.portfolio.rows}
        self.claims = await claims.open_claims(insurers)
        self.policies = [_policy(insurers, rows[result.line], result) for result in results]
        self.policies += [claim.policy for claim in self.claims]
        self.account = Account(self.console, {one.number: one.story for one in self._followed()})

    def _key(self, code: str) -> str:
        return next(key for name, key in self.stack.credentials.items() if name.startswith(f"{code} "))

    def _followed(self) -> list[Policy]:
        """Every policy with a story of its own, and the first of the diligent."""
        diligent = next((one for one in self.policies if one.story == "勤勉"), None)
        own = [one for one in self.policies if one.story not in {"", "按时上传", "勤勉"}]
        return [diligent, *own] if diligent else own

    def _schedule(self) -> None:
        acts = [(policy, act) for policy in self.policies for act in acts_of(policy.story)]
        acts += [(claim.policy, act) for claim in self.claims for act in claims.acts_of(claim)]
        for policy, act in acts:
            on = day_of(act, self.begins, self.town.coming, self.town.calendar)
            self.plan.setdefault(on, []).append((policy, act))

    async def _next_day(self, last: date) -> date:
        """The next day on which something happens."""
        planned = [on for on in self.plan if on >= self.town.coming]
        alarmed = await self.town.next_day()
        return min([last, *planned, *([alarmed] if alarmed else [])])

    async def _day(self, today: date) -> None:
        self.account.on(today)
        await self.town.go_to(today, MORNING)
        await self._tell_mails()
        if today in self.plan:
            await self._act(today)
            await self.town.go_to(today, EVENING)
            await self._tell_mails()

    async def _act(self, today: date) -> None:
        """Everybody who has something to do does it at noon, each policy's people in their order."""
        self.town.traveller.set(self.town.moment(today, NOON))
        planned: dict[str, list[tuple[Policy, Act]]] = {}
        for policy, act in self.plan[today]:
            planned.setdefault(policy.number, []).append((policy, act))
        places = asyncio.Semaphore(AT_ONCE)

        async def in_order(acts: list[tuple[Policy, Act]]) -> None:
            async with places:
                for policy, act in acts:
                    await act.deed(Scene(self.town, self.mailbox, policy))

        await asyncio.gather(*(in_order(acts) for acts in planned.values()))
        for policy, act in self.plan[today]:
            if policy.number in self.account.stories:
                self.account.act(policy, act.said)

    async def _post(self) -> None:
        self.account.on(self.begins)
        await self.town.post()
        await self._tell_mails()

    async def _tell_mails(self) -> None:
        subjects = {mail.message_id: mail.subject for mail in self.mailbox.messages}
        self.account.mails(await ledger.mails_since(self.town.engine, self.told), subjects)

    async def conclude(self) -> list[str]:
        """Lives, tables, totals; gives what must not have happened."""
        self.account.headline("保单的一生 lives")
        for policy in self._followed():
            timeline = await policy.insurer.get(f"/v1/policies/{policy.id}/timeline")
            self.account.life(policy, timeline)
        self.account.headline("赔案：路径、账目、通知 claims")
        wrong = await reckon(self.console, self.claims)
        books = await ledger.read_books(self.town.engine)
        self.account.human_queue(books)
        self.account.who_what_why(books)
        self.account.totals(books, (self.town.today - self.begins).days)
        faults = wrong + ledger.faults(books, [mail.message_id for mail in self.mailbox.messages])
        if not faults:
            self.console.print("每一件通知都已送达或在人工队列中，没有遗漏，没有重复。", style="bold green")
        return faults


def day_of(act: Act, begins: date, coming: date, calendar: WorkCalendar) -> date:
    """The working day on which somebody acts; begun after its morning, a story's first day is the next one to come."""
    return next_working(calendar, max(begins + timedelta(days=act.day), coming))


def _policy(insurers: dict[str, Insurer], row: Row, result: Result) -> Policy:
    values = row.values
    return Policy(
        insurer=insurers[str(values["insurer"])],
        id=UUID(result.case_id),
        number=row.number,
        email=str(values["insured.email"]),
        story=str(values.get("story", "")),
        name=str(values["insured.name"]),
        region=str(values["terms.region"]),
    )


async def _stay(console: Console, stack: Stack, town: Town) -> None:
    """Until Ctrl-C or SIGTERM; the post goes on."""
    carrying = asyncio.create_task(town.nudger.run())
    table = Table(title="演示仍在运行，Ctrl-C 结束 / still running", show_header=False)
    rows = {
        "接口与页面 API, pages": stack.api_url,
        "流程界面 Temporal UI": f"http://127.0.0.1:{stack.settings.temporal_ui_port}",
        "收到的邮件 caught mail": str(stack.settings.var / "mail"),
        **{f"示例凭据 sample key · {name}": key for name, key in stack.credentials.items()},
    }
    for name, value in rows.items():
        table.add_row(name, value)
    console.print(table)
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for which in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(which, stop.set)
    await stop.wait()
    carrying.cancel()
