"""The audit trail: a hash chain per insurer and one for the rest, and a row in it for every step; who may write it.

What a row's hash is made of, and why the lock is the last one taken: docs/decisions/0040-audit.md. The same hashes are
computed again, from rows alone, by runtime/auditing.py.
"""

from alembic import op

revision = "20261122_5"
down_revision = "20261122_4"
branch_labels = None
depends_on = None

# The heads are rewritten all day and never grow: half-empty pages keep their versions where they are (HOT).
TABLES = """
CREATE TABLE audit (
    chain uuid NOT NULL, number bigint NOT NULL, at timestamptz NOT NULL, what text NOT NULL,
    who_kind text, who_id varchar DEFAULT '' NOT NULL, who_name varchar DEFAULT '' NOT NULL,
    object_kind varchar DEFAULT '' NOT NULL, object_id varchar DEFAULT '' NOT NULL, result text NOT NULL,
    case_id uuid, seq integer, digest varchar DEFAULT '' NOT NULL, ip varchar, request_id varchar,
    said jsonb DEFAULT '{}' NOT NULL, previous varchar NOT NULL, hash varchar NOT NULL,
    CONSTRAINT pk_audit PRIMARY KEY (chain, number),
    CONSTRAINT ck_audit_number_counts_from_one CHECK (number >= 1),
    CONSTRAINT ck_audit_step_is_named CHECK (what <> 'step' OR (case_id IS NOT NULL AND seq IS NOT NULL)),
    CONSTRAINT ck_audit_said_is_small CHECK (octet_length(said::text) <= 4000)
);
CREATE UNIQUE INDEX uq_audit_step ON audit (case_id, seq) WHERE what = 'step';

CREATE TABLE audit_heads (
    chain uuid NOT NULL, number bigint NOT NULL, hash varchar NOT NULL,
    CONSTRAINT pk_audit_heads PRIMARY KEY (chain)
) WITH (fillfactor = 50);
"""

# One text for each row, which nothing else can spell: a JSON array of strings and nulls.
AUDIT_HASH = """
CREATE FUNCTION audit_hash(entry audit) RETURNS varchar
LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(jsonb_build_array(
        entry.previous, entry.chain::text, entry.number::text,
        to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        entry.what, entry.who_kind, entry.who_id, entry.who_name, entry.object_kind, entry.object_id, entry.result,
        entry.case_id::text, entry.seq::text, entry.digest, entry.ip, entry.request_id, entry.said::text
    )::text, 'UTF8')), 'hex')
$$
"""

# Lock the head, then number, then hash. The number is not a sequence: that would be drawn before the lock (E10).
WRITE_AUDIT = """
CREATE FUNCTION write_audit(entry audit) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    head audit_heads;
BEGIN
    SELECT * INTO head FROM audit_heads WHERE chain = entry.chain FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO audit_heads (chain, number, hash) VALUES (entry.chain, 0, '') ON CONFLICT (chain) DO NOTHING;
        SELECT * INTO STRICT head FROM audit_heads WHERE chain = entry.chain FOR UPDATE;
    END IF;
    entry.number := head.number + 1;
    entry.at := clock_timestamp();
    entry.who_id := coalesce(entry.who_id, '');
    entry.who_name := coalesce(entry.who_name, '');
    entry.object_kind := coalesce(entry.object_kind, '');
    entry.object_id := coalesce(entry.object_id, '');
    entry.digest := coalesce(entry.digest, '');
    entry.said := coalesce(entry.said, '{}');
    entry.previous := head.hash;
    entry.hash := audit_hash(entry);
    INSERT INTO audit VALUES (entry.*);
    UPDATE audit_heads SET number = entry.number, hash = entry.hash WHERE chain = entry.chain;
    RETURN entry.number;
END $$
"""

# What a step says about itself: its row with its cause, and its lines of the timeline.
STEP_DIGEST = """
CREATE FUNCTION step_digest(taken steps) RETURNS varchar
LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(jsonb_build_array(
        taken.case_id::text, taken.seq::text, taken.insurer_id::text,
        to_char(taken.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        to_char(taken.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        taken.command_id, taken.command_name, taken.actor_kind, taken.actor_id, taken.actor_name, taken.cause::text,
        coalesce((
            SELECT jsonb_agg(jsonb_build_array(
                line::text, event, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), duty_key, said,
                data::text) ORDER BY line)
            FROM timeline WHERE case_id = taken.case_id AND seq = taken.seq), '[]')
    )::text, 'UTF8')), 'hex')
$$
"""

AUDIT_STEP = """
CREATE FUNCTION audit_step(case_ cases, seq_ int, outcome text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    taken steps;
    entry audit;
BEGIN
    SELECT * INTO STRICT taken FROM steps WHERE case_id = case_.id AND seq = seq_;
    entry.chain := taken.insurer_id;
    entry.what := 'step';
    entry.who_kind := coalesce(taken.actor_kind, 'system');
    entry.who_id := taken.actor_id;
    entry.who_name := taken.actor_name;
    entry.object_kind := case_.kind;
    entry.object_id := case_.workflow_id;
    entry.result := outcome;
    entry.case_id := case_.id;
    entry.seq := seq_;
    entry.digest := step_digest(taken);
    entry.said := CASE WHEN taken.command_name IS NULL THEN jsonb_build_object('cause', taken.cause->>'kind')
                       ELSE jsonb_build_object('command', taken.command_name) END;
    PERFORM write_audit(entry);
END $$
"""

# As in 20261122_3; the audit row is its last statement.
RECORD_STEP = """
CREATE OR REPLACE FUNCTION record_step(step jsonb, notice_ids uuid[], asked_for text[]) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    seq_ int := (step->>'seq')::int;
    at_ timestamptz := (step->>'at')::timestamptz;
    trace jsonb := nullif(step->'trace', 'null');
    now_ cases := jsonb_populate_record(NULL::cases, (step->'row') || jsonb_build_object(
        'id', step->'row'->'case_id', 'seq', seq_, 'opened_at', at_, 'changed_at', at_));
    known int;
    standing steps;
BEGIN
    PERFORM set_config('anze.tenant', now_.insurer_id::text, true);
    SELECT seq INTO known FROM cases WHERE id = now_.id FOR UPDATE;
    IF known >= seq_ THEN
        SELECT * INTO standing FROM steps WHERE case_id = now_.id AND seq = seq_;
        -- an alarm is rung at its own instant; what else was decided at another time may have come out otherwise
        RETURN CASE WHEN standing.cause->>'kind' IS NOT DISTINCT FROM step->'cause'->>'kind'
                     AND standing.cause->>'key' IS NOT DISTINCT FROM step->'cause'->>'key'
                     AND (standing.at = at_ OR standing.cause->>'kind' IS NOT DISTINCT FROM 'alarm')
               THEN NULL ELSE recorded_from(now_.id, seq_) END;
    ELSIF coalesce(known, 0) <> seq_ - 1 THEN
        RAISE EXCEPTION 'step % does not follow %', seq_, coalesce(known, 0) USING ERRCODE = 'AZ001';
    ELSIF known IS NULL THEN
        INSERT INTO cases VALUES (now_.*) ON CONFLICT (id) DO NOTHING;
        IF NOT FOUND THEN  -- another attempt at the first step has just committed it: ask again
            RETURN record_step(step, notice_ids, asked_for);
        END IF;
    ELSE
        UPDATE cases SET
            region = now_.region, sector = now_.sector, size = now_.size, stage = now_.stage,
            insured_name = now_.insured_name, signed_on = now_.signed_on, effective_on = now_.effective_on,
            expires_on = now_.expires_on, next_duty = now_.next_duty, next_due_at = now_.next_due_at,
            next_alarm_at = now_.next_alarm_at, provisional = now_.provisional, rate_review = now_.rate_review,
            open_hazards = now_.open_hazards, ended_at = now_.ended_at, packs = now_.packs,
            calendar_through = now_.calendar_through, clock = now_.clock, view = now_.view, seq = seq_,
            changed_at = at_
        WHERE id = now_.id;
    END IF;
    INSERT INTO steps (case_id, seq, insurer_id, at, command_id, command_name, actor_kind, actor_id, actor_name, cause)
    VALUES (now_.id, seq_, now_.insurer_id, at_, trace->>'command_id', trace->>'name', trace->'actor'->>'kind',
            trace->'actor'->>'id', trace->'actor'->>'name', nullif(step->'cause', 'null'));
    INSERT INTO timeline (case_id, seq, line, insurer_id, event, at, duty_key, said, data)
    SELECT now_.id, seq_, h.rank, now_.insurer_id, h.line->>'event', (h.line->>'at')::timestamptz,
           h.line->>'duty_key', h.line->>'said', h.line->'data'
    FROM jsonb_array_elements(step->'happened') WITH ORDINALITY AS h (line, rank);
    IF trace IS NOT NULL THEN  -- the first answer to a command stays its answer
        INSERT INTO commands (case_id, command_id, insurer_id, seq, fingerprint, answer, at)
        VALUES (now_.id, trace->>'command_id', now_.insurer_id, seq_, trace->>'fingerprint', step->'answer', at_)
        ON CONFLICT (case_id, command_id) DO NOTHING;
    END IF;
    IF jsonb_array_length(step->'notices') > 0 THEN
        PERFORM record_outbox(step, notice_ids, asked_for);
    END IF;
    PERFORM audit_step(now_, seq_, 'done');  -- last: it takes the lock every step of this insurer waits for
    RETURN NULL;
END $$
"""

# Steps that were in the ledger before there was an audit trail, in the order they were recorded. The owner is bound
# by row-level security too, so it is lifted for the length of this transaction.
RECORD = ("cases", "steps", "timeline")
ADOPT = """
DO $$
DECLARE
    taken record;
BEGIN
    FOR taken IN SELECT c, s.seq FROM steps s JOIN cases c ON c.id = s.case_id ORDER BY s.recorded_at, s.case_id, s.seq
    LOOP
        PERFORM audit_step(taken.c, taken.seq, 'adopted');
    END LOOP;
END $$
"""

OWN = "chain = nullif(current_setting('anze.tenant', true), '')::uuid"
COMMON = "chain = '00000000-0000-0000-0000-000000000000'"
OPERATOR = "current_setting('anze.operator', true) = 'on'"
# An insurer reads and writes its own chain; everybody may add to the common one, operators read it, and they add to
# every chain (they make keys for insurers). To add is to take the head along, so heads may be read by who may add.
POLICIES = (
    f"audit_tenant ON audit FOR ALL TO anze_app USING ({OWN}) WITH CHECK ({OWN})",
    f"audit_common ON audit FOR INSERT TO anze_app WITH CHECK ({COMMON})",
    f"audit_operator ON audit FOR SELECT TO anze_app USING ({OPERATOR} AND {COMMON})",
    f"audit_operator_adds ON audit FOR INSERT TO anze_app WITH CHECK ({OPERATOR})",
    f"audit_heads_tenant ON audit_heads FOR ALL TO anze_app USING ({OWN}) WITH CHECK ({OWN})",
    f"audit_heads_common ON audit_heads FOR ALL TO anze_app USING ({COMMON}) WITH CHECK ({COMMON})",
    f"audit_heads_operator ON audit_heads FOR ALL TO anze_app USING ({OPERATOR}) WITH CHECK ({OPERATOR})",
)


def upgrade() -> None:
    connection = op.get_bind()
    for statement in TABLES.split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)
    for function in (AUDIT_HASH, WRITE_AUDIT, STEP_DIGEST, AUDIT_STEP, RECORD_STEP):
        connection.exec_driver_sql(function)
    for table in RECORD:
        connection.exec_driver_sql(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    connection.exec_driver_sql(ADOPT)
    for table in RECORD:
        connection.exec_driver_sql(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for table in ("audit", "audit_heads"):
        connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        connection.exec_driver_sql(f"REVOKE ALL ON {table} FROM anze_app")
    for policy in POLICIES:
        connection.exec_driver_sql(f"CREATE POLICY {policy}")
    connection.exec_driver_sql("GRANT SELECT, INSERT ON audit TO anze_app")
    connection.exec_driver_sql("GRANT SELECT, INSERT, UPDATE ON audit_heads TO anze_app")


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
