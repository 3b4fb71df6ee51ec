"""All search attribute keys, one list (SQL visibility has 10 keywords), and what cases put in; no personal data."""

from temporalio.common import SearchAttributeKey, SearchAttributePair, SearchAttributeUpdate, TypedSearchAttributes

from domain.wording import region_name
from models.contracts.claim import ClaimBirth
from models.contracts.hazard import HazardBirth
from models.contracts.policy import Birth, OpenPolicy
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
OPEN_HAZARDS = SearchAttributeKey.for_int("AnzeOpenHazards")
PROVISIONAL = SearchAttributeKey.for_bool("AnzeProvisional")

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
    OPEN_HAZARDS,
    PROVISIONAL,
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


Standing = tuple[str, str | None, str | None, int, bool]


def standing(row: CaseRow, stage: str, next_duty: str | None) -> Standing:
    """What changes with the steps of a case, as one comparable value; `next_duty` and the due instant go together."""
    due = row.next_due_at.isoformat() if row.next_due_at else None
    return (stage, next_duty, due, row.open_hazards, row.provisional)


def updates(row: CaseRow, stage: str, next_duty: str | None) -> list[SearchAttributeUpdate]:
    """The attributes after a step."""
    due = DUE_AT.value_set(row.next_due_at) if row.next_due_at else DUE_AT.value_unset()
    duty = NEXT_DUTY.value_set(next_duty) if next_duty else NEXT_DUTY.value_unset()
    return [
        STAGE.value_set(stage),
        duty,
        due,
        OPEN_HAZARDS.value_set(row.open_hazards),
        PROVISIONAL.value_set(row.provisional),
    ]
