"""Capabilities in mails: which notice invites which act, how its token is made; the portal opens them."""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from models.contracts.ids import NAMESPACE
from models.contracts.vocabulary import CaseKind, LinkPurpose, NoticeKind, Role
from models.tables.access import Link
from models.tables.outbox import OutboxNotice

DEPARTMENTS = frozenset(
    {
        Role.EMERGENCY,
        Role.INDUSTRY,
        Role.FINANCIAL,
        Role.LOCAL_FINANCE,
        Role.JOINT_CONFERENCE,
        Role.SAFETY_OFFICE,
    }
)
INVITING = {
    NoticeKind.HAZARD_NOTICE: LinkPurpose.RECTIFICATION,
    NoticeKind.RECTIFICATION_REMINDER: LinkPurpose.RECTIFICATION,
    NoticeKind.RECHECK_RESULT: LinkPurpose.RECTIFICATION,
    NoticeKind.OBJECTION_ANSWER: LinkPurpose.RECTIFICATION,
    NoticeKind.MORE_TIME_ANSWER: LinkPurpose.RECTIFICATION,
    NoticeKind.PLAN_CONFIRMATION: LinkPurpose.PLAN,
    NoticeKind.SERVICE_RATING: LinkPurpose.RATING,
}
"""What the insured is invited to do by each kind of notice."""
HAZARD_KINDS = frozenset({NoticeKind.DUTY_REMINDER, NoticeKind.DUTY_OVERDUE, NoticeKind.DUTY_STANDING})
"""Kinds that invite the insured to rectify where they speak of a hazard."""
LASTS = timedelta(days=30)
AT_MOST = timedelta(days=60)


def purpose(row: OutboxNotice, holder: Role) -> LinkPurpose | None:
    """What the notice's link lets its holder do; `None` where nothing is asked, or where another was asked."""
    if row.to_role in DEPARTMENTS:
        return LinkPurpose.DEPARTMENT if holder in DEPARTMENTS else None
    if row.to_role is not Role.INSURED or holder is not Role.INSURED or row.matter.get("ended_at"):
        return None
    of_hazard = row.matter.get("kind") == CaseKind.HAZARD
    return INVITING.get(row.kind) or (LinkPurpose.RECTIFICATION if of_hazard and row.kind in HAZARD_KINDS else None)


def token(secret: bytes, notice_id: UUID, recipient_id: UUID, mail_id: UUID | None = None) -> str:
    """256 bits, the same for the same notice and recipient, so that a letter rendered again carries the same link.

    `mail_id`: of the letter a notice went out with anew; what an earlier letter carried is worth nothing there.
    """
    anew = f":{mail_id}" if mail_id else ""
    mac = hmac.new(secret, f"link:{notice_id}:{recipient_id}{anew}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(mac.digest()).rstrip(b"=").decode()


def token_hash(written: str) -> str:
    """The only form in which a token is stored."""
    return hashlib.sha256(written.encode()).hexdigest()


def link_id(notice_id: UUID, recipient_id: UUID, mail_id: UUID | None = None) -> UUID:
    """Known before it is stored, as the token is."""
    return uuid5(NAMESPACE, f"link/{notice_id}/{recipient_id}" + (f"/{mail_id}" if mail_id else ""))


def link_for(row: OutboxNotice, holder: Role, secret: bytes, now: datetime, mail_id: UUID | None = None) -> Link | None:
    """The link a notice carries, ready to be stored; `None` where it invites no act."""
    wanted = purpose(row, holder)
    if wanted is None:
        return None
    return Link(
        id=link_id(row.id, row.recipient_id, mail_id),
        token_hash=token_hash(token(secret, row.id, row.recipient_id, mail_id)),
        insurer_id=row.insurer_id,
        case_id=row.case_id,
        recipient_id=row.recipient_id,
        notice_id=row.id,
        purpose=wanted,
        duty_key=str(row.about.get("duty_key") or ""),
        expires_at=_expires(row, wanted, now),
    )


def address(base_url: str, secret: bytes, row: OutboxNotice, holder: Role, mail_id: UUID | None = None) -> str | None:
    """Where the notice's link points, as the mail writes it."""
    if purpose(row, holder) is None:
        return None
    return f"{base_url}/l/{token(secret, row.id, row.recipient_id, mail_id)}"


def _expires(row: OutboxNotice, wanted: LinkPurpose, now: datetime) -> datetime:
    """Departments have thirty days; the insured thirty days after the due day, sixty at most."""
    due = row.about.get("due_at")
    if wanted is LinkPurpose.DEPARTMENT or not due:
        return now + LASTS
    return min(max(datetime.fromisoformat(str(due)), now) + LASTS, now + AT_MOST)
