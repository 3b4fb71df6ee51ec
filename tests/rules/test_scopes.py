"""Who must insure, and what is one and the same for a whole city: notices read once more by hand, against the packs."""

from itertools import product

import pytest

from domain.routing import departments
from models.contracts.rulebook import RulesFor
from models.contracts.vocabulary import By, ClaimPath, PathFact, PolicyKind, Role, Sector, Size
from rules.library import LoadedPack
from tests.rules.test_figures import (
    HEFEI,
    JILIN,
    LIBRARY,
    ON,
    SUZHOU,
    XIAMEN,
    ZHEJIANG,
    Who,
    duty,
    hazard,
    policy,
    told,
)

TRANSPORT = {Sector.ROAD_TRANSPORT, Sector.URBAN_RAIL, Sector.WATERWAY_TRANSPORT}
BUILDING = {
    Sector.HOUSING_CONSTRUCTION,
    Sector.MUNICIPAL_CONSTRUCTION,
    Sector.TRANSPORT_CONSTRUCTION,
    Sector.WATER_WORKS_CONSTRUCTION,
}
ALIKE = {
    "危险化学品": {Sector.HAZARDOUS_CHEMICALS},
    "烟花爆竹": {Sector.FIREWORKS},
    "交通运输": TRANSPORT,
    "建筑施工": BUILDING,
    "民用爆炸物品": {Sector.CIVIL_EXPLOSIVES},
    "金属冶炼": {Sector.METAL_SMELTING},
    "渔业生产": {Sector.FISHERY},
}
EIGHT = {
    XIAMEN: ALIKE | {"非煤矿山": {Sector.NON_COAL_MINING}},
    JILIN: ALIKE | {"矿山": {Sector.NON_COAL_MINING, Sector.COAL_MINING}},
}
"""The eight words of each notice, and the sectors they are read as."""


def own(region: str) -> LoadedPack:
    """The pack of the place itself or of its province, whichever speaks last."""
    return LIBRARY.pack_for(region, ON)[-1]


@pytest.mark.obligation("XM-05", "JL-01")
@pytest.mark.parametrize("region", EIGHT)
def test_the_eight_trades_of_a_notice_are_those_that_must_insure_and_no_others(region: str) -> None:
    words = EIGHT[region]
    assert len(words) == 8
    scope = own(region).pack.scope
    assert scope is not None
    assert set(scope.sectors) == set().union(*words.values())
    assert Sector.OTHER not in scope.sectors


@pytest.mark.obligation("XM-05", "JL-01")
@pytest.mark.parametrize("region", EIGHT)
def test_a_policy_of_each_of_these_trades_obeys_the_notice(region: str) -> None:
    for sector in set().union(*EIGHT[region].values()):
        assert own(region).ref in policy(Who(region, sector)).packs, sector


def test_coal_mines_must_insure_in_jilin_and_are_not_among_the_eight_of_xiamen() -> None:
    scopes = {region: own(region).pack.scope for region in EIGHT}
    assert [Sector.COAL_MINING in (scope.sectors if scope else ()) for scope in scopes.values()] == [False, True]


@pytest.mark.obligation("SZ-02a")
def test_a_city_has_one_rule_pack_for_every_trade_and_size() -> None:
    for sector, size in product(Sector, Size):
        for rulebook in (policy(Who(SUZHOU, sector, size)), hazard(Who(SUZHOU, sector, size))):
            assert [ref for ref in rulebook.packs if ref.region == SUZHOU] == [own(SUZHOU).ref], (sector, size)


@pytest.mark.obligation("SZ-02a")
def test_a_city_has_one_platform() -> None:
    found = [departments(policy(Who(SUZHOU, sector)), Role.PLATFORM, SUZHOU, sector) for sector in Sector]
    assert {candidates[0] for candidates in found} == {(SUZHOU, "宿州市安责险信息化管理平台")}


@pytest.mark.obligation("SZ-02a")
def test_the_service_process_of_a_city_is_the_same_for_every_trade() -> None:
    process = {
        tuple(
            bound.duty.model_dump_json() for bound in policy(Who(SUZHOU, sector)).duties if bound.cites.region == SUZHOU
        )
        for sector in Sector
    }
    assert len(process) == 1


@pytest.mark.obligation("SZ-02a")
def test_no_insurer_has_rules_of_its_own() -> None:
    assert [name for name in RulesFor.model_fields if "insurer" in name] == []


@pytest.mark.obligation("XM-13", "XM-14", "ZJ-31a", "ZJ-31b")
@pytest.mark.parametrize("region", [XIAMEN, ZHEJIANG])
def test_only_who_must_insure_year_by_year_is_held_to_renew_and_to_stay(region: str) -> None:
    """应当投保: not the voluntary trades; a season or a building site that has ended is no lapse."""
    other = policy(Who(region, Sector.OTHER))
    assert other.surrender == ()
    bound = [Who(region, sector) for sector in Sector if sector not in (Sector.OTHER, Sector.COAL_MINING)]
    assert all(Role.INDUSTRY in told(duty(policy(who), "renewal"))["due"] and policy(who).surrender for who in bound)
    seasons = [policy(Who(region, Sector.FISHERY, kind=kind)) for kind in (PolicyKind.SEASONAL, PolicyKind.PROJECT)]
    for book in (other, *seasons):
        assert told(duty(book, "renewal"))["due"] == {Role.INSURED, Role.INSURER}
        assert duty(book, "renewal").by.within is By.PRODUCT
    assert all(book.surrender for book in seasons)


@pytest.mark.parametrize("region", [SUZHOU, XIAMEN, JILIN, HEFEI])
def test_who_is_told_of_a_floor_not_reached_and_of_what_it_is_a_share_are_open_questions(region: str) -> None:
    asked = [question for pack in LIBRARY.pack_for(region, ON) for question in pack.pack.open_questions]
    assert {question.by for question in asked} == {By.PRODUCT}
    words = [question.word for question in asked]
    assert any("保费总额" in word for word in words)
    assert any("告知谁" in word for word in words)


@pytest.mark.obligation("XM-20", "XM-21")
def test_xiamen_itself_names_the_conditions_of_its_paths_whatever_the_nation_asks() -> None:
    facts = {rule.path: set(rule.facts) for rule in own(XIAMEN).pack.paths}
    assert facts == {
        ClaimPath.SMALL_FAST: {PathFact.FACTS_TRUE, PathFact.LIABILITY_CLEAR, PathFact.WITHIN_THRESHOLD},
        ClaimPath.LARGE_PREPAY: {PathFact.SERIOUS_GRADE, PathFact.LIABILITY_CLEAR},
        ClaimPath.EMERGENCY_ADVANCE: set(),
    }


@pytest.mark.obligation("XM-40")
def test_a_district_of_xiamen_is_asked_before_the_city() -> None:
    """Each district answers for its own area (三(八)): its own bureau, where one is registered, comes first."""
    district = "350213"
    rulebook = policy(Who(district, Sector.HOUSING_CONSTRUCTION))
    found = departments(rulebook, Role.INDUSTRY, district, Sector.HOUSING_CONSTRUCTION)
    assert found[:2] == ((district, "市建设局"), (XIAMEN, "市建设局"))


def test_a_reading_of_ours_is_not_told_as_xiamens_own_words() -> None:
    """Zhejiang says that nothing is set aside (不得预提); Xiamen only that actual cost is booked (据实列支)."""
    assert [policy(Who(region)).fees[0].cites.by for region in (ZHEJIANG, XIAMEN)] == [By.LAW, By.PRODUCT]
