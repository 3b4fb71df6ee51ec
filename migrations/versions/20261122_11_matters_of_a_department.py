"""How a matter stands that a department was told of, kept beside its letter: an inbox of any size is read by index."""

from alembic import op

revision = "20261122_11"
down_revision = "20261122_10"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE outbox ADD COLUMN latest boolean NOT NULL DEFAULT false, ADD COLUMN settled boolean NOT NULL DEFAULT false,
    ADD COLUMN major boolean NOT NULL DEFAULT false, ADD COLUMN due_at timestamptz, ADD COLUMN judged_at timestamptz,
    ADD COLUMN place_at timestamptz
"""
# Whatever the piles count and row-level security asks stands in the index, so that no letter is opened.
INDEXES = """
CREATE INDEX ix_outbox_matters ON outbox (recipient_id, settled, place_at, id)
    INCLUDE (insurer_id, case_id, acknowledged_at, due_at, judged_at, major) WHERE latest;
DROP INDEX ix_outbox_recipient_id_case_id;
CREATE INDEX ix_outbox_recipient_id_case_id ON outbox (recipient_id, case_id) INCLUDE (insurer_id);
"""
DEPARTMENTS = (
    "emergency", "industry", "financial", "local_finance", "joint_conference", "safety_office", "human_queue",
)  # fmt: skip
OF_DEPARTMENTS = "to_role = ANY (ARRAY[{}])".format(", ".join(f"'{role}'" for role in DEPARTMENTS))
# Letters about one duty are one matter; those that name none are, by their kind.
SUBJECT = """
CREATE FUNCTION letter_subject(letter outbox) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(nullif(letter.about->>'duty_key', ''), letter.kind)
$$
"""
# What has no day stands after what has one, and what is settled after that, the latest of them first.
PLACE = """
CREATE FUNCTION letter_place(settled boolean, due_at timestamptz, at timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN settled THEN timestamptz '2600-01-01 00:00+00' + (timestamptz '2100-01-01 00:00+00' - at)
           WHEN due_at IS NULL THEN timestamptz '2300-01-01 00:00+00' + (timestamptz '2100-01-01 00:00+00' - at)
           ELSE due_at END
$$
"""
# What was a report lives on as what the department owes. Letters that name no duty are done when acknowledged.
STANDING = f"""
CREATE FUNCTION letter_standing(letter outbox, told cases) RETURNS outbox LANGUAGE plpgsql STABLE AS $$
DECLARE
    of_duty text := coalesce(letter.about->>'duty_key', '');
    written text := letter.about->>'due_at';
    brief jsonb;
BEGIN
    SELECT one INTO brief FROM jsonb_array_elements(coalesce(told.view->'duties', '[]'::jsonb)) one
    WHERE one->>'key' = of_duty OR (letter.kind = 'major_hazard_report'
          AND one->>'owed_by' = ANY (ARRAY[{", ".join(f"'{role}'" for role in DEPARTMENTS)}]))
    ORDER BY one->>'key' <> of_duty LIMIT 1;
    letter.due_at := coalesce((brief->>'due_at')::timestamptz,
                              CASE WHEN written ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T' THEN written::timestamptz END);
    letter.settled := CASE WHEN told.ended_at IS NOT NULL THEN true
                           WHEN of_duty = '' THEN letter.acknowledged_at IS NOT NULL ELSE brief IS NULL END;
    letter.major := coalesce(told.kind = 'hazard' AND told.view->>'grade' = 'major', false);
    letter.judged_at := told.changed_at;
    letter.place_at := letter_place(letter.settled, letter.due_at, letter.at);
    RETURN letter;
END $$
"""
WRITTEN = """
CREATE FUNCTION letter_written() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    told cases;
BEGIN
    SELECT * INTO told FROM cases WHERE id = NEW.case_id;
    NEW := letter_standing(NEW, told);
    NEW.latest := NOT EXISTS (
        SELECT FROM outbox o WHERE o.recipient_id = NEW.recipient_id AND o.case_id = NEW.case_id AND o.latest
        AND letter_subject(o) = letter_subject(NEW) AND (o.at > NEW.at OR (o.at = NEW.at AND o.id < NEW.id)));
    RETURN NEW;
END $$;
CREATE FUNCTION letter_followed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE outbox o SET latest = false
    WHERE o.recipient_id = NEW.recipient_id AND o.case_id = NEW.case_id AND o.latest AND NEW.latest AND o.id <> NEW.id
      AND letter_subject(o) = letter_subject(NEW) AND (o.at < NEW.at OR (o.at = NEW.at AND o.id > NEW.id));
    RETURN NULL;
END $$;
CREATE FUNCTION letter_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE outbox o SET latest = (o.id = newest.id)
    FROM (SELECT DISTINCT ON (n.recipient_id) n.recipient_id, n.id FROM outbox n
          WHERE n.recipient_id IN (OLD.recipient_id, NEW.recipient_id) AND n.case_id = NEW.case_id
            AND letter_subject(n) = letter_subject(NEW)
          ORDER BY n.recipient_id, n.at DESC, n.id) newest
    WHERE o.recipient_id = newest.recipient_id AND o.case_id = NEW.case_id
      AND letter_subject(o) = letter_subject(NEW) AND o.latest <> (o.id = newest.id);
    RETURN NULL;
END $$;
CREATE FUNCTION letter_heard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.settled := NEW.settled OR NEW.acknowledged_at IS NOT NULL;
    NEW.place_at := letter_place(NEW.settled, NEW.due_at, NEW.at);
    RETURN NEW;
END $$;
CREATE FUNCTION keep_letters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE outbox o SET settled = s.settled, due_at = s.due_at, major = s.major, judged_at = s.judged_at,
        place_at = s.place_at
    FROM outbox l CROSS JOIN LATERAL letter_standing(l, NEW) s
    WHERE l.insurer_id = NEW.insurer_id AND l.case_id = NEW.id AND l.latest AND o.id = l.id;
    RETURN NULL;
END $$
"""
TRIGGERS = f"""
CREATE TRIGGER letter_written BEFORE INSERT ON outbox FOR EACH ROW WHEN (NEW.{OF_DEPARTMENTS})
EXECUTE FUNCTION letter_written();
CREATE TRIGGER letter_followed AFTER INSERT ON outbox FOR EACH ROW WHEN (NEW.{OF_DEPARTMENTS})
EXECUTE FUNCTION letter_followed();
CREATE TRIGGER letter_moved AFTER UPDATE OF recipient_id ON outbox FOR EACH ROW
WHEN (NEW.{OF_DEPARTMENTS} AND OLD.recipient_id <> NEW.recipient_id) EXECUTE FUNCTION letter_moved();
CREATE TRIGGER letter_heard BEFORE UPDATE OF acknowledged_at ON outbox FOR EACH ROW
WHEN (NEW.{OF_DEPARTMENTS} AND coalesce(NEW.about->>'duty_key', '') = '') EXECUTE FUNCTION letter_heard();
CREATE TRIGGER keep_letters AFTER UPDATE ON cases FOR EACH ROW EXECUTE FUNCTION keep_letters()
"""
ADOPT = f"""
UPDATE outbox o SET settled = s.settled, due_at = s.due_at, major = s.major, judged_at = s.judged_at,
    place_at = s.place_at, latest = true
FROM (SELECT DISTINCT ON (l.recipient_id, l.case_id, letter_subject(l)) l.id, s.settled, s.due_at, s.major, s.judged_at,
             s.place_at
      FROM outbox l JOIN cases c ON c.id = l.case_id CROSS JOIN LATERAL letter_standing(l, c) s
      WHERE l.{OF_DEPARTMENTS}
      ORDER BY l.recipient_id, l.case_id, letter_subject(l), l.at DESC, l.id) s
WHERE s.id = o.id
"""
OFFICE = "nullif(current_setting('anze.office', true), '')::uuid"
# Conditions are asked in falling order of their names: what is in its places anyway need not be looked up in letters.
TOLD_LAST = f"""
DROP POLICY cases_told ON cases;
CREATE POLICY cases_also_told ON cases FOR SELECT TO anze_app
    USING (id IN (SELECT case_id FROM outbox WHERE recipient_id = {OFFICE}))
"""
BOUND = ("cases", "outbox")


def upgrade() -> None:
    connection = op.get_bind()
    for statement in (COLUMNS, SUBJECT, PLACE, STANDING):
        connection.exec_driver_sql(statement)
    for table in BOUND:  # the owner is bound by row-level security too, so it is lifted for this transaction
        connection.exec_driver_sql(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    connection.exec_driver_sql(ADOPT)
    for table in BOUND:
        connection.exec_driver_sql(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for statement in WRITTEN.split("$$;\n"):
        connection.exec_driver_sql(statement if statement.rstrip().endswith("$$") else f"{statement}$$")
    for statements in (TRIGGERS, INDEXES, TOLD_LAST):
        for statement in statements.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
