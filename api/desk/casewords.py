"""Short Chinese words of the bar of a policy's life; their English is in templates/english/case.yaml."""

from models.contracts.vocabulary import Event

MILESTONES: dict[Event, tuple[str, str]] = {
    Event.POLICY_UPLOADED: ("policy_upload", "上传"),
    Event.PROVIDER_NAMED: ("provider_naming", "机构"),
    Event.PLAN_FILED: ("plan_filing", "计划"),
    Event.SERVICE_COMPLETED: ("service_completion", "服务"),
    Event.POLICY_RENEWED: ("renewal", "续保"),
}
"""What stands on the bar: the duty whose day it has, by the name packs give it, and the word people read."""
