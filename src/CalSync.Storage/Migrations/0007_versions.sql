-- What both sides of a pair held over time: a row each time a run saw or left an event otherwise than before.
CREATE TABLE event_versions (
    id                   text PRIMARY KEY,
    calendar_mapping_id  text NOT NULL REFERENCES calendar_mappings (id),
    event_uid            text NOT NULL,
    -- The run that saw or made it; empty for what was known before versions were kept.
    run_id               text NOT NULL,
    rule                 text NOT NULL,
    sync_status          text NOT NULL CHECK (sync_status IN ('active', 'deleted', 'orphaned')),
    title                text NOT NULL,
    -- The UID the event had on each side; null where it was not.
    left_uid             text,
    right_uid            text,
    -- What the run found on each side and what it left there; null for nothing.
    left_found_hash      text REFERENCES event_contents (hash),
    right_found_hash     text REFERENCES event_contents (hash),
    left_hash            text REFERENCES event_contents (hash),
    right_hash           text REFERENCES event_contents (hash),
    base_hash            text REFERENCES event_contents (hash),
    created_at           {instant} NOT NULL
);
CREATE INDEX event_versions_by_event ON event_versions (event_uid, calendar_mapping_id, created_at);
CREATE INDEX event_versions_by_pair ON event_versions (calendar_mapping_id, created_at);
CREATE INDEX event_versions_by_run ON event_versions (run_id);
CREATE INDEX event_versions_by_time ON event_versions (created_at);

-- The history begins with what the ledger knows now.
INSERT INTO event_versions (id, calendar_mapping_id, event_uid, run_id, rule, sync_status, title, left_uid,
    right_uid, left_found_hash, right_found_hash, left_hash, right_hash, base_hash, created_at)
SELECT 'ver_' || id, calendar_mapping_id, event_uid, '', 'Equal', sync_status, '', google_ical_uid,
    icloud_uid, google_seen_hash, icloud_seen_hash, google_seen_hash, icloud_seen_hash, base_hash, updated_at
FROM event_mappings;

-- The UID the event has on the side written to: a deletion is taken back under it.
ALTER TABLE sync_operations ADD COLUMN side_uid text;
