"""When a run ends although its life goes on, how the next one begins and what it still shows; no chapter of a life."""

from typing import Any, NoReturn

from temporalio import workflow

from domain.addresses import PAGE, page_link
from domain.details import paragraphs

LONG_HISTORY = 1_500
"""Events after which a run is continued as new even if no chapter has ended; the server suggests it later."""


def is_suggested() -> bool:
    """The history is long, or newer workers are there: a life pinned to a build moves on to the next one this way."""
    info = workflow.info()
    newer = info.is_target_worker_deployment_version_changed()
    return newer or info.is_continue_as_new_suggested() or info.get_current_history_length() > LONG_HISTORY


def go_on(run: Any) -> NoReturn:
    """The next run, with the newest workers there are; where workers are not versioned, with any."""
    workflow.continue_as_new(run, initial_versioning_behavior=workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE)


def with_page(details: str) -> str:
    """The details; in a later run with the link to the page, for only a first run keeps what it began with."""
    if workflow.info().continued_run_id is None:
        return details
    return paragraphs(details, page_link(workflow.memo_value(PAGE, "", type_hint=str)))
