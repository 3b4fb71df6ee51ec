"""The letters of the midnight: mailrooms wait in the evening when it strikes, then offices open; no rung is here."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from temporalio.testing import TimeSkipper

from activities.nudger import Nudger
from bench.ground import Ground
from domain.calendar import CLOSES, DAY, SHANGHAI, opens_at
from models.contracts import ids
from rules.library import Library

RUNG = "kind = 'duty_overdue' AND case_id IN (SELECT id FROM cases WHERE region = '990000')"
ADDRESSEES = text(f"SELECT DISTINCT recipient_id FROM outbox WHERE {RUNG}")  # noqa: S608
NUDGE = text("INSERT INTO nudges (recipient_id) VALUES (:recipient)")
NUDGED = text("SELECT count(*) FROM nudges")
"""Mailrooms that have not been told yet; each is there once it was."""
UNSENT = text(f"SELECT count(*) FROM outbox WHERE told_at IS NULL AND {RUNG}")  # noqa: S608
LEFT = text(f"""
SELECT concat_ws(' ', 'notice', o.status, 'mail', m.status, m.attempts, m.last_code), count(*)
FROM outbox o LEFT JOIN mails m ON m.id = o.mail_id WHERE o.told_at IS NULL AND o.{RUNG} GROUP BY 1
""")  # noqa: S608
WRITTEN = text(f"""
SELECT m.message_id, m.recipient_id, array_agg(DISTINCT o.recipient_id) AS told
FROM mails m JOIN outbox o ON o.mail_id = m.id WHERE o.{RUNG} GROUP BY 1, 2
""")  # noqa: S608
MAILED = 50  # policies a second whose letters are out, below which the bench stops waiting
PATIENCE = 300.0
"""Seconds the bench waits at least for what is sure to come: how long it took is told, and how busy a machine was."""
SECOND, PATIENT = timedelta(seconds=1), timedelta(seconds=20)


@dataclass(frozen=True)
class Letters:
    """What the recipients of the rungs got: as written in the outbox, and as it arrived at the mail server."""

    recipients: int
    mails: int
    """Arrived; the same letter twice counts twice."""
    written: int
    lost: int
    """Letters that did not arrive."""
    doubled: int
    """Letters that arrived again."""
    astray: int
    """Letters with a notice of somebody else."""
    seconds: float
    """From the opening of the offices."""
    left: dict[str, int]
    """The unsent by how far they came: in no letter, in one that waits after so many attempts, or set aside."""

    @property
    def exact(self) -> bool:
        """One letter for each recipient, none lost, none doubled, none astray, and nothing left."""
        each_one = self.recipients == self.written == self.mails
        return each_one and not (self.lost or self.doubled or self.astray or self.left)


async def into_the_evening(ground: Ground, recipients: Iterable[UUID]) -> None:
    """Open these mailrooms and take each to the end of a day, so that what is told waits for the next morning.

    Without it a bench in office hours would see a first letter with a few rungs and a second ten minutes later. Before
    anything can fall due: then it is certain, however slow the machine.
    """
    rooms, settings = list(recipients), ground.settings
    for recipient in rooms:
        await ground.rows(NUDGE, recipient=recipient)
    nudger = Nudger(ground.engine, ground.client, settings.task_queue, settings.base_url, PATIENT)
    while await nudger.carry():  # those it did not reach are put back
        pass
    await asyncio.gather(*(_take(ground, recipient, _evening) for recipient in rooms))


async def deliver(ground: Ground, policies: int) -> Letters:
    """Take every mailroom with rungs to the next opening of its office, wait for the letters, and reckon them up."""
    patience, began = max(PATIENCE, policies / MAILED), time.perf_counter()
    await ground.until(_nobody, NUDGED, patience)
    recipients = [row[0] for row in await ground.rows(ADDRESSEES)]
    await asyncio.gather(*(_take(ground, recipient, _morning) for recipient in recipients))
    await ground.until(_nobody, UNSENT, patience)
    took = time.perf_counter() - began
    written = await ground.rows(WRITTEN)
    left = dict(tuple(row) for row in await ground.rows(LEFT))
    arrived = Counter(mail.message_id for mail in ground.stack.mail)
    copies = [arrived[row.message_id] for row in written]
    return Letters(
        recipients=len(recipients),
        mails=sum(copies),
        written=len(written),
        lost=copies.count(0),
        doubled=sum(count > 1 for count in copies),
        astray=sum(row.told != [row.recipient_id] for row in written),
        seconds=took,
        left=left,
    )


def _nobody(waiting: int) -> bool:
    return not waiting


async def _take(ground: Ground, recipient: UUID, to: Callable[[datetime], datetime]) -> None:
    """Take one mailroom to an instant on its own clock; nothing to skip where it is there already."""
    handle, skipper = ground.client.get_workflow_handle(ids.mailroom_workflow_id(recipient)), TimeSkipper(ground.client)
    now = await skipper.get_current_time(handle)
    if (ahead := to(now) - now) > timedelta():
        await skipper.fast_forward(handle, ahead + SECOND)


def _evening(now: datetime) -> datetime:
    """The next time offices would close, on a working day or not: none opens for hours after it."""
    today = datetime.combine(now.astimezone(SHANGHAI).date(), CLOSES, SHANGHAI)
    return today if now < today else today + DAY


def _morning(now: datetime) -> datetime:
    return opens_at(Library().calendar(), now)
