"""Matters of departments stand in a table of their own, written by the step that decides them; no trigger is left.

What stands is decided in domain/standing.py; here it is written (docs/decisions/0051-what-stands.md).
"""

from alembic import op

revision = "20261122_14"
down_revision = "20261122_13"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE outbox ADD COLUMN subject varchar DEFAULT '' NOT NULL;

CREATE TABLE matters (
    case_id uuid NOT NULL, subject varchar NOT NULL, recipient_id uuid NOT NULL, insurer_id uuid NOT NULL,
    letter_id uuid NOT NULL, kind text NOT NULL, told_at timestamptz NOT NULL, times integer NOT NULL,
    acknowledged_at timestamptz, ends_when_read boolean NOT NULL, asks boolean NOT NULL, duty_key varchar NOT NULL,
    due_at timestamptz, late boolean NOT NULL, settled boolean NOT NULL, place_at timestamptz NOT NULL,
    major boolean NOT NULL, case_kind text NOT NULL, number varchar NOT NULL, policy_number varchar NOT NULL,
    insured_name varchar NOT NULL, region varchar NOT NULL, sector text NOT NULL,
    CONSTRAINT pk_matters PRIMARY KEY (case_id, subject, recipient_id),
    CONSTRAINT fk_matters_insurer_id_case_id FOREIGN KEY (insurer_id, case_id) REFERENCES cases (insurer_id, id),
    CONSTRAINT fk_matters_recipient_id FOREIGN KEY (recipient_id) REFERENCES recipients (id),
    CONSTRAINT fk_matters_letter_id FOREIGN KEY (letter_id) REFERENCES outbox (id)
) WITH (fillfactor = 85)
"""
# Whatever the piles count and row-level security asks stands in the index, so that no row is opened.
INDEXES = """
CREATE INDEX ix_matters_places ON matters (recipient_id, settled, place_at, letter_id)
    INCLUDE (insurer_id, case_id, acknowledged_at, due_at, late, major);
DROP INDEX ix_outbox_matters
"""
# What has no day stands after what has one, and what is settled after that, the latest of them first. Immutable, and
# said so by the engine: seconds since 1970 depend on no time zone.
PLACE = """
CREATE FUNCTION matter_place(settled boolean, due_at timestamptz, told_at timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN settled THEN to_timestamp(2e10 - extract(epoch FROM told_at - to_timestamp(0))::float8)
           WHEN due_at IS NULL THEN to_timestamp(1.5e10 - extract(epoch FROM told_at - to_timestamp(0))::float8)
           ELSE due_at END
$$
"""
# Who writes matters of a case waits for whoever else does: a step, a letter that moves, an acknowledgement.
LOCK = """
CREATE FUNCTION lock_matters(of_cases uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(one::text, 20261122))
    FROM (SELECT unnest(of_cases) AS one ORDER BY 1) in_one_order;
END $$
"""
# Of every matter of the case its newest letter, and whether that was acknowledged; then what is asked of it now.
RECORD_MATTERS = """
CREATE FUNCTION record_matters(now_ cases, standing jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    over boolean := (standing->>'over')::boolean;
    tells boolean := standing @? '$.letters[*] ? (@.subject != "")';
BEGIN
    PERFORM lock_matters(ARRAY[now_.id]);
    IF NOT tells AND NOT EXISTS (SELECT FROM matters WHERE case_id = now_.id) THEN
        RETURN;
    END IF;
    INSERT INTO matters (case_id, subject, recipient_id, insurer_id, letter_id, kind, told_at, times, acknowledged_at,
                         ends_when_read, asks, duty_key, due_at, late, settled, place_at, major, case_kind, number,
                         policy_number, insured_name, region, sector)
    SELECT now_.id, s.subject, s.recipient_id, now_.insurer_id, s.letter_id, s.kind, s.told_at, s.times,
           s.acknowledged_at, s.ends_when_read, asking.so, coalesce(a.duty, ''), due.at,
           coalesce(due.at <= now_.changed_at, false), done.so, matter_place(done.so, due.at, s.told_at), major.so,
           now_.kind, now_.number, standing->>'policy_number', now_.insured_name, now_.region, now_.sector
    FROM (
        SELECT subject, recipient_id, k AS known, t.id IS NOT NULL AS fresh, coalesce(t.id, k.letter_id) AS letter_id,
               coalesce(t.kind, k.kind) AS kind, coalesce(t.at, k.told_at) AS told_at,
               coalesce(k.times, 0) + coalesce(t.times, 0) AS times,
               CASE WHEN t.id IS NULL THEN k.acknowledged_at END AS acknowledged_at,
               coalesce(k.ends_when_read, t.ends_when_read) AS ends_when_read,
               CASE WHEN t.id IS NULL THEN k.due_at ELSE t.due_at END AS written_due
        FROM (SELECT * FROM matters WHERE case_id = now_.id) k
        FULL JOIN (
            SELECT DISTINCT ON (o.subject, o.recipient_id) o.subject, o.recipient_id, o.id, o.kind, o.at,
                   l.ends_when_read, (o.about->>'due_at')::timestamptz AS due_at,
                   count(*) OVER (PARTITION BY o.subject, o.recipient_id)::int AS times
            FROM outbox o
            JOIN (SELECT DISTINCT subject, ends_when_read FROM jsonb_to_recordset(standing->'letters')
                  AS l (subject text, ends_when_read boolean)) l USING (subject)
            WHERE tells AND o.insurer_id = now_.insurer_id AND o.case_id = now_.id AND o.seq = now_.seq
              AND o.subject <> ''
            ORDER BY o.subject, o.recipient_id, o.at DESC, o.id
        ) t USING (subject, recipient_id)
    ) s
    LEFT JOIN jsonb_to_recordset(standing->'asked') AS a (subject text, duty text, due_at timestamptz) USING (subject)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN s.ends_when_read THEN NOT over ELSE a.duty IS NOT NULL END AS so) asking
    CROSS JOIN LATERAL (SELECT NOT asking.so OR (s.ends_when_read AND s.acknowledged_at IS NOT NULL) AS so) done
    CROSS JOIN LATERAL (SELECT CASE WHEN a.duty IS NULL THEN s.written_due ELSE a.due_at END AS at) due
    CROSS JOIN (SELECT (standing->>'major')::boolean AS so) major
    WHERE s.fresh OR (
        (s.known).asks, (s.known).duty_key, (s.known).due_at, (s.known).late, (s.known).settled, (s.known).major,
        (s.known).insured_name, (s.known).region, (s.known).sector
    ) IS DISTINCT FROM (
        asking.so, coalesce(a.duty, ''), due.at, coalesce(due.at <= now_.changed_at, false), done.so, major.so,
        now_.insured_name, now_.region, now_.sector)
    ON CONFLICT (case_id, subject, recipient_id) DO UPDATE SET
        letter_id = excluded.letter_id, kind = excluded.kind, told_at = excluded.told_at, times = excluded.times,
        acknowledged_at = excluded.acknowledged_at, asks = excluded.asks, duty_key = excluded.duty_key,
        due_at = excluded.due_at, late = excluded.late, settled = excluded.settled, place_at = excluded.place_at,
        major = excluded.major, insured_name = excluded.insured_name, region = excluded.region,
        sector = excluded.sector;
END $$
"""
# As in 20261122_3, with what each letter is about.
RECORD_OUTBOX = """
CREATE FUNCTION record_outbox(step jsonb, notice_ids uuid[], asked_for text[], standing jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    row_ jsonb := step->'row';
    of_insurer uuid := (row_->>'insurer_id')::uuid;
    human_queue uuid := '6f0c3a52-6f1d-5c7e-9a55-0a0f5e2b7c00';
    matter jsonb := (row_ - '{clock,packs,view,insurer_id,workflow_id,lives_on}'::text[]) || jsonb_build_object(
        'view', (row_->'view') - '{duties,hazards,packs,terms}'::text[],
        'insurer_name', (SELECT name FROM insurers WHERE id = of_insurer));
BEGIN
    WITH told AS (
        INSERT INTO outbox (id, notice_key, insurer_id, case_id, seq, kind, to_role, recipient_id, urgency, at,
                            about, cites, matter, subject)
        SELECT notice_ids[n.rank], n.notice->>'key', of_insurer, (row_->>'case_id')::uuid, (step->>'seq')::int,
               n.notice->>'kind', n.notice->>'to',
               coalesce(addressee(n.notice, of_insurer, (row_->>'insured_id')::uuid), human_queue),
               n.notice->>'urgency', (n.notice->>'at')::timestamptz,
               n.notice->'about', nullif(n.notice->'cites', 'null'), matter,
               coalesce(standing->'letters'->(n.rank - 1)::int->>'subject', '')
        FROM jsonb_array_elements(step->'notices') WITH ORDINALITY AS n (notice, rank)
        ON CONFLICT (notice_key) DO NOTHING
        RETURNING id, insurer_id, case_id, recipient_id
    ), queued AS (
        INSERT INTO tasks (id, kind, insurer_id, case_id, recipient_id, notice_id, said)
        SELECT gen_random_uuid(),
               CASE WHEN n.notice->>'to' NOT IN ('insurer', 'insured', 'provider', 'broker')
                     AND jsonb_array_length(n.notice->'departments') = 0 THEN 'no_route' ELSE 'no_address' END,
               told.insurer_id, told.case_id, told.recipient_id, told.id, asked_for[n.rank]
        FROM told JOIN jsonb_array_elements(step->'notices') WITH ORDINALITY AS n (notice, rank)
          ON notice_ids[n.rank] = told.id
        WHERE told.recipient_id = human_queue
        ON CONFLICT (kind, notice_id) DO NOTHING
    )
    INSERT INTO nudges (recipient_id) SELECT DISTINCT recipient_id FROM told;
END $$
"""
# As in 20261122_5, with how the matters of the case stand after the step.
RECORD_STEP = """
CREATE FUNCTION record_step(step jsonb, notice_ids uuid[], asked_for text[], standing jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    seq_ int := (step->>'seq')::int;
    at_ timestamptz := (step->>'at')::timestamptz;
    trace jsonb := nullif(step->'trace', 'null');
    now_ cases := jsonb_populate_record(NULL::cases, (step->'row') || jsonb_build_object(
        'id', step->'row'->'case_id', 'seq', seq_, 'opened_at', at_, 'changed_at', at_));
    known int;
    before steps;
BEGIN
    PERFORM set_config('anze.tenant', now_.insurer_id::text, true);
    SELECT seq INTO known FROM cases WHERE id = now_.id FOR UPDATE;
    IF known >= seq_ THEN
        SELECT * INTO before FROM steps WHERE case_id = now_.id AND seq = seq_;
        -- an alarm is rung at its own instant; what else was decided at another time may have come out otherwise
        RETURN CASE WHEN before.cause->>'kind' IS NOT DISTINCT FROM step->'cause'->>'kind'
                     AND before.cause->>'key' IS NOT DISTINCT FROM step->'cause'->>'key'
                     AND (before.at = at_ OR before.cause->>'kind' IS NOT DISTINCT FROM 'alarm')
               THEN NULL ELSE recorded_from(now_.id, seq_) END;
    ELSIF coalesce(known, 0) <> seq_ - 1 THEN
        RAISE EXCEPTION 'step % does not follow %', seq_, coalesce(known, 0) USING ERRCODE = 'AZ001';
    ELSIF known IS NULL THEN
        INSERT INTO cases VALUES (now_.*) ON CONFLICT (id) DO NOTHING;
        IF NOT FOUND THEN  -- another attempt at the first step has just committed it: ask again
            RETURN record_step(step, notice_ids, asked_for, standing);
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
        PERFORM record_outbox(step, notice_ids, asked_for, standing);
    END IF;
    PERFORM record_matters(now_, standing);
    PERFORM audit_step(now_, seq_, 'done');  -- last: it takes the lock every step of this insurer waits for
    RETURN NULL;
END $$
"""
DROPPED = """
DROP TRIGGER letter_written ON outbox;
DROP TRIGGER letter_followed ON outbox;
DROP TRIGGER letter_moved ON outbox;
DROP TRIGGER letter_heard ON outbox;
DROP TRIGGER keep_letters ON cases;
DROP FUNCTION letter_written();
DROP FUNCTION letter_followed();
DROP FUNCTION letter_moved();
DROP FUNCTION letter_heard();
DROP FUNCTION keep_letters();
DROP FUNCTION letter_standing(outbox, cases);
DROP FUNCTION letter_place(boolean, timestamptz, timestamptz);
DROP FUNCTION letter_subject(outbox);
DROP FUNCTION record_step(jsonb, uuid[], text[]);
DROP FUNCTION record_outbox(jsonb, uuid[], text[])
"""
GONE = """
ALTER TABLE outbox DROP COLUMN latest, DROP COLUMN settled, DROP COLUMN major, DROP COLUMN due_at,
    DROP COLUMN judged_at, DROP COLUMN place_at
"""
PARTIES = "('insurer', 'insured', 'provider', 'broker')"
SUBJECTS = f"""
UPDATE outbox SET subject = coalesce(nullif(about->>'duty_key', ''), kind) WHERE to_role NOT IN {PARTIES}
"""
# What is there already: which open duty a report lives on in was not kept, so the one a department owes is taken.
ADOPT = f"""
INSERT INTO matters
SELECT DISTINCT ON (o.case_id, o.subject, o.recipient_id)
       o.case_id, o.subject, o.recipient_id, o.insurer_id, o.id, o.kind, o.at,
       count(*) OVER (PARTITION BY o.case_id, o.subject, o.recipient_id), o.acknowledged_at, news.so, asks.so,
       coalesce(duty.brief->>'key', ''), due.at, coalesce(due.at <= c.changed_at, false), done.so,
       matter_place(done.so, due.at, o.at), c.kind = 'hazard' AND coalesce(c.view->>'grade', '') = 'major', c.kind,
       c.number, coalesce(c.view->>'policy_number', ''), c.insured_name, c.region, c.sector
FROM outbox o JOIN cases c ON c.id = o.case_id
CROSS JOIN LATERAL (SELECT coalesce(o.about->>'duty_key', '') = '') news (so)
LEFT JOIN LATERAL (
    SELECT brief FROM jsonb_array_elements(c.view->'duties') brief
    WHERE c.ended_at IS NULL AND (brief->>'key' = o.subject
          OR (o.kind = 'major_hazard_report' AND brief->>'owed_by' NOT IN {PARTIES}))
    ORDER BY brief->>'key' <> o.subject LIMIT 1) duty ON true
CROSS JOIN LATERAL (
    SELECT CASE WHEN duty.brief IS NULL THEN o.about->>'due_at' ELSE duty.brief->>'due_at' END::timestamptz) due (at)
CROSS JOIN LATERAL (SELECT CASE WHEN news.so THEN c.ended_at IS NULL ELSE duty.brief IS NOT NULL END) asks (so)
CROSS JOIN LATERAL (SELECT NOT asks.so OR (news.so AND o.acknowledged_at IS NOT NULL)) done (so)
WHERE o.subject <> ''
ORDER BY o.case_id, o.subject, o.recipient_id, o.seq DESC, o.at DESC, o.id
"""
TENANT = "insurer_id = (SELECT nullif(current_setting('anze.tenant', true), '')::uuid)"
ADDRESSED = "recipient_id = ANY (string_to_array(nullif(current_setting('anze.recipient', true), ''), ',')::uuid[])"
POLICIES = (("matters", "tenant", TENANT), ("matters", "recipient", ADDRESSED))
BOUND = ("cases", "outbox")


def upgrade() -> None:
    connection = op.get_bind()
    for statements in (TABLES, DROPPED):
        for statement in statements.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
    for function in (PLACE, LOCK, RECORD_MATTERS, RECORD_OUTBOX, RECORD_STEP):
        connection.exec_driver_sql(function)
    for table in BOUND:  # the owner is bound by row-level security too, so it is lifted for this transaction
        connection.exec_driver_sql(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    connection.exec_driver_sql(SUBJECTS)
    connection.exec_driver_sql(ADOPT)
    for table in BOUND:
        connection.exec_driver_sql(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for statement in INDEXES.split(";\n"):
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql(GONE)
    connection.exec_driver_sql("ALTER TABLE matters ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    for table, name, condition in POLICIES:
        connection.exec_driver_sql(
            f"CREATE POLICY {table}_{name} ON {table} FOR ALL TO anze_app USING ({condition}) WITH CHECK ({condition})"
        )
    connection.exec_driver_sql("REVOKE ALL ON matters FROM anze_app")
    # DELETE, because a matter ends to be somebody's when its letters go to somebody else.
    connection.exec_driver_sql("GRANT SELECT, INSERT, UPDATE, DELETE ON matters TO anze_app")


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
