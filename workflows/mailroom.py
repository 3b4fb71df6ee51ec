"""One recipient's mailroom: urgent notices at once, the rest as a digest in office hours; no wording of mails here."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from domain import details, wording
from models.contracts.mailroom import Compose, Delivery, MailroomState
from models.contracts.ports import LookIn, Postman, Send
from models.contracts.vocabulary import Urgency
from workflows import options
from workflows.chapters import go_on, is_suggested

BETWEEN_DIGESTS = timedelta(minutes=10)
"""Notices that come one by one in office hours are gathered: a department gets a letter, not a flood."""

FEW = 100
"""Letters under way at which the next ones are fetched, where more wait than may go at once."""


@workflow.defn(name="收件室")
class MailroomWorkflow:
    """Lives as long as its recipient; what waits is rows, so a lost run forgets nothing."""

    @workflow.init
    def __init__(self, state: MailroomState) -> None:
        self.state = state
        self.nudged = True
        self.sending: dict[UUID, asyncio.Task[None]] = {}
        self.more = False
        """Urgent letters wait until some of those under way are gone."""
        self.waiting = 0
        self.opens_at: datetime | None = None
        self.last = ""

    @workflow.signal(name="nudge")
    def nudge(self) -> None:
        """Something may be waiting."""
        self.nudged = True

    @workflow.run
    async def run(self, state: MailroomState) -> None:
        while not self._is_to_be_renewed():
            await self._wait(await self._round())
        await workflow.wait_condition(workflow.all_handlers_finished)
        go_on(self.state)

    async def _round(self) -> datetime | None:
        """Look, send what may go now, and say when a digest may go; `None` where none waits."""
        self.nudged = False
        asked = LookIn(recipient_id=self.state.recipient_id, now=workflow.now())
        found = await workflow.execute_activity_method(
            Postman.look_in, asked, summary="看有无待发通知", **options.MAILROOM
        )
        if found.urgent:
            await self._dispatch(Urgency.NOW)
        opens_at = self._digest_at(found.opens_at) if found.digest else None
        if opens_at and opens_at <= workflow.now():
            await self._dispatch(Urgency.DIGEST)
            self.state = self.state.model_copy(update={"last_digest_at": workflow.now()})
            opens_at = None
        self.waiting, self.opens_at = (found.digest, opens_at) if opens_at else (0, None)
        self._show()
        return opens_at

    def _digest_at(self, opens_at: datetime) -> datetime:
        last = self.state.last_digest_at
        return max(opens_at, last + BETWEEN_DIGESTS) if last else opens_at

    async def _wait(self, until: datetime | None) -> None:
        """Until a nudge, until the digest may go (an absolute instant), or until this run may be renewed."""
        timeout = max(until - workflow.now(), timedelta()) if until else None
        summary = details.mailroom_waits(until) if until else None
        try:
            await workflow.wait_condition(
                lambda: self.nudged or self._is_to_be_renewed(), timeout=timeout, timeout_summary=summary
            )
        except TimeoutError:
            self.nudged = True

    async def _dispatch(self, urgency: Urgency) -> None:
        """Each mail travels by itself, so that one that is refused or delayed holds up no other."""
        asked = Compose(recipient_id=self.state.recipient_id, urgency=urgency, now=workflow.now())
        composed = await workflow.execute_activity_method(
            Postman.compose, asked, summary=f"成文（{urgency.label}）", **options.MAILROOM
        )
        self.more = composed.more if urgency is Urgency.NOW else self.more
        for mail_id in composed.mails:
            if mail_id not in self.sending:
                self.sending[mail_id] = asyncio.create_task(self._deliver(mail_id, urgency))

    async def _deliver(self, mail_id: UUID, urgency: Urgency) -> None:
        send = Send(recipient_id=self.state.recipient_id, mail_id=mail_id, now=workflow.now())
        try:
            delivery = await workflow.execute_activity_method(
                Postman.send, send, summary=f"投递（{urgency.label}）", **options.SEND
            )
        except ActivityError as failed:
            if is_cancelled_exception(failed):
                raise
            delivery = await self._give_up(send)
        finally:
            self.sending.pop(mail_id, None)
            # a long history is renewed first, and the next run begins by looking
            self.nudged |= self.more and len(self.sending) <= FEW and not is_suggested()
        self.state = self.state.model_copy(update={"delivered": self.state.delivered + 1})
        self.last = f"{delivery.status.label}（{wording.instant(workflow.now())}）"
        self._show()

    async def _give_up(self, send: Send) -> Delivery:
        late = send.model_copy(update={"now": workflow.now()})
        return await workflow.execute_activity_method(
            Postman.give_up, late, summary="多日未投出，转人工", **options.MAILROOM
        )

    def _is_to_be_renewed(self) -> bool:
        return is_suggested() and not self.sending

    def _show(self) -> None:
        delivered = self.state.delivered
        workflow.set_current_details(details.mailroom_details(self.waiting, delivered, self.opens_at, self.last))
