ALTER TABLE connections DROP CONSTRAINT connections_provider_check;
ALTER TABLE connections DROP CONSTRAINT connections_check;
ALTER TABLE connections ADD CONSTRAINT connections_provider_check
    CHECK (provider IN ('google', 'google-sandbox', 'caldav', 'icloud', 'icloud-sandbox'));
-- Test tenants hold sandbox connections only, live tenants never.
ALTER TABLE connections ADD CONSTRAINT connections_kind_check
    CHECK ((tenant_kind = 'test') = (provider IN ('google-sandbox', 'icloud-sandbox')));
ALTER TABLE connections ADD CONSTRAINT connections_server_check
    CHECK ((provider IN ('google', 'google-sandbox')) = (server_url IS NULL));
