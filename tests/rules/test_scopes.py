"""Who must insure, and what is one and the same for a whole city: notices read once more by hand, against the packs."""

from itertools import product

import pytest

from domain.routing import departments
from models.contracts.rulebook import RulesFor
from models.contracts.vocabulary import Role, Sector, Size
from rules.library import LoadedPack
from tests.rules.test_figures import JILIN, LIBRARY, ON, SUZHOU, XIAMEN, Who, hazard, policy

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
