-- Sign-in through Google: whose account is whose, and the sign-ins under way.

CREATE TABLE google_accounts (
    -- One account each: another one is never put in its place.
    user_id    text PRIMARY KEY,
    tenant_id  text NOT NULL,
    issuer     text NOT NULL,
    -- The account's sub: unlike an address it is never given to somebody else.
    subject    text NOT NULL,
    linked_at  {instant} NOT NULL,
    FOREIGN KEY (user_id, tenant_id) REFERENCES users (id, tenant_id),
    UNIQUE (issuer, subject, tenant_id)
);

CREATE TABLE google_sign_ins (
    -- SHA-256 of the state, of what the browser keeps, and of the nonce: what is stored opens nothing.
    state_hash     text PRIMARY KEY,
    attempt_hash   text NOT NULL,
    nonce_hash     text NOT NULL,
    -- An AES-256-GCM envelope bound to this row and column.
    code_verifier  {bytes} NOT NULL,
    -- The organisation to sign in to; null for the only one.
    tenant_id      text,
    created_at     {instant} NOT NULL,
    expires_at     {instant} NOT NULL
);
CREATE INDEX google_sign_ins_by_end ON google_sign_ins (expires_at);
