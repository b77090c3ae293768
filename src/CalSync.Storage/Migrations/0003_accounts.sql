-- Accounts with a password, and when each pair is due.

-- Where an account signs in, and with what: an AES-256-GCM envelope bound to this row and column. The
-- account_email of such an account is the name it signs in with.
ALTER TABLE connections ADD COLUMN server_url text;
ALTER TABLE connections ADD COLUMN password {bytes};

-- When the worker runs the pair next; null for at once. Failures are runs in a row.
ALTER TABLE calendar_mappings ADD COLUMN next_run_at {instant};
ALTER TABLE calendar_mappings ADD COLUMN failures integer NOT NULL DEFAULT 0;
-- A detached pair is kept for its history; its name is free again.
ALTER TABLE calendar_mappings ADD COLUMN detached_at {instant};
DROP INDEX calendar_mappings_one_name;
CREATE UNIQUE INDEX calendar_mappings_one_name ON calendar_mappings (name, tenant_id)
    WHERE detached_at IS NULL;
