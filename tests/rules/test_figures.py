"""Figures, triggers and recipients of the notices, written down once more by hand, against what a case there obeys."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest

from domain.routing import departments
from models.contracts.duty import Duty
from models.contracts.rulebook import Rulebook, RulesFor
from models.contracts.vocabulary import (
    By,
    CaseKind,
    Event,
    HazardGrade,
    PolicyField,
    PolicyKind,
    RateBase,
    Role,
    Sector,
    Size,
    SpendPurpose,
    SurrenderReason,
    TermUnit,
)
from rules.library import Library

LIBRARY = Library()
SUZHOU, XIAMEN, ZHEJIANG, JILIN, HEFEI, BEIJING = "341300", "350200", "330100", "220100", "340100", "110000"
PLACES = (SUZHOU, XIAMEN, ZHEJIANG, JILIN, HEFEI, BEIJING)
ON = date(2026, 1, 5)


@dataclass(frozen=True)
class Who:
    """One line of the table: a place, a sector and a size."""

    region: str
    sector: Sector = Sector.HAZARDOUS_CHEMICALS
    size: Size = Size.MEDIUM
    on: date = ON
    out_of_area: bool = False
    kind: PolicyKind = PolicyKind.ANNUAL


def policy(who: Who) -> Rulebook:
    return _resolve(who, CaseKind.POLICY, None)


def hazard(who: Who, grade: HazardGrade = HazardGrade.MAJOR) -> Rulebook:
    return _resolve(who, CaseKind.HAZARD, grade)


def _resolve(who: Who, case: CaseKind, grade: HazardGrade | None) -> Rulebook:
    asked = RulesFor(region=who.region, sector=who.sector, size=who.size, on=who.on, case=case, grade=grade,
                     out_of_area=who.out_of_area, kind=who.kind)  # fmt: skip
    return LIBRARY.resolve(asked).rulebook


def duty(rulebook: Rulebook, ident: str) -> Duty:
    return next(bound.duty for bound in rulebook.duties if bound.duty.id == ident)


def ids(rulebook: Rulebook) -> set[str]:
    return {bound.duty.id for bound in rulebook.duties}


def told(rule: Duty) -> dict[str, set[Role]]:
    return {rung.at: set(rung.tell) for rung in rule.ladder}


@pytest.mark.obligation("SZ-27a", "XM-30", "JL-18", "AH-05a")
@pytest.mark.parametrize(
    ("region", "floor", "clause"),
    [(SUZHOU, "0.12", "二(六)"), (XIAMEN, "0.20", "二(七)"), (JILIN, "0.10", "三(三)"), (HEFEI, "0.10", "二 第一")],
)
def test_the_prevention_fee_has_the_floor_its_place_demands(region: str, floor: str, clause: str) -> None:
    bound = policy(Who(region)).rates["prevention_spend_floor"]
    assert (bound.rate.amount, bound.rate.base) == (Decimal(floor), RateBase.PREMIUM_TOTAL)
    assert (bound.cites.clause, bound.cites.by) == (clause, By.LAW)


def test_where_no_share_is_written_none_is_invented() -> None:
    for region in (ZHEJIANG, BEIJING):
        assert policy(Who(region)).rates == {}


def test_suzhou_speaks_instead_of_anhui_because_its_floor_is_higher() -> None:
    bound = policy(Who(SUZHOU)).rates["prevention_spend_floor"]
    assert bound.cites.region == SUZHOU
    assert "安徽" in bound.because


@pytest.mark.obligation("SZ-20", "SZ-21a", "SZ-21b", "SZ-21c", "SZ-A6")
@pytest.mark.parametrize("size", list(Size))
@pytest.mark.parametrize(
    ("ident", "days", "met_by"),
    [
        ("policy_upload", 7, Event.POLICY_UPLOADED),
        ("provider_naming", 45, Event.PROVIDER_NAMED),
        ("plan_filing", 45, Event.PLAN_FILED),
        ("service_completion", 45, Event.SERVICE_COMPLETED),
    ],
)
def test_suzhou_counts_its_days_from_signing_for_insured_of_every_size(
    ident: str, days: int, met_by: Event, size: Size
) -> None:
    rule = duty(policy(Who(SUZHOU, size=size)), ident)
    assert (rule.within.amount, rule.within.unit) == (days, TermUnit.NATURAL_DAY)
    assert (rule.anchor, rule.met_by) == ((Event.POLICY_SIGNED,), (met_by,))
    assert (rule.clause, rule.by.within, rule.by.on_holiday) == ("二(五)", By.LAW, By.PRODUCT)


@pytest.mark.obligation("SZ-A2")
@pytest.mark.parametrize(
    ("size", "applies"), [(Size.LARGE, True), (Size.MEDIUM, True), (Size.SMALL, False), (Size.MICRO, False)]
)
def test_the_first_service_clock_runs_from_effect_and_only_for_medium_and_larger(size: Size, applies: bool) -> None:
    rulebook = policy(Who(SUZHOU, size=size))
    assert ("first_service" in ids(rulebook)) is applies
    if applies:
        rule = duty(rulebook, "first_service")
        assert (rule.within.amount, rule.anchor) == (45, (Event.POLICY_EFFECTIVE,))
        assert rule.excusable
        assert rule.ladder == ()


def test_no_other_place_has_the_days_of_suzhou() -> None:
    for region in (XIAMEN, ZHEJIANG, JILIN, HEFEI, BEIJING):
        assert not {"policy_upload", "provider_naming", "service_completion", "first_service"} & ids(
            policy(Who(region))
        )


@pytest.mark.obligation("SZ-20", "SZ-21c")
@pytest.mark.parametrize("ident", ["policy_upload", "service_completion"])
def test_a_missed_duty_of_the_insurer_goes_to_emergency_when_due_and_to_the_regulator_a_week_later(ident: str) -> None:
    rungs = told(duty(policy(Who(SUZHOU)), ident))
    assert rungs["due"] == {Role.INSURER, Role.EMERGENCY}
    assert rungs["+7d"] == {Role.FINANCIAL}


def test_provider_and_plan_remind_the_insurer_only_so_that_nobody_is_told_twice() -> None:
    rulebook = policy(Who(SUZHOU))
    assert told(duty(rulebook, "provider_naming")) == {"-35d": {Role.INSURER}}
    assert told(duty(rulebook, "plan_filing")) == {"-30d": {Role.INSURER}}


@pytest.mark.obligation("SZ-26a", "XM-28a", "ZJ-27", "JL-17b")
@pytest.mark.parametrize(
    ("region", "anchors", "roles"),
    [
        (ZHEJIANG, {Event.HAZARD_FOUND}, {Role.INDUSTRY}),
        (XIAMEN, {Event.RECTIFICATION_REFUSED}, {Role.INDUSTRY}),
        (SUZHOU, {Event.RECTIFICATION_REFUSED, Event.RECTIFICATION_OVERDUE}, {Role.INDUSTRY}),
        (JILIN, {Event.RECTIFICATION_REFUSED}, {Role.EMERGENCY, Role.INDUSTRY}),
    ],
)
def test_a_major_hazard_is_reported_on_the_trigger_and_to_the_departments_of_its_place(
    region: str, anchors: set[Event], roles: set[Role]
) -> None:
    rule = duty(hazard(Who(region)), "major_hazard_report")
    assert set(rule.anchor) == anchors
    assert told(rule) == {"open": roles}
    assert rule.by.within is By.PRODUCT
    assert "major_hazard_report" not in ids(hazard(Who(region), HazardGrade.ORDINARY))


def test_where_the_notice_is_silent_about_major_hazards_there_is_no_report() -> None:
    for region in (HEFEI, BEIJING):
        assert not {"major_hazard_report", "major_hazard_report_national"} & ids(hazard(Who(region)))


@pytest.mark.obligation("SZ-26b")
@pytest.mark.parametrize("region", [SUZHOU, XIAMEN, ZHEJIANG, JILIN])
def test_a_department_that_does_not_answer_is_asked_again_and_then_a_person_looks(region: str) -> None:
    rule = duty(hazard(Who(region)), "department_answer")
    assert (rule.anchor, rule.met_by) == ((Event.HAZARD_REPORTED,), (Event.HAZARD_ANSWERED,))
    assert (rule.within.amount, rule.within.unit, rule.by.within) == (7, TermUnit.NATURAL_DAY, By.PRODUCT)
    assert rule.ladder[0].repeat is not None
    assert Role.HUMAN_QUEUE in rule.ladder[-1].tell


@pytest.mark.obligation("SZ-24b", "SZ-25a", "SZ-25b", "XM-27b", "ZJ-34b", "JL-16b")
@pytest.mark.parametrize("region", PLACES)
def test_days_of_hazard_duties_are_our_choice_everywhere_and_say_so(region: str) -> None:
    rulebook = hazard(Who(region), HazardGrade.ORDINARY)
    rectification, recheck = duty(rulebook, "rectification"), duty(rulebook, "recheck")
    assert duty(rulebook, "hazard_notice").within.amount == 3
    assert (rectification.within.amount, rectification.given_by) == (15, "due")
    assert (recheck.within.amount, recheck.anchor) == (7, (Event.RECTIFICATION_CLAIMED,))
    assert {duty(rulebook, ident).by.within for ident in ("hazard_notice", "rectification", "recheck")} == {By.PRODUCT}
    assert told(rectification) == {"-3d": {Role.INSURED}, "due": {Role.INSURED, Role.INSURER}}


@pytest.mark.obligation("JL-20")
@pytest.mark.parametrize(
    ("sector", "size", "applies"),
    [
        (Sector.HAZARDOUS_CHEMICALS, Size.LARGE, True),
        (Sector.COAL_MINING, Size.MEDIUM, True),
        (Sector.HAZARDOUS_CHEMICALS, Size.SMALL, False),
        (Sector.OTHER, Size.LARGE, False),
    ],
)
def test_jilin_wants_one_assessment_or_inspection_a_year_for_larger_high_risk_insured(
    sector: Sector, size: Size, applies: bool
) -> None:
    rulebook = policy(Who(JILIN, sector, size))
    assert ("yearly_service" in ids(rulebook)) is applies
    assert ("service_in_year" in ids(rulebook)) is not applies
    if applies:
        rule = duty(rulebook, "yearly_service")
        assert (rule.within.amount, rule.within.unit) == (1, TermUnit.YEAR)
        assert (rule.met_by, rule.by.within) == ((Event.QUALIFIED_SERVICE_DONE,), By.LAW)


@pytest.mark.obligation("XM-25b", "JL-06a")
@pytest.mark.parametrize("region", PLACES)
def test_the_number_of_services_a_year_comes_from_the_contract_and_says_so(region: str) -> None:
    rule = duty(policy(Who(region)), "contract_services")
    assert (rule.anchor, rule.met_by) == ((Event.CONTRACT_YEAR_STARTED,), (Event.CONTRACT_SERVICES_DONE,))
    assert rule.by.within is By.CONTRACT


@pytest.mark.obligation("XM-14", "ZJ-31a", "XM-13")
@pytest.mark.parametrize(
    ("region", "to_industry"), [(XIAMEN, True), (ZHEJIANG, True), (SUZHOU, False), (JILIN, False), (HEFEI, False)]
)
def test_a_lapse_is_told_to_the_sector_department_only_where_late_renewal_is_forbidden(
    region: str, to_industry: bool
) -> None:
    rule = duty(policy(Who(region)), "renewal")
    assert [rung.at for rung in rule.ladder] == ["-30d", "-15d", "-7d", "due"]
    assert (Role.INDUSTRY in rule.ladder[-1].tell) is to_industry
    assert rule.owed_by is Role.INSURED


@pytest.mark.obligation("XM-14", "ZJ-31b")
def test_surrender_is_limited_where_the_notice_limits_it() -> None:
    reasons = {region: policy(Who(region)).surrender for region in PLACES}
    assert set(reasons[XIAMEN][0].surrender.lawful_reasons) == {
        SurrenderReason.CLOSED_BY_LAW,
        SurrenderReason.FULLY_STOPPED,
    }
    assert reasons[XIAMEN][0].cites.by is By.LAW
    assert SurrenderReason.OTHER not in reasons[ZHEJIANG][0].surrender.lawful_reasons
    assert reasons[ZHEJIANG][0].cites.by is By.PRODUCT
    assert [reasons[region] for region in (SUZHOU, JILIN, HEFEI, BEIJING)] == [()] * 4


@pytest.mark.obligation("ZJ-25", "XM-30", "XM-31", "SZ-28a", "AH-05b", "AH-05c", "JL-18")
@pytest.mark.parametrize(
    ("region", "allowed"), [(ZHEJIANG, False), (XIAMEN, False), (SUZHOU, True), (JILIN, True), (HEFEI, True)]
)
def test_a_sum_may_be_set_aside_only_where_the_notice_speaks_of_it(region: str, allowed: bool) -> None:
    assert {bound.fees.provision_allowed for bound in policy(Who(region)).fees} == {allowed}


@pytest.mark.obligation("XM-31")
def test_the_five_purposes_xiamen_names_are_an_open_list_and_each_has_its_word() -> None:
    named = ("宣传教育培训", "风险管控", "隐患排查治理", "安全奖励", "安全生产科技推广")
    assert set(named) <= {purpose.label for purpose in SpendPurpose}
    assert policy(Who(XIAMEN)).fees[0].fees.purposes == ()


@pytest.mark.obligation("XM-09", "XM-16a", "ZJ-33", "JL-06b")
@pytest.mark.parametrize(
    ("region", "fields"),
    [
        (XIAMEN, {PolicyField.LIMIT_PER_PERSON, PolicyField.ALL_EMPLOYEES}),
        (ZHEJIANG, {PolicyField.ALL_EMPLOYEES}),
        (JILIN, {PolicyField.SERVICE_ITEMS, PolicyField.SERVICE_FREQUENCY}),
        (SUZHOU, set()),
        (HEFEI, set()),
    ],
)
def test_a_contract_states_what_its_place_requires(region: str, fields: set[PolicyField]) -> None:
    assert {bound.required.field for bound in policy(Who(region)).required_fields} == fields


@pytest.mark.obligation("SZ-10b")
def test_insuring_outside_suzhou_needs_a_filing_with_the_sector_department() -> None:
    outside, inside = policy(Who(SUZHOU, out_of_area=True)), policy(Who(SUZHOU))
    filing = duty(outside, "out_of_area_filing")
    assert Role.INDUSTRY in filing.ladder[-1].tell
    assert (filing.within.amount, filing.by.within, filing.by.met_by) == (7, By.PRODUCT, By.LAW)
    assert "out_of_area_filing" not in ids(inside)
    assert Event.OUT_OF_AREA_FILED in {bound.gate.needs for bound in outside.gates}
    assert Event.OUT_OF_AREA_FILED not in {bound.gate.needs for bound in inside.gates}


@pytest.mark.obligation("SZ-04", "SZ-19", "SZ-23", "SZ-25b", "AH-06a", "AH-06b", "AH-07a", "JL-06c")
def test_steps_of_the_service_come_in_the_order_of_the_notices() -> None:
    def pairs(rulebook: Rulebook) -> set[tuple[Event, Event]]:
        return {(bound.gate.before, bound.gate.needs) for bound in rulebook.gates}

    scheme = duty(policy(Who(HEFEI)), "plan_filing")
    assert (scheme.within.amount, scheme.by.within, scheme.by.met_by) == (45, By.PRODUCT, By.LAW)
    anhui = {(Event.SERVICE_COMPLETED, Event.PLAN_FILED), (Event.SERVICE_COMPLETED, Event.VISIT_RECORDED)}
    assert anhui <= pairs(policy(Who(HEFEI)))
    agreed = {(Event.PLAN_FILED, Event.PROVIDER_NAMED), (Event.SERVICE_COMPLETED, Event.PLAN_CONFIRMED)}
    assert anhui | agreed <= pairs(policy(Who(SUZHOU)))
    assert (Event.SERVICE_COMPLETED, Event.PLAN_FILED) in pairs(policy(Who(JILIN)))
    closing = next(one for one in hazard(Who(SUZHOU)).gates if one.gate.before is Event.HAZARD_CLOSED)
    assert (closing.gate.needs, closing.cites.by) == (Event.RECHECK_PASSED, By.LAW)


ROUTES = [
    (XIAMEN, "市应急局", ("non_coal_mining", "hazardous_chemicals", "fireworks", "metal_smelting")),
    (XIAMEN, "市交通局", ("road_transport", "urban_rail")),
    (XIAMEN, "市建设局", ("housing_construction", "municipal_construction")),
    (XIAMEN, "市海洋局", ("fishery",)),
    (XIAMEN, "市港口局", ("waterway_transport",)),
    (XIAMEN, "", ("civil_explosives", "coal_mining", "transport_construction", "water_works_construction", "other")),
    (SUZHOU, "住建局", ("housing_construction", "municipal_construction")),
    (SUZHOU, "交通运输局", ("road_transport", "urban_rail", "transport_construction")),
    (SUZHOU, "水利局", ("water_works_construction",)),
    (SUZHOU, "经信局", ("civil_explosives",)),
    (SUZHOU, "农业农村局", ("fishery",)),
    (SUZHOU, "应急管理局", ("hazardous_chemicals", "non_coal_mining", "coal_mining", "waterway_transport", "other")),
    (ZHEJIANG, "应急管理局", ("non_coal_mining", "hazardous_chemicals", "fireworks", "metal_smelting")),
    (ZHEJIANG, "交通运输局", ("road_transport", "urban_rail", "waterway_transport", "transport_construction")),
    (ZHEJIANG, "建设局", ("housing_construction", "municipal_construction")),
    (ZHEJIANG, "国防科工主管部门", ("civil_explosives",)),
    (ZHEJIANG, "农业农村局（渔业主管局）", ("fishery",)),
    (ZHEJIANG, "", ("coal_mining", "water_works_construction", "other")),
    (JILIN, "应急管理局", ("non_coal_mining",)),
    (JILIN, "", ("hazardous_chemicals", "coal_mining", "housing_construction", "civil_explosives", "other")),
    (HEFEI, "应急管理局", ("non_coal_mining", "hazardous_chemicals", "fireworks", "metal_smelting")),
    (HEFEI, "", ("road_transport", "housing_construction", "fishery")),
]


@pytest.mark.obligation(
    "XM-33", "XM-34", "XM-35", "XM-36", "XM-37", "XM-38", "XM-41", "SZ-36", "ZJ-02", "JL-02", "JL-03a", "AH-01"
)
@pytest.mark.parametrize(
    ("region", "department", "sector"), [(place, name, Sector(one)) for place, name, many in ROUTES for one in many]
)
def test_a_sector_reaches_the_department_its_notice_names_or_else_a_person(
    region: str, department: str, sector: Sector
) -> None:
    found = departments(policy(Who(region, sector)), Role.INDUSTRY, region, sector)
    assert (found[0] if found else ("", "")) == ((region, department) if department else ("", ""))


@pytest.mark.obligation("SZ-35", "SZ-37", "XM-39", "ZJ-09", "ZJ-18", "JL-04", "AH-09")
@pytest.mark.parametrize(
    ("region", "emergency", "financial"),
    [
        (SUZHOU, "应急管理局", "国家金融监督管理总局宿州监管分局"),
        (XIAMEN, "市应急局", "厦门银保监局"),
        (ZHEJIANG, "应急管理局", "银保监分局"),
        (JILIN, "应急管理局", "银保监分局"),
        (HEFEI, "应急管理局", "银保监分局"),
    ],
)
def test_overall_supervision_and_the_regulator_are_known_in_every_place(
    region: str, emergency: str, financial: str
) -> None:
    rulebook = policy(Who(region))
    names = [departments(rulebook, role, region, Sector.FIREWORKS)[0][1] for role in (Role.EMERGENCY, Role.FINANCIAL)]
    assert names == [emergency, financial]


@pytest.mark.obligation("SZ-40")
@pytest.mark.parametrize(
    ("region", "day"),
    [
        (SUZHOU, date(2024, 1, 1)),
        (XIAMEN, date(2022, 5, 31)),
        (ZHEJIANG, date(2022, 10, 18)),
        (JILIN, date(2020, 10, 27)),
        (HEFEI, date(2023, 5, 18)),
    ],
)
def test_a_notice_binds_policies_signed_from_its_day_on(region: str, day: date) -> None:
    def numbers(on: date) -> list[str]:
        return [pack.pack.instrument.number for pack in LIBRARY.pack_for(region, on)]

    assert len(numbers(day)) == len(numbers(date.fromordinal(day.toordinal() - 1))) + 1


def test_what_is_known_only_at_second_hand_is_written_down_with_its_source_and_switched_off() -> None:
    nation = next(one.pack for one in LIBRARY.pack_for(BEIJING, ON) if one.pack.instrument.number.startswith("应急"))
    unsure = [*nation.rates.values(), *(one for one in nation.duties if one.source)]
    assert {str(rate.amount) for rate in nation.rates.values()} == {"0.21", "0.05", "400000"}
    assert all(not one.enabled and one.source for one in unsure)


def test_every_entry_that_is_law_names_a_clause_and_every_pack_lists_its_open_questions() -> None:
    for loaded in LIBRARY.packs():
        assert loaded.pack.open_questions
        assert all(one.clause for one in (*loaded.pack.duties, *loaded.pack.gates, *loaded.pack.routes))
