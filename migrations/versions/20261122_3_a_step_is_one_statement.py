"""A step is one statement: record_step writes step, read model, timeline, answer, outbox and nudges, or nothing.

What it is given is a contract (models/contracts/step.py) as JSON; it decides nothing but who a role is (see
docs/decisions/0002-one-statement-per-step.md for why it is a function, and what it saves).
"""

from alembic import op

revision = "20261122_3"
down_revision = "20261122_2"
branch_labels = None
depends_on = None

# The recipient of a notice: the department registered first among the candidates, a party of the policy, or nobody.
ADDRESSEE = """
CREATE FUNCTION addressee(notice jsonb, of_insurer uuid, of_insured uuid) RETURNS uuid
LANGUAGE sql STABLE AS $$
    SELECT CASE
    WHEN notice->>'to' = 'human_queue' THEN NULL
    WHEN notice->>'to' = 'insured' THEN (SELECT id FROM recipients WHERE insured_id = of_insured AND email <> '')
    WHEN notice->>'to' IN ('insurer', 'provider', 'broker') THEN (
        SELECT id FROM recipients
        WHERE insurer_id = of_insurer AND insured_id IS NULL AND role IN (notice->>'to', 'insurer') AND email <> ''
        ORDER BY role = 'insurer' LIMIT 1)
    ELSE (
        SELECT r.id FROM jsonb_array_elements(notice->'departments') WITH ORDINALITY AS d (pair, rank)
        JOIN recipients r ON r.region = d.pair->>0 AND r.department = d.pair->>1 AND r.email <> ''
        ORDER BY d.rank LIMIT 1)
    END
$$
"""

RECORD_OUTBOX = """
CREATE FUNCTION record_outbox(step jsonb, notice_ids uuid[], asked_for text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    row_ jsonb := step->'row';
    of_insurer uuid := (row_->>'insurer_id')::uuid;
    human_queue uuid := '6f0c3a52-6f1d-5c7e-9a55-0a0f5e2b7c00';
    matter jsonb := (row_ - '{clock,packs,view,insurer_id,workflow_id}'::text[]) || jsonb_build_object(
        'view', (row_->'view') - '{duties,hazards,packs,terms}'::text[],
        'insurer_name', (SELECT name FROM insurers WHERE id = of_insurer));
BEGIN
    WITH told AS (
        INSERT INTO outbox (id, notice_key, insurer_id, case_id, seq, kind, to_role, recipient_id, urgency, at,
                            about, cites, matter)
        SELECT notice_ids[n.rank], n.notice->>'key', of_insurer, (row_->>'case_id')::uuid, (step->>'seq')::int,
               n.notice->>'kind', n.notice->>'to',
               coalesce(addressee(n.notice, of_insurer, (row_->>'insured_id')::uuid), human_queue),
               n.notice->>'urgency', (n.notice->>'at')::timestamptz,
               n.notice->'about', nullif(n.notice->'cites', 'null'), matter
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

# What stands in the ledger from a step on: the steps a case has lost, each with its cause.
RECORDED_FROM = """
CREATE FUNCTION recorded_from(of_case uuid, from_seq int) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_agg(jsonb_build_object('seq', seq, 'at', at, 'cause', cause) ORDER BY seq)
    FROM steps WHERE case_id = of_case AND seq >= from_seq
$$
"""

# Answers null when the step is in the ledger now, by this attempt or an earlier one; otherwise the steps of other
# causes that stand in its place (docs/decisions/0021-the-ledger-is-the-journal.md).
RECORD_STEP = """
CREATE FUNCTION record_step(step jsonb, notice_ids uuid[], asked_for text[]) RETURNS jsonb
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
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    connection = op.get_bind()
    for function in (ADDRESSEE, RECORD_OUTBOX, RECORDED_FROM, RECORD_STEP):
        connection.exec_driver_sql(function)


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
