"""What a policy entered late has behind it counts as it would have counted on its day, whatever the hour of signing."""

from datetime import date

import pytest

from domain import clock as clocks
from models.contracts.clock import RunningDuty
from models.contracts.policy import PastFact
from models.contracts.vocabulary import Event, Size
from tests.domain.lives import JILIN, SUZHOU, XIAMEN, Life, at, visit
from tests.domain.test_policy_refusals import PROVIDER, UPLOAD

SIGNED = at("2024-03-01T15:30")
BEGINS = date(2024, 3, 20)
LATER = at("2024-05-06T10:00")


def entered(*facts: tuple[Event, str], region: str = SUZHOU) -> Life:
    """Signed on the afternoon of 1 March, covered from 20 March for two years, entered on 6 May."""
    past = tuple(PastFact(event=event, on=date.fromisoformat(on)) for event, on in facts)
    return Life.opened(LATER, past, region=region, signed_at=SIGNED, effective_on=BEGINS, expires_on=date(2026, 3, 19))


def lived(region: str = SUZHOU) -> Life:
    """The same policy, entered when it was signed."""
    life = Life.opened(
        SIGNED, region=region, signed_at=SIGNED, effective_on=BEGINS, expires_on=date(2026, 3, 19), size=Size.MEDIUM
    )
    life.until("2024-03-02T09:00").act(PROVIDER)
    return life


def duty(life: Life, key: str) -> RunningDuty:
    found = clocks.running(life.state.clock, key)
    assert found
    return found


@pytest.mark.obligation("SZ-20")
def test_what_was_done_on_the_afternoon_of_signing_is_done() -> None:
    life = entered((Event.POLICY_UPLOADED, "2024-03-01"))
    assert duty(life, "policy_upload").met_at == SIGNED, "noon lies before the signing, and the day of signing does not"
    assert life.until("2024-12-31").record.told("policy_upload") == []
    assert lived().act(UPLOAD)
    assert life.state.facts[Event.POLICY_UPLOADED] == date(2024, 3, 1)


@pytest.mark.obligation("JL-20")
@pytest.mark.parametrize("on", ["2024-03-10", "2024-03-20", "2024-04-01"])
def test_a_service_before_the_cover_or_on_its_first_day_is_one_of_the_first_year(on: str) -> None:
    late = entered((Event.VISIT_RECORDED, on), (Event.QUALIFIED_SERVICE_DONE, on), region=JILIN)
    then = lived(JILIN).until(f"{on}T18:00")
    then.act(visit("V-1", date.fromisoformat(on)))
    assert duty(late, "yearly_service").met_at
    assert duty(then, "yearly_service").met_at


@pytest.mark.obligation("SZ-A2")
@pytest.mark.parametrize(("on", "counts"), [("2024-03-19", False), ("2024-03-20", True), ("2024-04-01", True)])
def test_the_first_service_is_the_first_one_after_the_contract_took_effect(on: str, counts: bool) -> None:
    late = entered((Event.VISIT_RECORDED, on))
    then = lived().until(f"{on}T18:00")
    then.act(visit("V-1", date.fromisoformat(on)))
    for life in (late, then):
        assert (duty(life, "first_service").met_at is not None) is counts
        assert (Event.FIRST_SERVICE_DONE in life.state.facts) is counts
    then.until("2024-04-02T09:00").act(visit("V-2", date(2024, 4, 2)))
    assert duty(then, "first_service").met_at
    assert len(then.record.lines(Event.FIRST_SERVICE_DONE)) == 1


@pytest.mark.obligation("XM-25b", "JL-06a")
@pytest.mark.parametrize("region", [JILIN, XIAMEN])
def test_services_of_the_past_are_counted_in_the_number_the_contract_agrees(region: str) -> None:
    one, two = (Event.VISIT_RECORDED, "2024-03-25"), (Event.VISIT_RECORDED, "2024-04-20")
    assert duty(entered(one, two, region=region), "contract_services").met_at
    life = entered(one, region=region)
    assert (life.state.visits_this_year, duty(life, "contract_services").is_open) == (1, True)
    life.act(PROVIDER)
    life.act(visit("V-1", date(2024, 5, 6)))
    assert duty(life, "contract_services").met_at


@pytest.mark.obligation("JL-20")
def test_a_service_on_the_first_day_of_a_later_year_is_one_of_that_year() -> None:
    on = date(2025, 3, 20)
    facts = tuple(PastFact(event=event, on=on) for event in (Event.VISIT_RECORDED, Event.QUALIFIED_SERVICE_DONE))
    expires_on = date(2026, 3, 19)
    life = Life.opened(at("2025-05-06T10:00"), facts, region=JILIN, effective_on=BEGINS, expires_on=expires_on)
    assert duty(life, "yearly_service#2").met_at
    assert (life.state.visits_this_year, life.state.visits_last_year) == (1, 0)
