using System.Data.Common;
using Npgsql;

namespace CalSync.Storage.Postgres;

/// <summary>The one place where PostgreSQL's SQLSTATEs become our faults.</summary>
internal static class PostgresFaults
{
    /// <summary>Maps one error. PostgreSQL documentation, appendix A.</summary>
    public static StorageException Map(DbException error, string? sql) => error switch
    {
        PostgresException server => MapState(server, sql),
        NpgsqlException { InnerException: TimeoutException } timeout =>
            new DatabaseUnavailableException("PostgreSQL did not answer in time.", timeout),
        _ => new DatabaseUnavailableException($"PostgreSQL cannot be reached: {error.Message}", error),
    };

    private static StorageException MapState(PostgresException error, string? sql) => error.SqlState switch
    {
        PostgresErrorCodes.UniqueViolation => Constraint(ConstraintKind.Unique, error),
        PostgresErrorCodes.CheckViolation => Constraint(ConstraintKind.Check, error),
        PostgresErrorCodes.ForeignKeyViolation => Constraint(ConstraintKind.ForeignKey, error),
        PostgresErrorCodes.NotNullViolation => new ConstraintViolatedException(
            ConstraintKind.NotNull, $"{error.TableName}.{error.ColumnName}", error),
        PostgresErrorCodes.RestrictViolation => new ConstraintViolatedException(
            ConstraintKind.Refused, error.MessageText, error),
        PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected
            or PostgresErrorCodes.LockNotAvailable => new ContentionException(error),
        // 08 connection, 53 resources, 57 operator intervention and our own timeout, 28 sign-in, 58 system.
        ['0', '8', ..] or ['5', '3', ..] or ['5', '7', ..] or ['5', '8', ..] or ['2', '8', ..]
            or PostgresErrorCodes.InvalidCatalogName =>
            new DatabaseUnavailableException($"PostgreSQL: {error.MessageText}", error),
        _ => new StatementFailedException(sql, error),
    };

    private static ConstraintViolatedException Constraint(ConstraintKind kind, PostgresException error) =>
        new(kind, error.ConstraintName ?? "unnamed", error);
}
