"""A case on the real engine takes a newer document: once, on record, and its alarms ring at the new instants alone."""

from datetime import timedelta

from models.contracts.case import AdoptRules
from models.contracts.vocabulary import Event
from tests.domain.lives import OPERATOR, rules
from tests.domain.test_new_rules import NEWER, newer
from tests.runtime.waiting import until
from tests.workflows.cases import Office, Opened


def adopting(policy: Opened, days: int) -> AdoptRules:
    book = rules(policy.command.terms).rulebook
    return AdoptRules(
        rulebook=newer(book, service_completion=days), instead_of=book.packs, reason="省厅要求在办保单一并执行"
    )


async def test_the_alarms_follow_and_the_same_command_again_is_no_second_step(office: Office) -> None:
    policy = await office.opened()
    await policy.pass_days(20)
    before = {one.key: one.due_at for one in policy.view.duties}["service_completion"]
    first = await policy.act("adopt_rules", adopting(policy, 90), "adopt-1", OPERATOR)
    seqs = policy.seqs
    assert await policy.act("adopt_rules", adopting(policy, 90), "adopt-1", OPERATOR) == first
    assert policy.seqs == seqs
    due_at = {one.key: one.due_at for one in first.duties}["service_completion"]
    assert due_at
    assert before
    assert due_at >= before + timedelta(days=40)
    assert NEWER in first.packs
    assert policy.steps[-1].row.packs == first.packs
    await policy.pass_days(80)
    await until(lambda: any(moment.startswith("due@") for moment in policy.told("service_completion")))
    told = [moment.partition("@")[0] for moment in policy.told("service_completion")]
    assert told == ["rules", "-3d", "due", "due", "+7d"], "the old day came and nobody was called late"
    for step in policy.steps[1:]:
        assert all(timedelta(0) <= step.at - notice.at < timedelta(seconds=5) for notice in step.notices)


async def test_what_the_ledger_knows_of_it_is_enough_to_take_it_again(office: Office) -> None:
    """The command stands in the journal with its whole rulebook: a run that lost the step decides it the same way."""
    policy = await office.opened()
    await policy.act("adopt_rules", adopting(policy, 90), actor=OPERATOR)
    step = policy.steps[-1]
    assert step.cause.body["name"] == "AdoptRules"
    again = AdoptRules.model_validate(step.cause.body["command"])
    assert again.rulebook == adopting(policy, 90).rulebook
    assert step.happened[0].event is Event.RULES_ADOPTED
