-- Two-way sync: pairs, the ledger of their events, what was written, what waits.
-- Columns named google_ belong to the left calendar and columns named icloud_ to the right one, whichever
-- providers they are of; a Google calendar stands left. UIDs, addresses and tokens have no length limit: one
-- that was cut off would be another.

CREATE TABLE calendar_mappings (
    id                   text PRIMARY KEY,
    tenant_id            text NOT NULL,
    name                 text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    -- The calendars, as the program names them to open them.
    google_calendar      text NOT NULL,
    icloud_calendar      text NOT NULL,
    policy               text NOT NULL CHECK (policy IN ('Newest', 'Left', 'Right', 'Ask')),
    enabled              boolean NOT NULL DEFAULT TRUE,
    -- Where reading goes on; the kind says whether it is a sync token or only a tag.
    google_sync_token    text,
    google_token_kind    text CHECK (google_token_kind IN ('SyncToken', 'Tag')),
    icloud_sync_token    text,
    icloud_token_kind    text CHECK (icloud_token_kind IN ('SyncToken', 'Tag')),
    google_last_updated  {instant},
    icloud_last_updated  {instant},
    full_read_at         {instant},
    -- When a run first ended with both cursors kept: from then on many creations are unusual.
    first_synced_at      {instant},
    last_outcome         text,
    -- The last run wrote, and the next read will show it.
    expects_echo         boolean NOT NULL DEFAULT FALSE,
    lease_owner          text,
    lease_until          {instant},
    fence                bigint NOT NULL DEFAULT 0,
    created_at           {instant} NOT NULL,
    updated_at           {instant} NOT NULL
);
CREATE UNIQUE INDEX calendar_mappings_one_name ON calendar_mappings (name, tenant_id);

-- Every content that was ever seen, agreed on or written, once; named by the SHA-256 of its octets.
CREATE TABLE event_contents (
    hash    text PRIMARY KEY,
    octets  {bytes} NOT NULL
);

CREATE TABLE event_mappings (
    id                   text PRIMARY KEY,
    calendar_mapping_id  text NOT NULL REFERENCES calendar_mappings (id),
    -- The UID both sides are compared under; the two others are what each side has.
    event_uid            text NOT NULL,
    google_ical_uid      text,
    icloud_uid           text,
    -- Where it lies: direct access, never a scan.
    google_self_link     text,
    icloud_resource_url  text,
    google_etag          text,
    icloud_etag          text,
    google_sequence      integer NOT NULL DEFAULT 0,
    icloud_sequence      integer NOT NULL DEFAULT 0,
    sync_status          text NOT NULL DEFAULT 'active'
        CHECK (sync_status IN ('active', 'deleted', 'orphaned')),
    -- What both agreed on, and what each side was last seen to hold.
    base_hash            text REFERENCES event_contents (hash),
    google_seen_hash     text REFERENCES event_contents (hash),
    icloud_seen_hash     text REFERENCES event_contents (hash),
    created_at           {instant} NOT NULL,
    updated_at           {instant} NOT NULL,
    UNIQUE (event_uid, calendar_mapping_id)
);
CREATE INDEX idx_event_mappings_google_ical_uid ON event_mappings (google_ical_uid);
CREATE INDEX idx_event_mappings_icloud_uid ON event_mappings (icloud_uid);
CREATE INDEX idx_event_mappings_event_uid ON event_mappings (event_uid);
CREATE INDEX idx_event_mappings_sync_status ON event_mappings (sync_status);
CREATE INDEX event_mappings_by_pair ON event_mappings (calendar_mapping_id, sync_status);
CREATE INDEX event_mappings_by_left ON event_mappings (google_self_link, calendar_mapping_id);
CREATE INDEX event_mappings_by_right ON event_mappings (icloud_resource_url, calendar_mapping_id);

CREATE TABLE sync_runs (
    id                   text PRIMARY KEY,
    calendar_mapping_id  text NOT NULL REFERENCES calendar_mappings (id),
    actor                text NOT NULL,
    started_at           {instant} NOT NULL,
    ended_at             {instant},
    outcome              text,
    detail               text
);
CREATE INDEX sync_runs_by_pair ON sync_runs (calendar_mapping_id, started_at);

-- One write to one side, or a link that writes nothing. Begun before the provider is called, with what will
-- be overwritten; a write that is still open after a crash is looked for by the next run.
CREATE TABLE sync_operations (
    id                   text PRIMARY KEY,
    calendar_mapping_id  text NOT NULL REFERENCES calendar_mappings (id),
    run_id               text NOT NULL,
    event_uid            text NOT NULL,
    title                text NOT NULL,
    operation            text NOT NULL CHECK (operation IN ('create', 'update', 'delete', 'link')),
    sync_direction       text NOT NULL CHECK (sync_direction IN ('left_to_right', 'right_to_left')),
    sync_token_used      boolean NOT NULL,
    state                text NOT NULL CHECK (state IN ('open', 'done', 'void')),
    rule                 text NOT NULL,
    -- For a deletion: what proved it. None is without proof.
    proof                text,
    before_hash          text REFERENCES event_contents (hash),
    sent_hash            text REFERENCES event_contents (hash),
    after_hash           text REFERENCES event_contents (hash),
    base_hash            text REFERENCES event_contents (hash),
    address              text,
    other_address        text,
    other_etag           text,
    other_uid            text,
    other_hash           text REFERENCES event_contents (hash),
    -- What the provider cannot carry, JSON.
    lost                 text,
    created_at           {instant} NOT NULL,
    finished_at          {instant},
    CHECK (operation <> 'delete' OR proof IS NOT NULL)
);
CREATE INDEX sync_operations_by_event ON sync_operations (event_uid, calendar_mapping_id);
CREATE INDEX sync_operations_by_run ON sync_operations (run_id);
CREATE INDEX sync_operations_open ON sync_operations (calendar_mapping_id) WHERE state = 'open';
CREATE INDEX sync_operations_by_time ON sync_operations (created_at);

-- Fields that both sides edited: who won, and what the loser said.
CREATE TABLE event_conflicts (
    id                   text PRIMARY KEY,
    calendar_mapping_id  text NOT NULL REFERENCES calendar_mappings (id),
    event_uid            text NOT NULL,
    run_id               text NOT NULL,
    rule                 text NOT NULL,
    component            text NOT NULL,
    property             text,
    member               text,
    base_value           text,
    left_value           text,
    right_value          text,
    chosen               text NOT NULL CHECK (chosen IN ('left', 'right')),
    left_hash            text REFERENCES event_contents (hash),
    right_hash           text REFERENCES event_contents (hash),
    created_at           {instant} NOT NULL
);
CREATE INDEX event_conflicts_by_event ON event_conflicts (event_uid, calendar_mapping_id);
CREATE INDEX event_conflicts_by_time ON event_conflicts (calendar_mapping_id, created_at);

-- Events that wait: for a person, for a change, for a provider.
CREATE TABLE event_quarantine (
    calendar_mapping_id  text NOT NULL REFERENCES calendar_mappings (id),
    item_key             text NOT NULL,
    event_uid            text,
    left_address         text,
    right_address        text,
    kind                 text NOT NULL CHECK (kind IN ('Unreadable', 'DuplicateUid', 'Ambiguous', 'Conflict',
                             'Refused', 'Failing')),
    reason               text NOT NULL,
    raw                  text,
    attempts             integer NOT NULL,
    next_attempt_at      {instant},
    settled              boolean NOT NULL,
    since                {instant} NOT NULL,
    PRIMARY KEY (item_key, calendar_mapping_id)
);
CREATE INDEX event_quarantine_by_pair ON event_quarantine (calendar_mapping_id);

CREATE TABLE sync_plans (
    id                   text PRIMARY KEY,
    calendar_mapping_id  text NOT NULL REFERENCES calendar_mappings (id),
    run_id               text NOT NULL,
    body                 text NOT NULL,
    created_at           {instant} NOT NULL,
    expires_at           {instant} NOT NULL
);
CREATE INDEX sync_plans_by_pair ON sync_plans (calendar_mapping_id);
