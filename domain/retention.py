"""How long what claims hold about people must and may be kept, and what puts that off; nothing is erased here.

Law and choice are told apart in docs/decisions/0068-what-is-kept-of-people.md.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from models.contracts.vocabulary import RetentionWait

YEARS_OF_SHORT_TERM = 5
"""保险法 87: at least, after the end of a contract whose term is one year or less."""
YEARS_OF_LONG_TERM = 10
"""保险法 87: at least, where the term is longer."""


@dataclass(frozen=True)
class Facts:
    """A policy, and how far everything stands that may still need its people's data."""

    effective_on: date
    expires_on: date
    surrendered_on: date | None = None
    policy_open: bool = False
    claim_open: bool = False
    payment_open: bool = False
    held: bool = False
    last_claim_on: date | None = None
    """The day something last happened to one of its claims; `None` where there was none."""


@dataclass(frozen=True)
class Retention:
    """Both days are the last on which the data is kept; with a reason to wait, neither counts."""

    by_law_until: date
    kept_until: date
    waits: tuple[RetentionWait, ...] = ()

    def may_be_erased(self, today: date) -> bool:
        """The law asks for it no longer: a person with a reason may have it erased (个人信息保护法 47)."""
        return not self.waits and today > self.by_law_until

    def is_due(self, today: date) -> bool:
        """Our own term is over too: there is nothing left to keep it for (个人信息保护法 19)."""
        return not self.waits and today > self.kept_until


def retention(facts: Facts, years: int) -> Retention:
    """The law's years and ours (`years`, never fewer), from the contract's end or the last of its claims if later."""
    ended_on = min(facts.surrendered_on or facts.expires_on, facts.expires_on)
    since = max(ended_on, facts.last_claim_on or ended_on)
    required = _years_by_law(facts)
    return Retention(_after(since, required), _after(since, max(years, required)), _waits(facts))


def _years_by_law(facts: Facts) -> int:
    """By the term agreed upon, whose last day is the eve of the anniversary; a surrender makes it no shorter one."""
    return YEARS_OF_SHORT_TERM if facts.expires_on < _after(facts.effective_on, 1) else YEARS_OF_LONG_TERM


def _after(day: date, years: int) -> date:
    """The same day so many years on, or the last of its month where there is none (民法典 202)."""
    year = day.year + years
    return date(year, day.month, min(day.day, monthrange(year, day.month)[1]))


def _waits(facts: Facts) -> tuple[RetentionWait, ...]:
    reasons = {
        RetentionWait.POLICY_OPEN: facts.policy_open,
        RetentionWait.CLAIM_OPEN: facts.claim_open,
        RetentionWait.PAYMENT_OPEN: facts.payment_open,
        RetentionWait.HELD: facts.held,
    }
    return tuple(reason for reason, holds in reasons.items() if holds)
