ALTER TABLE event_mappings DROP CONSTRAINT event_mappings_event_uid_calendar_mapping_id_key;
DROP INDEX idx_event_mappings_event_uid;
DROP INDEX idx_event_mappings_sync_status;
DROP INDEX event_mappings_by_pair;
CREATE UNIQUE INDEX idx_event_mappings_event_uid ON event_mappings (event_uid, calendar_mapping_id);
CREATE INDEX idx_event_mappings_sync_status ON event_mappings (sync_status, calendar_mapping_id);
