"""How a case takes a command and says no: updates with their check, refusals and bugs as the caller receives them."""

from collections.abc import Callable
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from models.contracts.base import Given
from models.contracts.step import Refusal


def takes(name: str) -> Callable[[Callable[..., Any]], Any]:
    """An update under `name` whose command is checked before it enters history."""

    def decorate(handler: Callable[..., Any]) -> Any:
        def checked(self: Any, given: Given[Any]) -> None:
            self.case.check(given)

        # Temporal wants a validator to take exactly what its update takes
        checked.__annotations__ = {**handler.__annotations__, "return": None}
        update = workflow.update(name=name)(handler)
        update.validator(checked)
        return update

    return decorate


def refusal_error(refusal: Refusal) -> ApplicationError:
    """A refusal as the client receives it: told apart by type, never by text."""
    return ApplicationError(refusal.says, refusal.model_dump(), type="refused", non_retryable=True)


def internal_error() -> ApplicationError:
    """A bug as the client receives it: this command was not carried out."""
    return ApplicationError("系统内部错误，本次操作未生效", type="internal", non_retryable=True)
