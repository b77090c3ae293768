-- A pair whose calendars each have a marker event that must be seen before a deletion is carried over.
ALTER TABLE calendar_mappings ADD COLUMN canary boolean NOT NULL DEFAULT FALSE;
