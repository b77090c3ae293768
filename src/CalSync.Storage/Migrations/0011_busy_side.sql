-- A pair can have one side that shows only when somebody is busy; null where both sides show all.
ALTER TABLE calendar_mappings ADD COLUMN busy_side text CHECK (busy_side IN ('left', 'right'));
