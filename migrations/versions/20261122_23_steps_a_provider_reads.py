"""What a provider may read of a policy's steps: those of its work; premium and money stand in the others."""

from alembic import op

revision = "20261122_23"
down_revision = "20261122_22"
branch_labels = None
depends_on = None

# Of a hazard every step: there is no money in it. Who named it and what was opened stands in the timeline.
OF_THE_WORK = ("RecordVisit", "FilePlan", "ConfirmPlan", "CompleteService")
READ = f"""
CREATE POLICY steps_provider ON steps FOR SELECT TO anze_app USING (
    (SELECT nullif(current_setting('anze.provider', true), '')::uuid) IS NOT NULL
    AND EXISTS (SELECT 1 FROM cases WHERE cases.id = steps.case_id AND (
        cases.kind = 'hazard' OR steps.command_name IN ({", ".join(f"'{name}'" for name in OF_THE_WORK)}))))
"""


def upgrade() -> None:
    op.execute("DROP POLICY steps_provider ON steps")
    op.execute(READ)


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
