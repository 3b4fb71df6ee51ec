"""How a case takes a command and says no: updates with their check, refusals and bugs as the caller receives them."""

from collections.abc import Callable
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from domain.decision import Refused
from models.contracts.base import Given
from models.contracts.step import Refusal

FULL = 3_000
"""Events after which a run takes no more commands until it has been continued as new: twice what it wants to be.

A run ends when it is idle; commands that come faster than they are answered would keep it to Temporal's own limit.
"""

T = TypeVar("T")


def takes(name: str) -> Callable[[Callable[..., Any]], Any]:
    """An update under `name` whose command is checked before it enters history."""

    def decorate(handler: Callable[..., Any]) -> Any:
        def checked(self: Any, given: Given[Any]) -> None:
            if workflow.info().get_current_history_length() > FULL:
                raise making_room()
            self.case.check(given)

        # Temporal wants a validator to take exactly what its update takes
        checked.__annotations__ = {**handler.__annotations__, "return": None}
        update = workflow.update(name=name)(handler)
        update.validator(checked)
        return update

    return decorate


def decided(decide: Callable[[], T]) -> T:
    """A bug in a decision fails this command alone, never the case (promises.md rule 4)."""
    try:
        return decide()
    except Refused as refused:
        raise refusal_error(refused.refusal) from refused
    except Exception as bug:
        workflow.logger.exception("decision failed")
        raise internal_error() from bug


def refusal_error(refusal: Refusal) -> ApplicationError:
    """A refusal as the client receives it: told apart by type, never by text."""
    return ApplicationError(refusal.says, refusal.model_dump(), type="refused", non_retryable=True)


def making_room() -> ApplicationError:
    """Nothing was done, and the same command is taken in a moment."""
    return ApplicationError("案卷正在整理，请稍后重试", type="making_room", non_retryable=True)


def internal_error() -> ApplicationError:
    """A bug as the client receives it: this command was not carried out."""
    return ApplicationError("系统内部错误，本次操作未生效", type="internal", non_retryable=True)
