"""A minute of the nemesis: whatever dies when, the invariants hold; the long run is `make nemesis`."""

import pytest

from tests.faults.conftest import Measured
from tests.faults.history import Outcome
from tests.faults.nemesis import Plan, run


@pytest.mark.long
@pytest.mark.fault("nemesis")
async def test_after_a_minute_of_random_faults_every_invariant_holds(measured: Measured) -> None:
    story = await run(Plan(seconds=60, seed=60))
    measured("faults:", story.faults.total())
    measured("lives and claims led to their end:", story.lives + story.claims)
    measured("seconds until everything had settled:", story.settled_after)
    assert story.broken == []
    assert story.lives > 0
    assert story.claims > 0
    assert story.history.count(Outcome.INFO) == 0
