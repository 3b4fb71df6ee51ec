"""Two builds of the workers side by side: a life stays with its own, and moves on when it continues as new."""

from dataclasses import replace

from temporalio.api.enums.v1 import RoutingConfigUpdateState
from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError

from runtime.settings import Settings
from runtime.worker import deployment
from tests.domain.test_policy_refusals import PLAN, PROVIDER, UPLOAD
from tests.runtime.waiting import until
from tests.workflows.cases import Office, Opened


async def made_current(client: Client, office: Office) -> None:
    """From now on what begins, or continues as new, begins with this office's build."""
    config = office.deployment
    assert config is not None

    async def done() -> bool:
        asked = SetWorkerDeploymentCurrentVersionRequest(
            namespace=client.namespace,
            deployment_name=config.version.deployment_name,
            build_id=config.version.build_id,
            ignore_missing_task_queues=True,
        )
        try:
            await client.workflow_service.set_worker_deployment_current_version(asked)
        except RPCError:  # its worker has not been seen yet
            return False
        return True

    await until(done)
    asked = DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=config.version.deployment_name)

    async def is_known_to_every_queue() -> bool:
        info = (await client.workflow_service.describe_worker_deployment(asked)).worker_deployment_info
        assert info.routing_config.current_deployment_version.build_id == config.version.build_id
        return info.routing_config_update_state != RoutingConfigUpdateState.ROUTING_CONFIG_UPDATE_STATE_IN_PROGRESS

    await until(is_known_to_every_queue)


async def build_of(policy: Opened) -> str:
    """The build the latest run's latest task was done by."""
    described = await policy.handle.describe()
    return described.raw_description.workflow_execution_info.versioning_info.deployment_version.build_id


def build(office: Office, name: str) -> Office:
    settings = Settings(deployment=f"anze-{office.task_queue}", build_id=name)
    return replace(office, deployment=deployment(settings))


async def test_a_life_stays_with_its_build_and_moves_on_when_it_continues_as_new(
    temporal: Client, task_queue: str
) -> None:
    queue = Office(temporal, task_queue)
    old, new = build(queue, "one"), build(queue, "two")
    async with old.worker(), new.worker():
        await made_current(temporal, old)
        policy = await old.opened()
        await policy.act("upload", UPLOAD)
        assert await build_of(policy) == "one"
        first = (await policy.handle.describe()).run_id

        await made_current(temporal, new)
        other = await new.opened()
        assert await build_of(other) == "two"

        await policy.act("name_provider", PROVIDER)  # answered by the build it began under, which then lets it go

        async def moved() -> bool:
            return (await policy.handle.describe()).run_id != first

        await until(moved)
        view = await policy.act("file_plan", PLAN)
        assert view.seq == 4
        assert await build_of(policy) == "two"
        assert policy.seqs == [1, 2, 3, 4]
