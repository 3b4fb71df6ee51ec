"""A town for each journey: worker, web and post over the session's servers, sample directory, a moving clock."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest
from stdnum.cn import uscc
from temporalio.client import Client
from temporalio.service import RPCError

from api.insurer.doors import application
from domain.calendar import next_working
from models.contracts.ids import HUMAN_QUEUE, mailroom_workflow_id
from runtime.demo.people import Insurer, Policy
from runtime.demo.readers import Reader
from runtime.demo.town import EVENING, MORNING, Town, open_town
from runtime.embedded.mail import CaughtMail, MailCatcher
from runtime.samples import load_directory
from runtime.settings import Settings

DAY = timedelta(days=1)
_numbers = count(1)


class Journey:
    """One town with one insurer in it, and what happened to its mail."""

    def __init__(self, town: Town, mailbox: MailCatcher, insurer: Insurer) -> None:
        self.town = town
        self.mailbox = mailbox
        self.insurer = insurer

    async def policy(self, facts: list[dict[str, str]] | None = None, **terms: Any) -> Policy:
        """A policy signed four days ago, opened through the API."""
        number = next(_numbers)
        body = application(self.town.today)
        body["terms"] |= {"number": f"JN-{number:06d}", **terms}
        code = f"9134130000{number:07d}"
        email = f"qiye{number}@journey.example"
        body["insured"] = {"name": f"某企业{number}", "credit_code": code + uscc.calc_check_digit(code), "email": email}
        answer = await self.insurer.post("/v1/policies", body | ({"facts": facts} if facts else {}))
        assert answer.status_code == 201, answer.text
        await self.town.post()
        return Policy(self.insurer, answer.json()["id"], body["terms"]["number"], email)

    async def file(self) -> dict[str, str]:
        return await self.insurer.file("文件.pdf")

    async def ready(self, policy: Policy) -> None:
        """Uploaded, and with a service institution."""
        await policy.command("upload", file=await self.file())
        await policy.command("provider", provider_name="某安全服务机构")

    async def major_hazard(self, policy: Policy, days: int = 10) -> None:
        due = str(self.town.today + days * DAY)
        await policy.visit(grade="major", description="安全出口被封堵", criterion="判定标准第三条", due_on=due)

    async def until(self, last: date) -> None:
        """Let the days pass, every one on which something happens, up to the evening of the last."""
        while (following := await self.town.next_day()) and following < last:
            await self.town.go_to(following, MORNING)
        await self.town.go_to(last, EVENING)

    async def due(self, policy: Policy, duty: str) -> date:
        """The effective last day of an open duty."""
        view = await self.insurer.get(f"/v1/policies/{policy.id}")
        return next(date.fromisoformat(one["effective"]) for one in view["duties"] if one["key"] == duty)

    async def events(self, path: str) -> list[str]:
        return [entry["event"] for entry in await self.insurer.get(f"/v1/{path}/timeline")]

    def office_day(self, on: date) -> date:
        """The first day, from this one on, on which letters that can wait leave."""
        return next_working(self.town.calendar, on)

    def reader(self, address: str) -> Reader:
        return Reader(self.town, self.mailbox, address)

    def letters(self, address: str, says: str) -> list[CaughtMail]:
        """Mails to an address that speak of something."""
        return [mail for mail in self.mailbox.to(address) if says in mail.subject + mail.body()]


@pytest.fixture
async def town(settings: Settings, temporal: Client, mailbox: MailCatcher) -> AsyncIterator[Town]:
    async with open_town(settings) as running:
        yield running
    try:  # the operators' mailroom has the same id in every test, and this test's worker is gone
        await temporal.get_workflow_handle(mailroom_workflow_id(HUMAN_QUEUE)).terminate()
    except RPCError:
        return


@pytest.fixture
async def journey(town: Town, mailbox: MailCatcher, settings: Settings) -> Journey:
    keys = await load_directory(settings)
    return Journey(town, mailbox, Insurer(town, "PS", next(key for name, key in keys.items() if name[:2] == "PS")))
