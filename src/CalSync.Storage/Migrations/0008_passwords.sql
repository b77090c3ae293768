-- Passwords of people, and the attempts to guess them.

CREATE TABLE passwords (
    user_id    text PRIMARY KEY,
    tenant_id  text NOT NULL,
    -- PBKDF2 with its salt and its cost.
    hash       text NOT NULL,
    set_at     {instant} NOT NULL,
    FOREIGN KEY (user_id, tenant_id) REFERENCES users (id, tenant_id)
);

CREATE TABLE sign_in_attempts (
    -- SHA-256 of what is counted: an address of the network, an account, or both together.
    subject   text PRIMARY KEY,
    count     bigint NOT NULL,
    began_at  {instant} NOT NULL,
    ends_at   {instant} NOT NULL
);
CREATE INDEX sign_in_attempts_by_end ON sign_in_attempts (ends_at);
