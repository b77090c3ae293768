using System.Data.Common;
using Npgsql;

namespace CalSync.Storage.Postgres;

/// <summary>The one place where PostgreSQL's SQLSTATEs become our faults.</summary>
internal static class PostgresFaults
{
    /// <summary>Maps one error. PostgreSQL documentation, appendix A.</summary>
    public static StorageException Map(DbException error, string? sql) => error switch
    {
        _ when Refusal(error) is { } certificate => new DatabaseUnavailableException(
            certificate.Message, certificate, UnavailableReason.CertificateRefused),
        PostgresException server => MapState(server, sql),
        NpgsqlException { InnerException: TimeoutException } timeout => new DatabaseUnavailableException(
            "PostgreSQL did not answer in time.", timeout, UnavailableReason.TimedOut),
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
        PostgresErrorCodes.ReadOnlySqlTransaction => Unavailable(error, UnavailableReason.ReadOnly),
        PostgresErrorCodes.QueryCanceled => Unavailable(error, UnavailableReason.TimedOut),
        PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown =>
            Unavailable(error, UnavailableReason.Ended),
        ['5', '3', ..] => Unavailable(error, UnavailableReason.ServerFull),
        ['2', '8', ..] or PostgresErrorCodes.InvalidCatalogName =>
            Unavailable(error, UnavailableReason.SignInRefused),
        // 08 connection, 57 operator intervention, 58 system.
        ['0', '8', ..] or ['5', '7', ..] or ['5', '8', ..] =>
            Unavailable(error, UnavailableReason.Unreachable),
        _ => new StatementFailedException(sql, error),
    };

    private static DatabaseUnavailableException Unavailable(
        PostgresException error, UnavailableReason reason) =>
        new($"PostgreSQL: {error.MessageText}", error, reason);

    private static DatabaseCertificateException? Refusal(Exception? error)
    {
        for (; error is not null; error = error.InnerException)
        {
            if (error is DatabaseCertificateException refusal)
                return refusal;
            if (error is AggregateException several
                && several.InnerExceptions.Select(Refusal).OfType<DatabaseCertificateException>()
                    .FirstOrDefault() is { } one)
            {
                return one;
            }
        }

        return null;
    }

    private static ConstraintViolatedException Constraint(ConstraintKind kind, PostgresException error) =>
        new(kind, error.ConstraintName ?? "unnamed", error);
}
