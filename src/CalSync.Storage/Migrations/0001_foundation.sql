-- The foundation: tenants, people, connections, classes, mirrors, operations, journal.
-- One text for both engines. {instant} is timestamptz on PostgreSQL and text (ISO 8601, UTC) on SQLite;
-- {bytes} is bytea or blob. What only one engine can say stands in 0001_foundation.postgres.sql and
-- 0001_foundation.sqlite.sql and runs in the same transaction. Identifiers are prefixed, sortable text.
-- An index begins with its most selective column: PostgreSQL keeps the plan of a foreign key's check for
-- long, and one made while tables were small must not be able to choose "all rows of the tenant".

-- A tenant is live or test for ever; rows below inherit the kind through composite foreign keys.
CREATE TABLE tenants (
    id          text PRIMARY KEY,
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    kind        text NOT NULL CHECK (kind IN ('live', 'test')),
    created_at  {instant} NOT NULL,
    UNIQUE (id, kind)
);

CREATE TABLE users (
    id              text PRIMARY KEY,
    tenant_id       text NOT NULL REFERENCES tenants (id),
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    email           text NOT NULL CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 254),
    -- Where invitations go; the account address until the person says otherwise.
    calendar_email  text NOT NULL
        CHECK (calendar_email = lower(calendar_email) AND length(calendar_email) BETWEEN 3 AND 254),
    role            text NOT NULL CHECK (role IN ('admin', 'operator', 'instructor', 'student')),
    time_zone       text NOT NULL,
    created_at      {instant} NOT NULL,
    version         bigint NOT NULL DEFAULT 1,
    UNIQUE (email, tenant_id),
    UNIQUE (id, tenant_id)
);

-- Bearer tokens for people and programs; only the SHA-256 of a token is kept.
CREATE TABLE api_tokens (
    id          text PRIMARY KEY,
    user_id     text NOT NULL REFERENCES users (id),
    hash        text NOT NULL UNIQUE,
    label       text NOT NULL,
    created_at  {instant} NOT NULL,
    expires_at  {instant},
    revoked_at  {instant}
);

-- One account at one provider. Tokens are AES-256-GCM envelopes bound to this row and column.
CREATE TABLE connections (
    id                    text PRIMARY KEY,
    tenant_id             text NOT NULL,
    tenant_kind           text NOT NULL,
    user_id               text NOT NULL,
    provider              text NOT NULL CHECK (provider IN ('google', 'google-sandbox')),
    account_email         text NOT NULL,
    account_subject       text NOT NULL,
    scopes                text NOT NULL,
    state                 text NOT NULL
        CHECK (state IN ('healthy', 'refreshing', 'degraded', 'needs_reauth', 'disconnected')),
    reason                text,
    access_token          {bytes},
    access_expires_at     {instant},
    refresh_token         {bytes},
    -- Compare-and-swap: every stored token pair raises it; a refresher that lost its lease changes nothing.
    token_version         bigint NOT NULL DEFAULT 1,
    lease_owner           text,
    lease_until           {instant},
    lease_fence           bigint NOT NULL DEFAULT 0,
    consecutive_failures  integer NOT NULL DEFAULT 0,
    open_until            {instant},
    next_attempt_at       {instant},
    created_at            {instant} NOT NULL,
    updated_at            {instant} NOT NULL,
    version               bigint NOT NULL DEFAULT 1,
    FOREIGN KEY (tenant_id, tenant_kind) REFERENCES tenants (id, kind),
    FOREIGN KEY (user_id, tenant_id) REFERENCES users (id, tenant_id),
    UNIQUE (user_id, provider, account_subject),
    -- Test tenants hold sandbox connections only, live tenants never.
    CHECK ((tenant_kind = 'test') = (provider = 'google-sandbox'))
);

-- An OAuth authorization under way: state and PKCE verifier, single use.
CREATE TABLE connection_attempts (
    state          text PRIMARY KEY,
    tenant_id      text NOT NULL REFERENCES tenants (id),
    user_id        text NOT NULL REFERENCES users (id),
    provider       text NOT NULL,
    code_verifier  {bytes} NOT NULL,
    redirect_uri   text NOT NULL,
    -- The connection being renewed; null for a new one.
    reconnect_id   text REFERENCES connections (id),
    created_at     {instant} NOT NULL,
    expires_at     {instant} NOT NULL
);

CREATE TABLE calendars (
    id             text PRIMARY KEY,
    connection_id  text NOT NULL REFERENCES connections (id),
    remote_id      text NOT NULL,
    summary        text NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('PRIMARY', 'SECONDARY')),
    time_zone      text NOT NULL,
    access_role    text NOT NULL,
    state          text NOT NULL CHECK (state IN ('available', 'unwritable', 'gone')),
    selected       boolean NOT NULL,
    -- Since when it is not available; one notice for each such time.
    lost_at        {instant},
    updated_at     {instant} NOT NULL,
    UNIQUE (connection_id, remote_id),
    UNIQUE (id, connection_id)
);
CREATE UNIQUE INDEX calendars_one_selected ON calendars (connection_id) WHERE selected;

CREATE TABLE classes (
    id             text PRIMARY KEY,
    tenant_id      text NOT NULL REFERENCES tenants (id),
    instructor_id  text NOT NULL,
    title          text NOT NULL CHECK (length(title) BETWEEN 1 AND 300),
    description    text,
    location       text,
    time_zone      text NOT NULL,
    capacity       integer NOT NULL CHECK (capacity BETWEEN 1 AND 10000),
    seats_taken    integer NOT NULL DEFAULT 0,
    conference     boolean NOT NULL,
    price_minor    bigint NOT NULL CHECK (price_minor >= 0),
    currency       text NOT NULL CHECK (length(currency) = 3),
    state          text NOT NULL CHECK (state IN ('scheduled', 'cancelling', 'cancelled')),
    content_hash   text NOT NULL,
    version        bigint NOT NULL,
    created_at     {instant} NOT NULL,
    updated_at     {instant} NOT NULL,
    FOREIGN KEY (instructor_id, tenant_id) REFERENCES users (id, tenant_id),
    UNIQUE (id, tenant_id),
    CONSTRAINT classes_seats_within_capacity CHECK (seats_taken BETWEEN 0 AND capacity)
);
CREATE INDEX classes_by_instructor ON classes (instructor_id, created_at);

CREATE TABLE schedules (
    id        text PRIMARY KEY,
    class_id  text NOT NULL REFERENCES classes (id),
    ordinal   integer NOT NULL,
    -- The rule the slots were made from, RFC 5545 3.3.10; null when they were listed one by one.
    rrule     text,
    UNIQUE (class_id, ordinal),
    UNIQUE (id, class_id)
);

-- Wall time and zone are what people agreed on; the instants are derived from them and checked on every
-- write.
CREATE TABLE slots (
    id           text PRIMARY KEY,
    class_id     text NOT NULL,
    schedule_id  text NOT NULL,
    start_local  text NOT NULL,
    end_local    text NOT NULL,
    time_zone    text NOT NULL,
    start_at     {instant} NOT NULL,
    end_at       {instant} NOT NULL,
    state        text NOT NULL CHECK (state IN ('scheduled', 'cancelling', 'cancelled', 'completed')),
    version      bigint NOT NULL,
    -- The mirror version that first asks for these times: verified at it, people may be told them.
    wanted_version bigint NOT NULL DEFAULT 1,
    created_at   {instant} NOT NULL,
    updated_at   {instant} NOT NULL,
    FOREIGN KEY (schedule_id, class_id) REFERENCES schedules (id, class_id),
    UNIQUE (id, class_id),
    CHECK (end_at > start_at)
);
CREATE INDEX slots_by_class ON slots (class_id);
CREATE INDEX slots_ending ON slots (end_at) WHERE state = 'scheduled';

CREATE TABLE enrolments (
    id              text PRIMARY KEY,
    tenant_id       text NOT NULL,
    class_id        text NOT NULL,
    student_id      text NOT NULL,
    calendar_email  text NOT NULL CHECK (calendar_email = lower(calendar_email)),
    state           text NOT NULL CHECK (state IN ('pending_calendar', 'active', 'active_without_calendar',
                        'rolling_back', 'failed_rolled_back', 'needs_attention', 'cancelling', 'cancelled')),
    reason          text,
    -- When a seat still pending on the calendar is given back; null once settled.
    deadline_at     {instant},
    version         bigint NOT NULL,
    created_at      {instant} NOT NULL,
    updated_at      {instant} NOT NULL,
    FOREIGN KEY (class_id, tenant_id) REFERENCES classes (id, tenant_id),
    FOREIGN KEY (student_id, tenant_id) REFERENCES users (id, tenant_id)
);
-- One live seat for a student in a class; ended ones stay as history.
CREATE UNIQUE INDEX enrolments_one_live_seat ON enrolments (class_id, student_id)
    WHERE state IN ('pending_calendar', 'active', 'active_without_calendar', 'needs_attention', 'cancelling',
        'rolling_back');
CREATE INDEX enrolments_by_student ON enrolments (student_id);
CREATE INDEX enrolments_by_class ON enrolments (class_id, id);

CREATE TABLE payments (
    id            text PRIMARY KEY,
    tenant_id     text NOT NULL REFERENCES tenants (id),
    enrolment_id  text NOT NULL UNIQUE REFERENCES enrolments (id),
    amount_minor  bigint NOT NULL CHECK (amount_minor >= 0),
    currency      text NOT NULL CHECK (length(currency) = 3),
    state         text NOT NULL CHECK (state IN ('pending', 'confirmed', 'void')),
    confirmed_by  text,
    confirmed_at  {instant},
    version       bigint NOT NULL,
    updated_at    {instant} NOT NULL
);

-- A slot and its one provider event. desired >= applied >= verified, always.
CREATE TABLE mirrors (
    id                 text PRIMARY KEY,
    tenant_id          text NOT NULL REFERENCES tenants (id),
    slot_id            text NOT NULL REFERENCES slots (id),
    connection_id      text NOT NULL,
    calendar_id        text NOT NULL,
    -- Raised when an event id is burnt (deleted at the provider) and the event must be made again under a
    -- new one.
    generation         integer NOT NULL DEFAULT 1,
    provider_event_id  text NOT NULL,
    ical_uid           text,
    etag               text,
    html_link          text,
    conference_link    text,
    -- The event as last read back, JSON; the journal keeps the ones before.
    observed           text,
    desired_version    bigint NOT NULL,
    applied_version    bigint NOT NULL DEFAULT 0,
    verified_version   bigint NOT NULL DEFAULT 0,
    state              text NOT NULL CHECK (state IN ('pending', 'in_flight', 'retry_wait', 'parked',
                           'verified', 'unverified', 'needs_attention', 'gone')),
    reason             text,
    detail             text,
    attempts           integer NOT NULL DEFAULT 0,
    -- When a worker may take it next; null when nothing is left to do.
    next_attempt_at    {instant},
    -- A write whose answer was lost; the next pass reads before it writes.
    outcome_unknown    boolean NOT NULL DEFAULT FALSE,
    lease_owner        text,
    lease_until        {instant},
    fence              bigint NOT NULL DEFAULT 0,
    active             boolean NOT NULL DEFAULT TRUE,
    correlation_id     text NOT NULL,
    created_at         {instant} NOT NULL,
    updated_at         {instant} NOT NULL,
    FOREIGN KEY (calendar_id, connection_id) REFERENCES calendars (id, connection_id),
    UNIQUE (connection_id, calendar_id, provider_event_id),
    CONSTRAINT mirrors_versions_in_order
        CHECK (desired_version >= applied_version AND applied_version >= verified_version)
);
CREATE UNIQUE INDEX mirrors_one_active ON mirrors (slot_id) WHERE active;
CREATE INDEX mirrors_due ON mirrors (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX mirrors_by_connection ON mirrors (connection_id, state);

-- One durable intent. It is done when every step's mirror has been verified at its required version.
CREATE TABLE operations (
    id               text PRIMARY KEY,
    tenant_id        text NOT NULL,
    kind             text NOT NULL,
    class_id         text NOT NULL,
    enrolment_id     text REFERENCES enrolments (id),
    user_id          text NOT NULL,
    correlation_id   text NOT NULL,
    state            text NOT NULL CHECK (state IN ('pending', 'in_flight', 'retry_wait', 'parked',
                         'verified', 'unverified', 'needs_attention', 'compensating', 'compensated',
                         'abandoned')),
    reason           text,
    detail           text,
    attempts         integer NOT NULL DEFAULT 0,
    next_attempt_at  {instant},
    deadline_at      {instant},
    -- False until the class side has drawn its conclusion (seat active, seat freed, class cancelled).
    settled          boolean NOT NULL DEFAULT FALSE,
    created_at       {instant} NOT NULL,
    updated_at       {instant} NOT NULL,
    FOREIGN KEY (class_id, tenant_id) REFERENCES classes (id, tenant_id)
);
-- Every accepted request adds a row, so there are no more indexes than the worker needs: people page by id,
-- which is in the order of time, and a request's operations are found through the journal.
CREATE INDEX operations_unsettled ON operations (state, updated_at) WHERE NOT settled;
CREATE INDEX operations_by_enrolment ON operations (enrolment_id) WHERE enrolment_id IS NOT NULL;

CREATE TABLE operation_steps (
    operation_id      text NOT NULL REFERENCES operations (id),
    mirror_id         text NOT NULL REFERENCES mirrors (id),
    required_version  bigint NOT NULL,
    verified          boolean NOT NULL DEFAULT FALSE,
    PRIMARY KEY (operation_id, mirror_id)
);
CREATE INDEX operation_steps_by_mirror ON operation_steps (mirror_id, required_version) WHERE NOT verified;

-- One row: the last sequence number and hash. Whoever appends updates it first and holds it until commit,
-- so numbers have no gaps and their order is the commit order.
CREATE TABLE journal_head (
    id    integer PRIMARY KEY CHECK (id = 1),
    seq   bigint NOT NULL,
    hash  text NOT NULL
);
INSERT INTO journal_head (id, seq, hash) VALUES (1, 0, '');

CREATE TABLE journal (
    seq             bigint PRIMARY KEY,
    at              {instant} NOT NULL,
    tenant_id       text NOT NULL,
    actor           text NOT NULL,
    cause           text NOT NULL,
    correlation_id  text NOT NULL,
    kind            text NOT NULL,
    subject_kind    text NOT NULL,
    subject_id      text NOT NULL,
    class_id        text,
    before          text,
    after           text,
    hash            text NOT NULL
);
CREATE INDEX journal_by_subject ON journal (subject_id, seq);
CREATE INDEX journal_by_class ON journal (class_id, seq);
CREATE INDEX journal_by_correlation ON journal (correlation_id, seq);

CREATE TABLE idempotency_keys (
    tenant_id       text NOT NULL,
    user_id         text NOT NULL,
    route           text NOT NULL,
    key             text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint     text NOT NULL,
    -- Null while the first request is still waiting for its answer.
    status          integer,
    headers         text,
    body            text,
    class_id        text,
    enrolment_id    text,
    operation_id    text,
    correlation_id  text NOT NULL,
    lease_until     {instant} NOT NULL,
    created_at      {instant} NOT NULL,
    expires_at      {instant} NOT NULL,
    PRIMARY KEY (tenant_id, user_id, route, key)
);
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);

-- What people are told or reminded of; the dedupe key makes a repeated decision one message.
CREATE TABLE notices (
    id            text PRIMARY KEY,
    tenant_id     text NOT NULL REFERENCES tenants (id),
    user_id       text NOT NULL REFERENCES users (id),
    kind          text NOT NULL,
    class_id      text,
    slot_id       text,
    slot_version  bigint,
    enrolment_id  text,
    message       text NOT NULL,
    due_at        {instant} NOT NULL,
    state         text NOT NULL CHECK (state IN ('scheduled', 'cancelled', 'sent')),
    dedupe_key    text NOT NULL UNIQUE,
    created_at    {instant} NOT NULL,
    updated_at    {instant} NOT NULL
);
CREATE INDEX notices_by_user ON notices (user_id, due_at);
CREATE INDEX notices_due ON notices (due_at) WHERE state = 'scheduled';
CREATE INDEX notices_by_slot ON notices (slot_id) WHERE slot_id IS NOT NULL;

-- The five kill switches; a row is a deviation from normal and ends by itself.
CREATE TABLE switches (
    name        text PRIMARY KEY,
    value       text NOT NULL,
    reason      text NOT NULL,
    actor       text NOT NULL,
    set_at      {instant} NOT NULL,
    expires_at  {instant} NOT NULL
);

CREATE TABLE workers (
    id          text PRIMARY KEY,
    host        text NOT NULL,
    process_id  integer NOT NULL,
    started_at  {instant} NOT NULL,
    seen_at     {instant} NOT NULL
);
