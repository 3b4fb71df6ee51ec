"""Claims: limits in use, payment orders and answers, victims sealed by field, insurers' figures, scopes of keys."""

from alembic import op

revision = "20261122_4"
down_revision = "20261122_3"
branch_labels = None
depends_on = None

# NaN is greater than every number in PostgreSQL, so each sum of money has an upper bound too (promises.md E14).
TABLES = """
ALTER TABLE api_keys ADD COLUMN scopes varchar[] DEFAULT '{}' NOT NULL;

CREATE TABLE claim_limits (
    insurer_id uuid NOT NULL, policy_id uuid NOT NULL, per_person numeric(18, 2), per_accident numeric(18, 2),
    aggregate numeric(18, 2), rescue numeric(18, 2), costs numeric(18, 2),
    changed_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_claim_limits PRIMARY KEY (insurer_id, policy_id),
    CONSTRAINT fk_claim_limits_insurer_id_policy_id
        FOREIGN KEY (insurer_id, policy_id) REFERENCES cases (insurer_id, id),
    CONSTRAINT ck_claim_limits_per_person_is_money CHECK (per_person >= 0 AND per_person < 10000000000000000),
    CONSTRAINT ck_claim_limits_per_accident_is_money CHECK (per_accident >= 0 AND per_accident < 10000000000000000),
    CONSTRAINT ck_claim_limits_aggregate_is_money CHECK (aggregate >= 0 AND aggregate < 10000000000000000),
    CONSTRAINT ck_claim_limits_rescue_is_money CHECK (rescue >= 0 AND rescue < 10000000000000000),
    CONSTRAINT ck_claim_limits_costs_is_money CHECK (costs >= 0 AND costs < 10000000000000000)
);

CREATE TABLE reservations (
    insurer_id uuid NOT NULL, number varchar NOT NULL, case_id uuid NOT NULL, policy_id uuid NOT NULL,
    accident varchar NOT NULL, amount numeric(18, 2) NOT NULL, fingerprint varchar NOT NULL,
    standards jsonb NOT NULL, reserved_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_reservations PRIMARY KEY (insurer_id, number),
    CONSTRAINT fk_reservations_insurer_id_case_id FOREIGN KEY (insurer_id, case_id) REFERENCES cases (insurer_id, id),
    CONSTRAINT fk_reservations_insurer_id_policy_id
        FOREIGN KEY (insurer_id, policy_id) REFERENCES claim_limits (insurer_id, policy_id),
    CONSTRAINT ck_reservations_amount_is_money CHECK (amount > 0 AND amount < 10000000000000000)
);
CREATE INDEX ix_reservations_insurer_id_policy_id_accident ON reservations (insurer_id, policy_id, accident);

CREATE TABLE limit_movements (
    insurer_id uuid NOT NULL, number varchar NOT NULL, key varchar NOT NULL, line integer NOT NULL,
    pot varchar NOT NULL, person uuid, amount numeric(18, 2) NOT NULL, at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_limit_movements PRIMARY KEY (insurer_id, number, key, line),
    CONSTRAINT fk_limit_movements_insurer_id_number
        FOREIGN KEY (insurer_id, number) REFERENCES reservations (insurer_id, number),
    CONSTRAINT ck_limit_movements_amount_is_money CHECK (amount <> 0 AND abs(amount) < 10000000000000000)
);
CREATE INDEX ix_limit_movements_insurer_id_person ON limit_movements (insurer_id, person);

CREATE TABLE payment_orders (
    insurer_id uuid NOT NULL, number varchar NOT NULL, case_id uuid NOT NULL, workflow_id varchar NOT NULL,
    order_key varchar NOT NULL, kind varchar NOT NULL, amount numeric(18, 2) NOT NULL, payee varchar NOT NULL,
    payee_ref uuid, channel varchar NOT NULL, fingerprint varchar NOT NULL, state varchar NOT NULL,
    bank_reference varchar DEFAULT '' NOT NULL, code varchar DEFAULT '' NOT NULL,
    written_at timestamptz DEFAULT now() NOT NULL, sent_at timestamptz, answered_at timestamptz,
    CONSTRAINT pk_payment_orders PRIMARY KEY (insurer_id, number),
    CONSTRAINT fk_payment_orders_insurer_id_case_id
        FOREIGN KEY (insurer_id, case_id) REFERENCES cases (insurer_id, id),
    CONSTRAINT uq_payment_orders_order_key UNIQUE (order_key),
    CONSTRAINT ck_payment_orders_amount_is_money CHECK (amount > 0 AND amount < 10000000000000000),
    CONSTRAINT ck_payment_orders_confirmed_has_reference CHECK (state <> 'confirmed' OR bank_reference <> '')
);
CREATE INDEX ix_payment_orders_insurer_id_case_id ON payment_orders (insurer_id, case_id);
CREATE INDEX ix_payment_orders_open ON payment_orders (insurer_id, written_at) WHERE bank_reference = '';

CREATE TABLE payment_answers (
    id uuid NOT NULL, insurer_id uuid NOT NULL, order_key varchar NOT NULL, source varchar NOT NULL,
    outcome varchar NOT NULL, bank_reference varchar DEFAULT '' NOT NULL, code varchar DEFAULT '' NOT NULL,
    amount numeric(18, 2), at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_payment_answers PRIMARY KEY (id),
    CONSTRAINT fk_payment_answers_insurer_id FOREIGN KEY (insurer_id) REFERENCES insurers (id),
    CONSTRAINT ck_payment_answers_amount_is_money CHECK (amount >= 0 AND amount < 10000000000000000)
);
CREATE INDEX ix_payment_answers_insurer_id_order_key ON payment_answers (insurer_id, order_key);

CREATE TABLE victims (
    id uuid NOT NULL, insurer_id uuid NOT NULL, case_id uuid NOT NULL, ref uuid NOT NULL, employee boolean NOT NULL,
    name bytea NOT NULL, identity_number bytea, bank_account bytea, phone bytea,
    look_alike varchar DEFAULT '' NOT NULL, created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_victims PRIMARY KEY (id),
    CONSTRAINT uq_victims_insurer_id_ref UNIQUE (insurer_id, ref),
    CONSTRAINT fk_victims_insurer_id_case_id FOREIGN KEY (insurer_id, case_id) REFERENCES cases (insurer_id, id)
);
CREATE UNIQUE INDEX uq_victims_look_alike ON victims (insurer_id, case_id, look_alike) WHERE look_alike <> '';

CREATE TABLE victim_sights (
    id uuid NOT NULL, insurer_id uuid NOT NULL, case_id uuid NOT NULL, ref uuid NOT NULL, actor_kind text NOT NULL,
    actor_id varchar NOT NULL, fields varchar NOT NULL, why varchar NOT NULL, at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_victim_sights PRIMARY KEY (id),
    CONSTRAINT fk_victim_sights_insurer_id_case_id
        FOREIGN KEY (insurer_id, case_id) REFERENCES cases (insurer_id, id)
);
CREATE INDEX ix_victim_sights_insurer_id_ref ON victim_sights (insurer_id, ref);

CREATE TABLE insurer_claim_rules (
    id uuid NOT NULL, insurer_id uuid NOT NULL, in_force_on date NOT NULL, figures jsonb NOT NULL,
    recorded_by varchar NOT NULL, recorded_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_insurer_claim_rules PRIMARY KEY (id),
    CONSTRAINT fk_insurer_claim_rules_insurer_id FOREIGN KEY (insurer_id) REFERENCES insurers (id)
);
CREATE INDEX ix_insurer_claim_rules_insurer_id_in_force_on_recorded_at
    ON insurer_claim_rules (insurer_id, in_force_on, recorded_at);
"""

TENANT = "insurer_id = nullif(current_setting('anze.tenant', true), '')::uuid"
OPERATOR = "current_setting('anze.operator', true) = 'on'"
CHANGING = ("claim_limits", "reservations", "payment_orders", "victims")
KEPT = ("limit_movements", "payment_answers", "victim_sights", "insurer_claim_rules")
RECONCILED = ("payment_orders", "payment_answers")
"""What the operators' daily reconciliation reads; who was hurt and what a claim is about it does not see."""


def upgrade() -> None:
    connection = op.get_bind()
    for statement in TABLES.split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)
    for table in CHANGING + KEPT:
        connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        connection.exec_driver_sql(
            f"CREATE POLICY {table}_tenant ON {table} FOR ALL TO anze_app USING ({TENANT}) WITH CHECK ({TENANT})"
        )
    for table in RECONCILED:
        connection.exec_driver_sql(
            f"CREATE POLICY {table}_operator ON {table} FOR SELECT TO anze_app USING ({OPERATOR})"
        )
    connection.exec_driver_sql(f"REVOKE ALL ON {', '.join(CHANGING + KEPT)} FROM anze_app")
    connection.exec_driver_sql(f"GRANT SELECT, INSERT ON {', '.join(KEPT)} TO anze_app")
    connection.exec_driver_sql(f"GRANT SELECT, INSERT, UPDATE ON {', '.join(CHANGING)} TO anze_app")


def downgrade() -> None:
    raise NotImplementedError("a migration gets a successor; to go back, restore a backup")
