"""The worker process: workflows in their sandbox, activities with their connections, nudger and internal port."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import timedelta
from importlib.metadata import version

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import PollerBehaviorSimpleMaximum, Worker, WorkerDeploymentConfig

from activities.anchoring import FOLDER, AuditNotary, Signer
from activities.cashier import PgCashier
from activities.ledger import PgLedger
from activities.lookout import Lookout
from activities.mailserver import SmtpSettings
from activities.nudger import Nudger
from activities.postman import MailPostman
from activities.reconciling import Reconciler
from activities.registry import TemporalRegistry
from activities.rulebook import PackDesk
from activities.treasury import PgTreasury
from models.tables.engine import make_engine
from rules.library import Library
from runtime.codec import converter, prove
from runtime.metrics import InternalPort, temporal_runtime
from runtime.paying import PayingWays
from runtime.sandbox import serving
from runtime.schedules import ensure_schedules
from runtime.search import ensure_search_attributes, search_attributes
from runtime.settings import PROJECT_ROOT, Settings
from runtime.witnesses import proved
from workflows.anchoring import AnchoringWorkflow
from workflows.claim import ClaimWorkflow
from workflows.hazard import HazardWorkflow
from workflows.mailroom import MailroomWorkflow
from workflows.policy import PolicyWorkflow
from workflows.reconciling import ReconcilingWorkflow
from workflows.search import for_hazard

WORKFLOWS = (PolicyWorkflow, HazardWorkflow, ClaimWorkflow, MailroomWorkflow, ReconcilingWorkflow, AnchoringWorkflow)
CONNECTIONS = 16
TASKS, THREADS = 24, 4
"""Workflow tasks at once: half as many again as may commit, for more would wait inside their two seconds; and threads
that decide, for more would only fight for the interpreter, until one seems not to yield at all."""
POLLS, POLLS_FOR_ANYBODY = 10, 0.5
"""Half ask for tasks of any case, not one in five: whoever comes from cold, as at a midnight, is told there, and a
cluster's queue has several partitions to be asked (decision 0053)."""
STICKY = timedelta(seconds=2)
"""After a worker dies its cached workflows answer elsewhere within 3 s instead of 11 s (engine.md E13)."""
GRACE = timedelta(seconds=4)
"""Short activities end before a stop; `make up` allows 10 s in all."""
BEATS = timedelta(seconds=5)
"""Signs of life travel at least this often; its own is four fifths of the time-out, too late where all is slow."""


def library() -> Library:
    """The packs and calendars that ship with this version."""
    return Library(PROJECT_ROOT / "rules" / "packs", PROJECT_ROOT / "rules" / "calendars")


def deployment(settings: Settings) -> WorkerDeploymentConfig:
    """Which build this is. Where the deployment has a name, lives stay with their build until they continue as new.

    Saying it also spares a start the SDK's own answer, a hash over every loaded module.
    """
    build = settings.build_id or version("anze")
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(settings.deployment or "anze", build),
        use_worker_versioning=settings.deployment is not None,
        default_versioning_behavior=VersioningBehavior.PINNED
        if settings.deployment is not None
        else VersioningBehavior.UNSPECIFIED,
    )


async def connect(settings: Settings) -> Client:
    """A client with the converter every process shares."""
    return await Client.connect(
        **settings.temporal_connect_config(),  # pyright: ignore[reportArgumentType] - a narrower dictionary
        data_converter=converter(settings),
        runtime=temporal_runtime(settings),
    )


def smtp(settings: Settings) -> SmtpSettings:
    """How the mail server is reached."""
    if settings.smtp_host is None:
        raise ValueError("没有设置 SMTP_HOST / SMTP_HOST is not set")
    return SmtpSettings(
        host=settings.smtp_host,
        port=settings.smtp_port,
        sender=settings.smtp_from,
        user=settings.smtp_user,
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
        tls=settings.smtp_tls,
    )


def make_worker(client: Client, engine: AsyncEngine, settings: Settings, rules: Library) -> Worker:
    """Everything the task queue serves."""
    ledger, desk = PgLedger(engine), PackDesk(rules)
    registry = TemporalRegistry(client, settings.task_queue, for_hazard, settings.base_url)
    ways, treasury = PayingWays(settings), PgTreasury(engine)
    cashier, bookkeeper = PgCashier(engine, ways, settings.sealing), Reconciler(engine, client, ways)
    notary = AuditNotary(engine, settings.var / FOLDER, Signer.of(settings.secret_key))
    postman = MailPostman(engine, rules, smtp(settings), settings.secret_key, settings.base_url)
    return Worker(
        client,
        task_queue=settings.task_queue,
        workflows=list(WORKFLOWS),
        activities=[
            ledger.commit_step,
            ledger.recall_answer,
            ledger.recorded_since,
            desk.resolve_rules,
            registry.open_hazards,
            treasury.reserve_payment,
            treasury.release_payment,
            cashier.instruct_payment,
            cashier.record_answer,
            bookkeeper.reconcile_orders,
            notary.anchor_heads,
            postman.look_in,
            postman.compose,
            postman.send,
            postman.give_up,
        ],
        workflow_runner=serving(),
        deployment_config=deployment(settings),
        max_cached_workflows=settings.cached_workflows,
        max_concurrent_workflow_tasks=TASKS,
        workflow_task_executor=ThreadPoolExecutor(THREADS, "workflow"),
        workflow_task_poller_behavior=PollerBehaviorSimpleMaximum(POLLS),
        nonsticky_to_sticky_poll_ratio=POLLS_FOR_ANYBODY,
        sticky_queue_schedule_to_start_timeout=STICKY,
        graceful_shutdown_timeout=GRACE,
        max_heartbeat_throttle_interval=BEATS,
    )


async def run(settings: Settings) -> None:
    """Work until cancelled. Raises WrongKeys before any work is taken."""
    await prove(converter(settings))
    async with AsyncExitStack() as leaving:
        engine = make_engine(settings.database, CONNECTIONS)
        leaving.push_async_callback(engine.dispose)
        await proved(engine, settings)
        client = await connect(settings)
        await ensure_search_attributes(client, search_attributes())
        await ensure_schedules(client, settings.task_queue)
        worker = make_worker(client, engine, settings, library())
        internal = InternalPort(settings.bind, settings.worker_metrics_port, lambda: worker.is_running)
        leaving.callback(internal.close)
        lookout = Lookout(engine, settings.smtp_from, settings.backlog)
        async with worker, asyncio.TaskGroup() as beside:
            beside.create_task(lookout.run())
            beside.create_task(Nudger(engine, client, settings.task_queue, settings.base_url).run())
