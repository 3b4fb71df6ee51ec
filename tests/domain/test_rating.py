"""An insured rates a service: in three dimensions, once for each visit, by nobody but itself."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from domain.policy import views
from models.contracts.base import Actor
from models.contracts.policy import NameProvider, RateService
from models.contracts.policy_state import PolicyState
from models.contracts.vocabulary import ActorKind, Event, NoticeKind, Role, ServiceDimension, Urgency
from tests.domain.lives import ENTERPRISE, OPERATOR, Life, visit
from tests.makers import DEPARTMENT, SOMEBODY


def rate(number: str = "V-1", **more: object) -> RateService:
    plain = {"visit": number, "attitude": 5, "professionalism": 4, "timeliness": 3}
    return RateService.model_validate(plain | more)


def served(*numbers: str) -> Life:
    life = Life.opened().until("2024-03-20T10:00")
    life.act(NameProvider(provider_name="安全技术服务公司"))
    for number in numbers:
        life.act(visit(number, date(2024, 3, 20)))
    return life


@pytest.mark.obligation("SZ-A9")
def test_a_rating_is_on_record_with_its_stars_and_shown_latest_first() -> None:
    life = served("V-1", "V-2")
    life.act(rate(comment="讲解清楚"), ENTERPRISE)
    life.act(rate("V-2", attitude=1), ENTERPRISE)
    first, second = life.record.lines(Event.SERVICE_RATED)
    assert first.said == "服务记录 V-1：服务态度 5 星，专业度 4 星，及时性 3 星。讲解清楚"
    assert second.data["stars"] == {"attitude": 1, "professionalism": 4, "timeliness": 3}
    shown = views.view(life.state).ratings
    assert [rating.visit for rating in shown] == ["V-2", "V-1"]
    assert shown[1].stars == dict(zip(ServiceDimension, (5, 4, 3), strict=True))


def test_the_insured_is_invited_to_each_visit_in_its_digest() -> None:
    life = served("V-1", "V-2")
    invitations = [one for one in life.record.notices if one.kind is NoticeKind.SERVICE_RATING]
    assert [(one.to, one.urgency, one.about.visit) for one in invitations] == [
        (Role.INSURED, Urgency.DIGEST, "V-1"), (Role.INSURED, Urgency.DIGEST, "V-2"),
    ]  # fmt: skip
    assert len({one.key for one in invitations}) == 2


def test_a_service_is_rated_once() -> None:
    life = served("V-1")
    life.act(rate(), ENTERPRISE)
    refusal = life.refused(rate(attitude=1), ENTERPRISE)
    assert refusal is not None
    assert refusal.code == "already_done"


def test_a_service_nobody_gave_is_not_rated() -> None:
    refusal = served("V-1").refused(rate("V-9"), ENTERPRISE)
    assert refusal is not None
    assert (refusal.code, refusal.status) == ("unknown_visit", 404)


@pytest.mark.parametrize("actor", [SOMEBODY, DEPARTMENT, OPERATOR])
def test_nobody_rates_for_the_insured(actor: Actor) -> None:
    assert actor.kind is not ActorKind.ENTERPRISE
    refusal = served("V-1").refused(rate(), actor)
    assert refusal is not None
    assert (refusal.code, refusal.status) == ("not_the_insured", 403)


@pytest.mark.parametrize("stars", [{"attitude": 0}, {"timeliness": 6}, {"professionalism": "5"}, {"attitude": 4.5}])
def test_stars_are_whole_and_one_to_five(stars: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        rate(**stars)


def test_a_policy_of_before_ratings_loads() -> None:
    life = served("V-1")
    old = life.state.model_dump(mode="json", exclude={"ratings"})
    assert PolicyState.model_validate_json(PolicyState.model_validate(old).model_dump_json()) == life.state
