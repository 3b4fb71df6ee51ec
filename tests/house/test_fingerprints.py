"""A change in the order of a workflow's commands is noticed before it meets a case that is open."""

from tests.house.fingerprint import fingerprints, kept, takes

PATCH = """
The order of commands in workflows/ has changed: {changed}.
A case that began under the old order replays its history under the new one, and stops where they differ. Either
* guard the change: `if workflow.patched("what-changed"):` new order, `else:` old order (in workflows/case.py only);
  remove the old branch when no case from before is open, with `workflow.deprecate_patch("what-changed")`; or
* show that no open case can reach it: the histories in tests/workflows/histories still replay, and none of them stands
  before the change.
Then keep the new order: python -m tests.house.fingerprint
"""


def test_the_order_of_commands_is_the_one_that_was_kept() -> None:
    now, then = fingerprints(), kept()
    changed = sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name))
    assert not changed, PATCH.format(changed=", ".join(changed))


def test_every_update_does_nothing_but_act() -> None:
    """So that the order of its commands is the loop's; an approval reserves first, in workflows/till.py."""
    now = fingerprints()
    takers = takes()
    assert len(takers) > 20
    other = {name: now[name] for name in takers if now[name] != ["act"]}
    assert other == {"claim.ClaimWorkflow.approve_payment": ["approve"]}
