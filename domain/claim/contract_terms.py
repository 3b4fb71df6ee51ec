"""The contract's own terms in the rulebook of a claim: agreed days and hours fill the blanks that packs leave."""

from models.contracts.claim_terms import ClaimTerms, Days, Hours
from models.contracts.rulebook import BoundDuty, Citation, Rulebook
from models.contracts.vocabulary import Event

STARTS = frozenset({Event.SMALL_FAST_STARTED, Event.LARGE_PREPAY_STARTED, Event.EMERGENCY_ADVANCE_STARTED})
"""Anchors of the terms that come with a path."""


def with_terms(rulebook: Rulebook, terms: ClaimTerms) -> Rulebook:
    """The rulebook with each agreed length under its source.

    The contract fills a blank, or shortens the law's term; a duty that has neither does not exist.
    """
    held = tuple(bound for one in rulebook.duties if (bound := _bound(one, terms)))
    return rulebook.model_copy(update={"duties": held})


def _bound(one: BoundDuty, terms: ClaimTerms) -> BoundDuty | None:
    if one.duty.agreed is None:
        return one
    figure, law = getattr(terms, one.duty.agreed.value), one.duty.within.amount
    if not isinstance(figure, Days | Hours):
        return one if law else None
    if law and figure.value >= law:
        return one
    within = one.duty.within.model_copy(update={"amount": figure.value})
    spoken = one.duty.by.model_copy(update={"within": figure.by})
    cites = Citation(region=one.cites.region, number=figure.source, clause="", by=figure.by)
    duty = one.duty.model_copy(update={"within": within, "by": spoken, "agreed": None})
    return one.model_copy(update={"duty": duty, "cites": cites})
