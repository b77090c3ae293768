-- SQLite cannot change a CHECK: the table, which no other refers to, is made anew under its name.
CREATE TABLE sessions_kept AS SELECT * FROM sessions;
DROP TABLE sessions;
CREATE TABLE sessions (
    id                text PRIMARY KEY,
    tenant_id         text NOT NULL,
    user_id           text NOT NULL,
    method            text NOT NULL CHECK (method IN ('cli', 'password', 'google')),
    authenticated_at  {instant} NOT NULL,
    expires_at        {instant} NOT NULL,
    ended_at          {instant},
    FOREIGN KEY (user_id, tenant_id) REFERENCES users (id, tenant_id)
);
INSERT INTO sessions SELECT * FROM sessions_kept;
DROP TABLE sessions_kept;
CREATE INDEX sessions_of_a_user ON sessions (user_id, expires_at);
