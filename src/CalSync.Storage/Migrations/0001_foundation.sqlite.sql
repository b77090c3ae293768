-- The journal is append-only and a tenant's kind never changes.
CREATE TRIGGER journal_is_not_updated BEFORE UPDATE ON journal
    BEGIN SELECT RAISE(ABORT, 'UPDATE on journal is refused: the journal is append-only'); END;
CREATE TRIGGER journal_is_not_deleted BEFORE DELETE ON journal
    BEGIN SELECT RAISE(ABORT, 'DELETE on journal is refused: the journal is append-only'); END;
CREATE TRIGGER tenants_kind_is_immutable BEFORE UPDATE OF kind ON tenants WHEN OLD.kind IS NOT NEW.kind
    BEGIN SELECT RAISE(ABORT, 'UPDATE on tenants is refused: the kind of a tenant is immutable'); END;
