-- Grants with an end of their own are found by it, however many connections have none.
CREATE INDEX connections_by_grant_end ON connections (grant_expires_at) WHERE grant_expires_at IS NOT NULL;
