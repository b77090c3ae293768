-- People signed in, and the keys their tokens are signed with.

CREATE TABLE sessions (
    id                text PRIMARY KEY,
    tenant_id         text NOT NULL,
    user_id           text NOT NULL,
    -- How the person proved who they are.
    method            text NOT NULL CHECK (method IN ('cli', 'password')),
    authenticated_at  {instant} NOT NULL,
    expires_at        {instant} NOT NULL,
    ended_at          {instant},
    FOREIGN KEY (user_id, tenant_id) REFERENCES users (id, tenant_id)
);
CREATE INDEX sessions_of_a_user ON sessions (user_id, expires_at);

-- ES256. The public key is a SubjectPublicKeyInfo; the private one an AES-256-GCM envelope bound to its row.
CREATE TABLE signing_keys (
    id           text PRIMARY KEY,
    public_key   {bytes} NOT NULL,
    private_key  {bytes} NOT NULL,
    created_at   {instant} NOT NULL,
    -- Published from created_at, so that everybody knows it before it signs.
    signs_from   {instant} NOT NULL,
    -- Null for the newest; then nothing it signed is accepted any more.
    ends_at      {instant}
);
