"""What a service provider may do: visits and the report of a policy that names it now; nothing else, nowhere else."""

from datetime import date

from domain.serving import ITS_OWN
from models.contracts import hazard, policy
from models.contracts.base import Actor
from models.contracts.ids import provider_id
from models.contracts.vocabulary import ActorKind, ServiceItem
from tests.domain.lives import INSURER_ID, Danger, Life, visit

CODE, OTHER = "91341300MA2NXR5T8H", "91341300MA2NXQ6R7U"
COMPLETE = policy.CompleteService(confirmed_by_insured=True)


def named(code: str | None = CODE) -> policy.NameProvider:
    return policy.NameProvider(provider_name="安徽安全技术服务有限公司", provider_code=code)


def plan() -> policy.FilePlan:
    return policy.FilePlan(items=(ServiceItem.TRAINING,), goals="全员培训")


def somebody(code: str = CODE) -> Actor:
    """A person of the provider with this credit code."""
    return Actor(kind=ActorKind.PROVIDER, id="assessor", name="服务机构", provider_id=provider_id(INSURER_ID, code))


def served(code: str | None = CODE) -> Life:
    life = Life.opened()
    life.act(named(code))
    return life.until("2024-03-12")


def test_the_provider_that_is_named_does_the_visit_and_hands_in_the_report():
    life = served()
    life.act(visit("V-1", date(2024, 3, 11)), somebody())
    life.act(plan())
    life.act(policy.ConfirmPlan())
    life.act(COMPLETE, somebody())
    assert life.state.visits == ("V-1",)
    assert life.state.provider_id == provider_id(INSURER_ID, CODE)


def test_another_provider_and_one_named_by_name_alone_are_refused():
    for life in (served(OTHER), served(None), Life.opened()):
        refusal = life.refused(visit("V-1", date(2024, 3, 11)), somebody())
        assert refusal is not None
        assert (refusal.code, refusal.status) == ("not_the_provider", 403)


def test_whoever_is_named_no_more_is_refused_from_that_step_on():
    life = served()
    life.act(named(OTHER))
    assert life.refused(COMPLETE, somebody()) is not None
    life.act(visit("V-1", date(2024, 3, 11)), somebody(OTHER))


def test_the_insurer_still_does_everything_itself():
    life = served()
    life.act(visit("V-1", date(2024, 3, 11)))
    life.act(plan())
    life.act(policy.ConfirmPlan())
    life.act(COMPLETE)
    assert {policy.RecordVisit, policy.CompleteService} == ITS_OWN


def test_nothing_else_of_a_policy_and_nothing_of_a_hazard_is_the_providers():
    life, danger = served(), Danger.found()
    recheck = hazard.RecheckHazard(passed=True, note="合格")
    refusals = [life.refused(plan(), somebody()), life.refused(named(OTHER), somebody())]
    refusals += [danger.refused(recheck, somebody()), danger.refused(hazard.ConfirmTold(), somebody())]
    assert [one.code for one in refusals if one] == ["not_the_provider"] * 4
