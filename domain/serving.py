"""What the service provider a policy names may do itself, decided for every kind of case in this one place."""

from uuid import UUID

from models.contracts.base import Actor, Command
from models.contracts.policy import CompleteService, RecordVisit
from models.contracts.step import Refusal
from models.contracts.vocabulary import ActorKind

ITS_OWN = frozenset({RecordVisit, CompleteService})
"""What it does: visits with what was found there, and the report of the service. Plan and recheck are the insurer's
(应急监二〔2023〕84号 二(五); AQ 9010-2019 6), who may still do all of it.
"""


def refuse_provider(command: Command, actor: Actor, named: UUID | None) -> Refusal | None:
    """Why somebody of a service provider is refused, or `None`; everybody else is no business of this.

    `named` is the provider the case has at this moment: with another one named, the former one is refused at once.
    """
    if actor.kind is not ActorKind.PROVIDER:
        return None
    if type(command) in ITS_OWN and named is not None and actor.provider_id == named:
        return None
    return Refusal(code="not_the_provider", says="不是本保单当前确定的服务机构，或者该事项不由服务机构办理", status=403)
