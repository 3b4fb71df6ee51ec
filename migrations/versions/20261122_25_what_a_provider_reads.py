"""What a provider may read of cases: no row of them, but a narrower one without premium, limits or ratings."""

from alembic import op

revision = "20261122_25"
down_revision = "20261122_24"
branch_labels = None
depends_on = None

PROVIDER = "(SELECT nullif(current_setting('anze.provider', true), '')::uuid)"
COLUMNS = (
    "id, kind, insurer_id, workflow_id, parent_id, number, region, sector, size, stage, insured_id, insured_name,"
    " signed_on, effective_on, expires_on, next_due_at, provisional, open_hazards, ended_at, packs, calendar_through,"
    " clock, seq, opened_at, changed_at"
)
KEYS = ("criterion", "description", "duties", "found_on", "grade", "place", "policy_number", "rounds")
TERMS = ("kind", "out_of_area", "service_items")
# Read with its owner's eyes, who sees by the policy below what is assigned to `anze.provider`, and nothing without it.
# No security_barrier: the rows are behind the wall of cases itself, and joins keep their indexes.
VIEW = f"""
CREATE VIEW assigned_cases AS SELECT {COLUMNS},
    coalesce((SELECT jsonb_object_agg(key, value) FROM jsonb_each(view)
        WHERE key IN ({", ".join(f"'{key}'" for key in KEYS)})), '{{}}')
    || jsonb_build_object('terms', jsonb_strip_nulls(jsonb_build_object(
        {", ".join(f"'{key}', view->'terms'->'{key}'" for key in TERMS)}))) AS view
FROM cases
"""
# What somebody of a provider hears of (api/desk/audience.py), and the day on which a policy was given up.
HEARD = (
    "plan_filed", "plan_confirmed", "visit_recorded", "service_completed", "clock_suspended", "clock_resumed",
    "hazard_found", "hazard_told", "rectification_claimed", "rectification_refused", "rectification_overdue",
    "recheck_passed", "recheck_failed", "hazard_objected", "objection_upheld", "objection_rejected",
    "more_time_asked", "more_time_declined", "hazard_reported", "hazard_closed", "policy_surrendered",
)  # fmt: skip
OF_THE_WORK = ("RecordVisit", "FilePlan", "ConfirmPlan", "CompleteService")
OF_A_CASE = "EXISTS (SELECT 1 FROM assigned_cases c WHERE c.id = {table}.case_id AND {condition})"
# A provider is of one insurer: its id is made of insurer and code.
ITS_INSURER = f"insurer_id = (SELECT insurer_id FROM assignments WHERE provider_id = {PROVIDER} LIMIT 1)"


def _among(values: tuple[str, ...]) -> str:
    return "IN (" + ", ".join(f"'{value}'" for value in values) + ")"


STEPS = OF_A_CASE.format(table="steps", condition=f"(c.kind = 'hazard' OR steps.command_name {_among(OF_THE_WORK)})")
TIMELINE = OF_A_CASE.format(table="timeline", condition=f"timeline.event {_among(HEARD)}")
CONTACT = "EXISTS (SELECT 1 FROM assigned_cases c WHERE c.insured_id = recipients.insured_id)"
STATEMENTS = (
    "ALTER POLICY cases_provider ON cases TO CURRENT_USER",
    "ALTER POLICY assignments_provider ON assignments TO anze_app, CURRENT_USER",
    VIEW,
    "REVOKE ALL ON assigned_cases FROM anze_app",
    "GRANT SELECT ON assigned_cases TO anze_app",
    f"ALTER POLICY steps_provider ON steps USING ({PROVIDER} IS NOT NULL AND {STEPS})",
    f"ALTER POLICY timeline_provider ON timeline USING ({PROVIDER} IS NOT NULL AND {TIMELINE})",
    f"CREATE POLICY recipients_provider ON recipients FOR SELECT TO anze_app"
    f" USING ({PROVIDER} IS NOT NULL AND {CONTACT})",
    f"CREATE POLICY files_provider ON files FOR SELECT TO anze_app USING ({ITS_INSURER})",
    f"CREATE POLICY files_provider_brings ON files FOR INSERT TO anze_app WITH CHECK ({ITS_INSURER})",
)


def upgrade() -> None:
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
