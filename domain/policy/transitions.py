"""The transition table of a policy: what comes before what, how far each event brings it; figures are in packs."""

from collections.abc import Collection

from models.contracts.vocabulary import Event, PolicyStage

NEEDS: dict[Event, Event] = {
    Event.PLAN_FILED: Event.PROVIDER_NAMED,
    Event.PLAN_CONFIRMED: Event.PLAN_FILED,
    Event.VISIT_RECORDED: Event.PROVIDER_NAMED,
    Event.SERVICE_COMPLETED: Event.VISIT_RECORDED,
}
"""The order of AQ 9010-2019 clause 6: institution, plan, agreement, service; a place's gates are in its pack."""

REACHES: dict[Event, PolicyStage] = {
    Event.POLICY_SIGNED: PolicyStage.SIGNED,
    Event.POLICY_UPLOADED: PolicyStage.UPLOADED,
    Event.PROVIDER_NAMED: PolicyStage.PROVIDER_NAMED,
    Event.PLAN_FILED: PolicyStage.PLAN_FILED,
    Event.PLAN_CONFIRMED: PolicyStage.PLAN_CONFIRMED,
    Event.VISIT_RECORDED: PolicyStage.SERVING,
    Event.SERVICE_COMPLETED: PolicyStage.SERVED,
    Event.POLICY_EXPIRED: PolicyStage.EXPIRED,
    Event.POLICY_SURRENDERED: PolicyStage.SURRENDERED,
}
ORDER = tuple(PolicyStage)
ENDED = frozenset({PolicyStage.RENEWED, PolicyStage.EXPIRED, PolicyStage.SURRENDERED})

ENTERABLE = frozenset(
    {
        Event.POLICY_UPLOADED,
        Event.PROVIDER_NAMED,
        Event.PLAN_FILED,
        Event.PLAN_CONFIRMED,
        Event.VISIT_RECORDED,
        Event.FIRST_SERVICE_DONE,
        Event.QUALIFIED_SERVICE_DONE,
        Event.SERVICE_COMPLETED,
        Event.OUT_OF_AREA_FILED,
    }
)
"""Past facts with which a running policy may be entered."""


def further(stage: PolicyStage, event: Event) -> PolicyStage:
    """The stage after an event; a stage is never left backwards."""
    reached = REACHES.get(event, stage)
    return max(stage, reached, key=ORDER.index)


def left_out(facts: Collection[Event]) -> frozenset[PolicyStage]:
    """Stages whose event is not on record; a policy may have come further without them."""
    return frozenset(stage for event, stage in REACHES.items() if event not in facts)
