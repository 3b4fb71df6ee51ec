"""Which departments a role becomes: most specific first, upward, and the human queue where nobody is named."""

import pytest

from domain.routing import departments
from models.contracts.pack import Route
from models.contracts.rulebook import BoundRoute, Rulebook
from models.contracts.vocabulary import By, Role, Sector, Size

XIAMEN, DISTRICT, PROVINCE, NATION = "350200", "350203", "350000", "000000"
CHEMICALS, FISHERY = Sector.HAZARDOUS_CHEMICALS, Sector.FISHERY


def route(region: str, role: Role, department: str, *sectors: Sector) -> BoundRoute:
    return BoundRoute(
        region=region, route=Route(role=role, sectors=sectors, department=department, clause="三", by=By.LAW)
    )


def rulebook(*routes: BoundRoute) -> Rulebook:
    return Rulebook(packs=(), region=DISTRICT, sector=CHEMICALS, size=Size.MEDIUM, routes=routes)


def test_the_district_is_asked_before_the_city_and_the_city_before_the_province() -> None:
    book = rulebook(route(XIAMEN, Role.EMERGENCY, "市应急局"), route(NATION, Role.EMERGENCY, "应急管理部门"))
    assert departments(book, Role.EMERGENCY, DISTRICT, CHEMICALS) == (
        (DISTRICT, "市应急局"),
        (DISTRICT, "应急管理部门"),
        (XIAMEN, "市应急局"),
        (XIAMEN, "应急管理部门"),
        (PROVINCE, "应急管理部门"),
        (NATION, "应急管理部门"),
    )


def test_a_name_given_by_the_city_is_not_looked_for_in_the_province() -> None:
    book = rulebook(route(XIAMEN, Role.EMERGENCY, "市应急局"))
    assert departments(book, Role.EMERGENCY, XIAMEN, CHEMICALS) == ((XIAMEN, "市应急局"),)


@pytest.mark.obligation("XM-33", "XM-36")
def test_a_sector_finds_its_own_department() -> None:
    book = rulebook(
        route(XIAMEN, Role.INDUSTRY, "市应急局", CHEMICALS), route(XIAMEN, Role.INDUSTRY, "市海洋局", FISHERY)
    )
    assert departments(book, Role.INDUSTRY, XIAMEN, CHEMICALS) == ((XIAMEN, "市应急局"),)
    assert departments(book, Role.INDUSTRY, XIAMEN, FISHERY) == ((XIAMEN, "市海洋局"),)


def test_a_named_sector_comes_before_a_route_for_all_whatever_their_order() -> None:
    book = rulebook(route(XIAMEN, Role.INDUSTRY, "human_queue"), route(XIAMEN, Role.INDUSTRY, "市应急局", CHEMICALS))
    assert departments(book, Role.INDUSTRY, XIAMEN, CHEMICALS) == ((XIAMEN, "市应急局"),)


@pytest.mark.obligation("XM-38", "XM-41")
def test_a_route_that_names_nobody_ends_the_search_in_the_human_queue() -> None:
    book = rulebook(
        route(XIAMEN, Role.INDUSTRY, "human_queue", Sector.CIVIL_EXPLOSIVES), route(PROVINCE, Role.INDUSTRY, "省工信厅")
    )
    assert departments(book, Role.INDUSTRY, XIAMEN, Sector.CIVIL_EXPLOSIVES) == ()
    assert departments(book, Role.INDUSTRY, XIAMEN, CHEMICALS)[0] == (XIAMEN, "省工信厅")


def test_a_level_above_that_names_nobody_leaves_what_was_found_below() -> None:
    book = rulebook(route(XIAMEN, Role.INDUSTRY, "市应急局"), route(NATION, Role.INDUSTRY, "human_queue"))
    assert departments(book, Role.INDUSTRY, XIAMEN, CHEMICALS) == ((XIAMEN, "市应急局"),)


def test_no_route_at_all_is_the_human_queue() -> None:
    assert departments(rulebook(), Role.FINANCIAL, XIAMEN, CHEMICALS) == ()


@pytest.mark.parametrize("role", [Role.INSURER, Role.INSURED, Role.PROVIDER, Role.BROKER, Role.HUMAN_QUEUE])
def test_parties_of_the_policy_are_no_departments(role: Role) -> None:
    assert departments(rulebook(route(XIAMEN, role, "某局")), role, XIAMEN, CHEMICALS) == ()
