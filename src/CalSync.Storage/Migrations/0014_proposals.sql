-- Changes that people make on the calendar itself, and how far each calendar was read back for them.

-- What somebody did to an event of a class by hand. A pending one is a question to the instructor; one that a
-- rule or a later change has answered stays as a record of the drift.
CREATE TABLE proposals (
    id            text PRIMARY KEY,
    tenant_id     text NOT NULL,
    class_id      text NOT NULL,
    slot_id       text NOT NULL,
    mirror_id     text NOT NULL REFERENCES mirrors (id),
    kind          text NOT NULL CHECK (kind IN ('moved', 'deleted', 'relinked')),
    state         text NOT NULL CHECK (state IN ('pending', 'accepted', 'refused', 'withdrawn', 'settled')),
    -- Why it was withdrawn, or what settled it.
    reason        text,
    -- For a deletion: what was to be done about it when it was found.
    policy        text CHECK (policy IN ('recreate', 'cancel_slot', 'ask')),
    -- The slot's times as the platform had them, and the event's as they were found.
    from_start    {instant} NOT NULL,
    from_end      {instant} NOT NULL,
    to_start      {instant},
    to_end        {instant},
    -- It is about the slot as it was at this version; another one makes it moot.
    slot_version  bigint NOT NULL,
    -- The event as it is now, and the one it replaced when it was made again.
    event_id      text NOT NULL,
    old_event_id  text,
    version       bigint NOT NULL DEFAULT 1,
    decided_by    text,
    decided_at    {instant},
    found_at      {instant} NOT NULL,
    updated_at    {instant} NOT NULL,
    FOREIGN KEY (class_id, tenant_id) REFERENCES classes (id, tenant_id),
    FOREIGN KEY (slot_id, class_id) REFERENCES slots (id, class_id),
    CHECK ((kind = 'moved') = (to_start IS NOT NULL AND to_end IS NOT NULL))
);
CREATE UNIQUE INDEX proposals_one_pending ON proposals (slot_id) WHERE state = 'pending';
CREATE INDEX proposals_by_class ON proposals (class_id, id);
CREATE INDEX proposals_waiting ON proposals (id) WHERE state = 'pending';

-- Where reading a calendar back goes on, and when.
CREATE TABLE calendar_readings (
    calendar_id   text PRIMARY KEY REFERENCES calendars (id),
    -- Null: the next reading is a complete one.
    sync_token    text,
    read_at       {instant},
    next_read_at  {instant} NOT NULL,
    failures      integer NOT NULL DEFAULT 0,
    reason        text,
    lease_owner   text,
    lease_until   {instant},
    fence         bigint NOT NULL DEFAULT 0
);
CREATE INDEX calendar_readings_due ON calendar_readings (next_read_at);

-- A reading saw something else than the mirror knows: a worker reads the event itself. It stays set when the
-- turn under way ends, so that what happened during it is looked at as well.
ALTER TABLE mirrors ADD COLUMN look_wanted boolean NOT NULL DEFAULT FALSE;
