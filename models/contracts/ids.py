"""How cases and their workflows are named: functions and their inverses; nothing else builds or takes apart an id."""

from datetime import date
from uuid import UUID, uuid5

NAMESPACE = UUID("6f0c3a52-6f1d-5c7e-9a55-0a0f5e2b7c11")
"""Fixed for ever: ids of cases are derived from it."""
HUMAN_QUEUE = UUID("6f0c3a52-6f1d-5c7e-9a55-0a0f5e2b7c00")
"""The recipient behind every notice that has no department: the operators. Its row comes with the first migration."""


def policy_id(insurer_id: UUID, number: str) -> UUID:
    """The policy of one insurer under one number; the same question always gives the same id."""
    return uuid5(NAMESPACE, f"policy/{insurer_id}/{number}")


def hazard_id(policy: UUID, number: str) -> UUID:
    return uuid5(NAMESPACE, f"hazard/{policy}/{number}")


def claim_id(insurer_id: UUID, number: str) -> UUID:
    """The claim of one insurer under one number."""
    return uuid5(NAMESPACE, f"claim/{insurer_id}/{number}")


def insured_id(insurer_id: UUID, credit_code: str) -> UUID:
    """An enterprise as one insurer knows it."""
    return uuid5(NAMESPACE, f"insured/{insurer_id}/{credit_code}")


def provider_id(insurer_id: UUID, credit_code: str) -> UUID:
    """A service provider as one insurer knows it: naming its credit code on a policy assigns it, registered or not."""
    return uuid5(NAMESPACE, f"provider/{insurer_id}/{credit_code}")


def policy_workflow_id(insurer_code: str, number: str) -> str:
    return f"policy/{insurer_code}/{number}"


def hazard_workflow_id(insurer_code: str, policy_number: str, number: str) -> str:
    return f"hazard/{insurer_code}/{policy_number}/{number}"


def claim_workflow_id(insurer_code: str, number: str) -> str:
    return f"claim/{insurer_code}/{number}"


def payment_order_key(insurer_code: str, claim_number: str, payment_number: str) -> str:
    """The business key of an order to pay: the same under retry, reset and continue-as-new."""
    return f"{insurer_code}:{claim_number}:{payment_number}"


def insurer_of_order(key: str) -> str:
    """The code of the insurer whose order this is."""
    return key.partition(":")[0]


def mailroom_workflow_id(recipient_id: UUID) -> str:
    return f"mailroom/{recipient_id}"


def reconciling_id(task_queue: str) -> str:
    """The daily schedule; one per task queue, so that two systems on one Temporal do not reconcile for each other."""
    return f"{task_queue}/daily-reconciliation"


def notice_key(case_id: UUID, duty_key: str, moment: str, role: str) -> str:
    """Stable identifiers only, so that the same notice can never be told twice by our doing."""
    return f"{case_id}:{duty_key}:{moment}:{role}"


def ancestors(region: str) -> tuple[str, ...]:
    """The region itself and the levels above it, most specific first: district, city, province, nation."""
    levels = (region, region[:4] + "00", region[:2] + "0000", "000000")
    return tuple(dict.fromkeys(levels))


def notice_id(key: str) -> UUID:
    """The outbox row of a notice, from its key."""
    return uuid5(NAMESPACE, f"notice/{key}")


def fresh_link_id(letter_id: UUID) -> UUID:
    """The link a letter that was asked for brings in place of a dead one; known before it is stored."""
    return uuid5(NAMESPACE, f"fresh-link/{letter_id}")


def backlog_mail_id(on: date) -> UUID:
    """The letter that tells operators of one day's backlog: there is one a day."""
    return uuid5(NAMESPACE, f"backlog/{on.isoformat()}")
