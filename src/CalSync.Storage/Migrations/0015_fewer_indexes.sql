-- Each index is written once for every event of a first sync: what two do, one does. An event is found by its
-- pair and UID, which are also all versions of a pair; entries of the journal outside classes are found by no
-- class.
DROP INDEX event_versions_by_event;
DROP INDEX event_versions_by_pair;
CREATE INDEX event_versions_by_event ON event_versions (calendar_mapping_id, event_uid, created_at);
DROP INDEX journal_by_class;
CREATE INDEX journal_by_class ON journal (class_id, seq) WHERE class_id IS NOT NULL;
