-- SQLite cannot drop a UNIQUE: the table, which no other refers to, is made anew under its name.
CREATE TABLE event_mappings_kept AS SELECT * FROM event_mappings;
DROP TABLE event_mappings;
CREATE TABLE event_mappings (
    id                   text PRIMARY KEY,
    calendar_mapping_id  text NOT NULL REFERENCES calendar_mappings (id),
    event_uid            text NOT NULL,
    google_ical_uid      text,
    icloud_uid           text,
    google_self_link     text,
    icloud_resource_url  text,
    google_etag          text,
    icloud_etag          text,
    google_sequence      integer NOT NULL DEFAULT 0,
    icloud_sequence      integer NOT NULL DEFAULT 0,
    sync_status          text NOT NULL DEFAULT 'active'
        CHECK (sync_status IN ('active', 'deleted', 'orphaned')),
    base_hash            text REFERENCES event_contents (hash),
    google_seen_hash     text REFERENCES event_contents (hash),
    icloud_seen_hash     text REFERENCES event_contents (hash),
    created_at           {instant} NOT NULL,
    updated_at           {instant} NOT NULL
);
INSERT INTO event_mappings SELECT * FROM event_mappings_kept;
DROP TABLE event_mappings_kept;
CREATE UNIQUE INDEX idx_event_mappings_event_uid ON event_mappings (event_uid, calendar_mapping_id);
CREATE INDEX idx_event_mappings_google_ical_uid ON event_mappings (google_ical_uid);
CREATE INDEX idx_event_mappings_icloud_uid ON event_mappings (icloud_uid);
CREATE INDEX idx_event_mappings_sync_status ON event_mappings (sync_status, calendar_mapping_id);
CREATE INDEX event_mappings_by_left ON event_mappings (google_self_link, calendar_mapping_id);
CREATE INDEX event_mappings_by_right ON event_mappings (icloud_resource_url, calendar_mapping_id);
