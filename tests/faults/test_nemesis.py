"""A minute of the nemesis: whatever dies when, the invariants hold; the long run is `make nemesis`."""

import pytest

from tests.faults.conftest import Measured
from tests.faults.nemesis import Plan, run


@pytest.mark.timeout(900)
@pytest.mark.slow_fault
@pytest.mark.fault("nemesis")
async def test_after_a_minute_of_random_faults_every_invariant_holds(measured: Measured) -> None:
    story = await run(Plan(seconds=60, seed=60))
    measured("faults:", story.faults.total())
    measured("lives and claims led to their end:", story.lives + story.claims)
    assert story.broken == []
    assert story.lives + story.claims > 0
