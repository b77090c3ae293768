-- The journal is append-only and a tenant's kind never changes.
CREATE FUNCTION calsync_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    RAISE EXCEPTION '% on % is refused: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0]
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER journal_is_append_only BEFORE UPDATE OR DELETE ON journal
    FOR EACH ROW EXECUTE FUNCTION calsync_refuse('the journal is append-only');
CREATE TRIGGER journal_is_not_truncated BEFORE TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION calsync_refuse('the journal is append-only');
CREATE TRIGGER tenants_kind_is_immutable BEFORE UPDATE OF kind ON tenants
    FOR EACH ROW WHEN (OLD.kind IS DISTINCT FROM NEW.kind)
    EXECUTE FUNCTION calsync_refuse('the kind of a tenant is immutable');
-- Hot rows leave room on their page for the next version.
ALTER TABLE classes SET (fillfactor = 50);
ALTER TABLE mirrors SET (fillfactor = 50);
ALTER TABLE journal_head SET (fillfactor = 10);
