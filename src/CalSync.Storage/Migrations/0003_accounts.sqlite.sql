-- SQLite cannot change a CHECK: the table is made anew under its name. The rows that refer to it find theirs
-- again when they are put back; until then their keys are not checked, and at the commit they are.
PRAGMA defer_foreign_keys = ON;
CREATE TABLE connections_kept AS SELECT * FROM connections;
DROP TABLE connections;
CREATE TABLE connections (
    id                    text PRIMARY KEY,
    tenant_id             text NOT NULL,
    tenant_kind           text NOT NULL,
    user_id               text NOT NULL,
    provider              text NOT NULL
        CHECK (provider IN ('google', 'google-sandbox', 'caldav', 'icloud', 'icloud-sandbox')),
    account_email         text NOT NULL,
    account_subject       text NOT NULL,
    scopes                text NOT NULL,
    state                 text NOT NULL
        CHECK (state IN ('healthy', 'refreshing', 'degraded', 'needs_reauth', 'disconnected')),
    reason                text,
    access_token          {bytes},
    access_expires_at     {instant},
    refresh_token         {bytes},
    token_version         bigint NOT NULL DEFAULT 1,
    lease_owner           text,
    lease_until           {instant},
    lease_fence           bigint NOT NULL DEFAULT 0,
    consecutive_failures  integer NOT NULL DEFAULT 0,
    open_until            {instant},
    next_attempt_at       {instant},
    created_at            {instant} NOT NULL,
    updated_at            {instant} NOT NULL,
    version               bigint NOT NULL DEFAULT 1,
    server_url            text,
    password              {bytes},
    FOREIGN KEY (tenant_id, tenant_kind) REFERENCES tenants (id, kind),
    FOREIGN KEY (user_id, tenant_id) REFERENCES users (id, tenant_id),
    UNIQUE (user_id, provider, account_subject),
    -- Test tenants hold sandbox connections only, live tenants never.
    CONSTRAINT connections_kind_check
        CHECK ((tenant_kind = 'test') = (provider IN ('google-sandbox', 'icloud-sandbox'))),
    CONSTRAINT connections_server_check
        CHECK ((provider IN ('google', 'google-sandbox')) = (server_url IS NULL))
);
INSERT INTO connections SELECT * FROM connections_kept;
DROP TABLE connections_kept;
