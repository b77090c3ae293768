-- What a grant is known to do: where refresh tokens rotate, the one before the current is kept for one
-- generation; an end that the provider named is known before it comes.
ALTER TABLE connections ADD COLUMN previous_refresh_token {bytes};
ALTER TABLE connections ADD COLUMN grant_expires_at {instant};
-- Tokens to renew ahead of need are found by their end, however many connections there are.
CREATE INDEX connections_by_expiry ON connections (access_expires_at, id)
    WHERE state IN ('healthy', 'degraded', 'refreshing');
