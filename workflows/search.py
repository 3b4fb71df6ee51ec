"""All search attribute keys, one list (SQL visibility has 10 keywords), and what cases put in; no personal data.

An operator finds cases by stage and by what is due next in the engine's own list; counts are asked of PostgreSQL.
"""

from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributePair, SearchAttributeUpdate, TypedSearchAttributes

from domain.wording import region_name
from models.contracts.claim import ClaimBirth
from models.contracts.hazard import HazardBirth
from models.contracts.policy import OpenPolicy
from models.contracts.policy_state import Birth
from models.contracts.step import CaseRow

KIND = SearchAttributeKey.for_keyword("AnzeKind")
INSURER = SearchAttributeKey.for_keyword("AnzeInsurer")
REGION = SearchAttributeKey.for_keyword("AnzeRegion")
PLACE = SearchAttributeKey.for_keyword("AnzePlace")
SECTOR = SearchAttributeKey.for_keyword("AnzeSector")
STAGE = SearchAttributeKey.for_keyword("AnzeStage")
NEXT_DUTY = SearchAttributeKey.for_keyword("AnzeNextDuty")
POLICY = SearchAttributeKey.for_keyword("AnzePolicy")
DUE_AT = SearchAttributeKey.for_datetime("AnzeDueAt")

SEARCH_ATTRIBUTES = (
    KIND,
    INSURER,
    REGION,
    PLACE,
    SECTOR,
    STAGE,
    NEXT_DUTY,
    POLICY,
    DUE_AT,
)


def for_policy(birth: Birth, command: OpenPolicy) -> TypedSearchAttributes:
    """What a policy is found by from its first moment."""
    terms = command.terms
    return TypedSearchAttributes(
        [
            SearchAttributePair(KIND, "保单"),
            SearchAttributePair(INSURER, birth.insurer_code),
            SearchAttributePair(REGION, terms.region),
            SearchAttributePair(PLACE, region_name(terms.region)),
            SearchAttributePair(SECTOR, terms.sector.label),
            SearchAttributePair(POLICY, terms.number),
        ]
    )


def for_hazard(birth: HazardBirth) -> TypedSearchAttributes:
    """What a hazard is found by; `AnzePolicy` links it with its policy."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(KIND, birth.hazard.grade.label),
            SearchAttributePair(INSURER, birth.insurer_code),
            SearchAttributePair(REGION, birth.region),
            SearchAttributePair(PLACE, region_name(birth.region)),
            SearchAttributePair(SECTOR, birth.sector.label),
            SearchAttributePair(POLICY, birth.policy_number),
        ]
    )


def for_claim(birth: ClaimBirth) -> TypedSearchAttributes:
    """What a claim is found by; `AnzePolicy` links it with its policy."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(KIND, "理赔"),
            SearchAttributePair(INSURER, birth.insurer_code),
            SearchAttributePair(REGION, birth.region),
            SearchAttributePair(PLACE, region_name(birth.region)),
            SearchAttributePair(SECTOR, birth.sector.label),
            SearchAttributePair(POLICY, birth.policy_number),
        ]
    )


UNTOLD = object()
"""What an earlier run told is still in the list, and not known here."""


class Listed:
    """What the engine's list says of one case; each upsert is an event, so it is told only what changed, in one go."""

    def __init__(self) -> None:
        self._told: tuple[object, ...] = (UNTOLD, UNTOLD, UNTOLD)

    def tell(self, row: CaseRow, stage: str, next_duty: str) -> None:
        """Where the case stands now, what it waits for, and when that falls due."""
        now = (stage, next_duty or None, row.next_due_at)
        listed = zip((STAGE, NEXT_DUTY, DUE_AT), now, self._told, strict=True)
        changed = [_update(key, value) for key, value, before in listed if value != before]
        self._told = now
        if changed:
            workflow.upsert_search_attributes(changed)


def _update(key: SearchAttributeKey[Any], value: object) -> SearchAttributeUpdate:
    return key.value_unset() if value is None else key.value_set(value)
