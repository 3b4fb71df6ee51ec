"""Which policy is not entered: dates without sense, and what its place requires of a contract, at signing and after."""

from collections.abc import Callable
from datetime import date

from domain.calendar import local_date
from domain.policy.transitions import ENTERABLE
from domain.wording import by_line, day
from models.contracts.policy import EndorsePolicy, OpenPolicy
from models.contracts.policy_terms import Terms
from models.contracts.rulebook import BoundField, Rulebook, RulesFor
from models.contracts.step import Refusal
from models.contracts.vocabulary import CaseKind, Event, PolicyField

HAS: dict[PolicyField, Callable[[Terms], bool]] = {
    PolicyField.LIMIT_PER_PERSON: lambda terms: terms.limit_per_person is not None,
    PolicyField.SERVICE_ITEMS: lambda terms: bool(terms.service_items),
    PolicyField.SERVICE_FREQUENCY: lambda terms: terms.services_per_year is not None,
    PolicyField.ALL_EMPLOYEES: lambda terms: terms.insured_headcount >= terms.headcount,
    PolicyField.FILED_CLAUSE: lambda terms: terms.filed_clause is not None,
    PolicyField.OUT_OF_AREA_FILING: lambda terms: terms.out_of_area_filing is not None,
}


def rules_for(terms: Terms) -> RulesFor:
    """The question that pins a policy's rules: what was in force in its place on the day of signing."""
    return RulesFor(
        region=terms.region,
        sector=terms.sector,
        size=terms.size,
        on=local_date(terms.signed_at),
        case=CaseKind.POLICY,
        out_of_area=terms.out_of_area,
        kind=terms.kind,
    )


def refuse_opening(rulebook: Rulebook, command: OpenPolicy, today: date) -> Refusal | None:
    """Dates that make no sense, facts that cannot be entered, and what the place requires of a contract."""
    return _opening_dates(command, today) or _required(rulebook, command.terms) or _limit_floor(rulebook, command.terms)


def _opening_dates(command: OpenPolicy, today: date) -> Refusal | None:
    signed = local_date(command.terms.signed_at)
    if signed > today:
        return Refusal(code="signed_in_future", says=f"签署日 {day(signed)} 晚于今天", status=422)
    if command.terms.expires_on < today:
        return Refusal(
            code="already_expired", says=f"保险期间已于 {day(command.terms.expires_on)} 届满，不再建档", status=422
        )
    for fact in command.facts:
        if fact.event not in ENTERABLE:
            return Refusal(code="fact_not_enterable", says=f"“{fact.event.label}”不能作为既往事实补录", status=422)
        if not signed <= fact.on <= today:
            return Refusal(code="date_out_of_range", says=f"“{fact.event.label}”的日期须在签署日与今天之间", status=422)
        if fact.event is Event.FIRST_SERVICE_DONE and fact.on < command.terms.effective_on:
            return Refusal(
                code="date_out_of_range", says="生效日之前的服务不是合同生效后的首次服务，请改填“记录服务”", status=422
            )
    return None


def _required(rulebook: Rulebook, terms: Terms) -> Refusal | None:
    for bound in rulebook.required_fields:
        if not HAS[bound.required.field](terms):
            return _missing(bound, terms)
    return None


def _missing(bound: BoundField, terms: Terms) -> Refusal:
    """Whom a contract must cover is no field of it that is missing: there are too few of them."""
    says = f"缺少“{bound.required.field.label}”，当地规定须在保险合同中明确"
    if bound.required.field is PolicyField.ALL_EMPLOYEES:
        says = f"投保人数 {terms.insured_headcount} 少于从业人数 {terms.headcount}，当地规定须覆盖全体从业人员"
    return Refusal(
        code="required_field_missing",
        says=says,
        clause=by_line(bound.cites),
        status=422,
    )


def _limit_floor(rulebook: Rulebook, terms: Terms) -> Refusal | None:
    floor = rulebook.rates.get("limit_per_person_floor")
    if floor is None or terms.limit_per_person is None or terms.limit_per_person >= floor.rate.amount:
        return None
    return Refusal(
        code="limit_below_floor",
        says=f"每人责任限额低于 {floor.rate.value} 元",
        clause=by_line(floor.cites),
        status=422,
    )


def refuse_uncovered(rulebook: Rulebook, terms: Terms, command: EndorsePolicy) -> Refusal | None:
    """Whom a contract must cover at its signing, it must cover after an endorsement of these numbers (422)."""
    numbers = command.model_dump(include={"headcount", "insured_headcount"}, exclude_none=True)
    after = terms.model_copy(update=numbers)
    for bound in rulebook.required_fields if numbers else ():
        if bound.required.field is PolicyField.ALL_EMPLOYEES and not HAS[bound.required.field](after):
            return _missing(bound, after)
    return None
