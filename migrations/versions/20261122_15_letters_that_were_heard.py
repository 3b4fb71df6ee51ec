"""Acknowledging letters has one meaning, and is done by the step that takes a department's word: whoever brought it.

Which letters those are is decided in domain/standing.py; letters that name no duty are acknowledged by themselves.
"""

from alembic import op

revision = "20261122_15"
down_revision = "20261122_14"
branch_labels = None
depends_on = None

# What was returned or given up stays so, and has been read all the same. How many were not acknowledged before.
ACKNOWLEDGE = """
CREATE FUNCTION acknowledge_letters(letters uuid[], heard_at timestamptz) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    known int;
BEGIN
    PERFORM lock_matters(ARRAY(SELECT DISTINCT case_id FROM outbox WHERE id = ANY (letters)));
    UPDATE outbox SET acknowledged_at = heard_at,
        status = CASE WHEN status IN ('queued', 'accepted', 'ambiguous') THEN 'acknowledged' ELSE status END
    WHERE id = ANY (letters) AND acknowledged_at IS NULL;
    GET DIAGNOSTICS known = ROW_COUNT;
    UPDATE matters m SET acknowledged_at = heard_at, settled = m.settled OR m.ends_when_read,
        place_at = matter_place(m.settled OR m.ends_when_read, m.due_at, m.told_at)
    FROM outbox o
    WHERE o.id = ANY (letters) AND m.case_id = o.case_id AND m.subject = o.subject AND m.recipient_id = o.recipient_id
      AND m.letter_id = o.id AND m.acknowledged_at IS NULL;
    RETURN known;
END $$
"""
# A department is known by its seat. Letters of the step itself were not written yet when it spoke.
RECORD_HEARD = """
CREATE FUNCTION record_heard(now_ cases, heard jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM acknowledge_letters(ARRAY(
        SELECT o.id FROM outbox o JOIN recipients r ON r.id = o.recipient_id
        WHERE o.insurer_id = now_.insurer_id AND o.case_id = now_.id AND o.seq < now_.seq
          AND o.subject IN (SELECT jsonb_array_elements_text(heard->'subjects'))
          AND r.region = heard->>'region' AND r.department = heard->>'department'), now_.changed_at);
END $$
"""
# As before, with what was heard.
STEPS = """
ALTER FUNCTION record_matters(cases, jsonb) RENAME TO place_matters;
CREATE FUNCTION record_matters(now_ cases, standing jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF jsonb_typeof(standing->'heard') = 'object' THEN
        PERFORM record_heard(now_, standing->'heard');
    END IF;
    PERFORM place_matters(now_, standing);
END $$
"""


def upgrade() -> None:
    connection = op.get_bind()
    for function in (ACKNOWLEDGE, RECORD_HEARD, *STEPS.split(";\n", 1)):
        connection.exec_driver_sql(function)


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
