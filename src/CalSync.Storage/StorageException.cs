namespace CalSync.Storage;

/// <summary>A fault of the database, or of our use of it; never an ordinary outcome.</summary>
public abstract class StorageException : Exception
{
    private protected StorageException(string message, Exception? inner)
        : base(message, inner)
    {
    }
}

/// <summary>Why the database did not do what it was asked, though the question was right.</summary>
public enum UnavailableReason
{
    /// <summary>No connection, or it broke.</summary>
    Unreachable = 1,

    /// <summary>It did not answer in time.</summary>
    TimedOut = 2,

    /// <summary>Every connection of this process is in use.</summary>
    PoolExhausted = 3,

    /// <summary>The server, or the pooler before it, takes no more.</summary>
    ServerFull = 4,

    /// <summary>It is there and takes no writes: a standby, or one set to read only.</summary>
    ReadOnly = 5,

    /// <summary>An operator, or a fail-over, ended the connection.</summary>
    Ended = 6,

    /// <summary>User, password or database are not accepted.</summary>
    SignInRefused = 7,

    /// <summary>Its certificate is not one to trust.</summary>
    CertificateRefused = 8,
}

/// <summary>The database did not answer: no connection, no room, no time. Trying later may help.</summary>
public sealed class DatabaseUnavailableException : StorageException
{
    internal DatabaseUnavailableException(
        string message, Exception? inner = null, UnavailableReason reason = UnavailableReason.Unreachable)
        : base(message, inner) => Reason = reason;

    /// <summary>Why.</summary>
    public UnavailableReason Reason { get; }
}

/// <summary>What is wrong with a certificate or its key.</summary>
public enum CertificateProblem
{
    /// <summary>There is no such file.</summary>
    FileMissing = 1,

    /// <summary>This user may not read it.</summary>
    FileUnreadable = 2,

    /// <summary>It holds something else.</summary>
    NotPem = 3,

    /// <summary>Its time is over.</summary>
    Expired = 4,

    /// <summary>Its time has not come.</summary>
    NotYetValid = 5,

    /// <summary>It is for other hosts.</summary>
    WrongHost = 6,

    /// <summary>Nobody trusted gave it out.</summary>
    UntrustedIssuer = 7,

    /// <summary>It was given out by itself and is not among the trusted.</summary>
    SelfSigned = 8,

    /// <summary>The key belongs to another certificate, or is none.</summary>
    KeyMismatch = 9,

    /// <summary>Others may read the key.</summary>
    KeyUnprotected = 10,

    /// <summary>The key is sealed with another password.</summary>
    KeyPassword = 11,
}

/// <summary>TLS cannot be had as it was asked for: what is wrong, where, and what to do.</summary>
public sealed class DatabaseCertificateException : StorageException
{
    internal DatabaseCertificateException(
        CertificateProblem problem, string where, string what, string advice)
        : base($"{what} ({where})", null) => (Problem, Where, Advice) = (problem, where, advice);

    /// <summary>What kind of thing.</summary>
    public CertificateProblem Problem { get; }

    /// <summary>The file, or the host that showed the certificate.</summary>
    public string Where { get; }

    /// <summary>What to do.</summary>
    public string Advice { get; }
}

/// <summary>Which invariant of the schema a statement would have broken.</summary>
public enum ConstraintKind
{
    /// <summary>Two rows with one key.</summary>
    Unique = 1,

    /// <summary>A CHECK said no.</summary>
    Check = 2,

    /// <summary>A referenced row is missing, or is still referenced.</summary>
    ForeignKey = 3,

    /// <summary>A required column was null.</summary>
    NotNull = 4,

    /// <summary>A trigger refuses the change, such as editing the journal.</summary>
    Refused = 5,
}

/// <summary>
/// A statement would have broken an invariant of the schema; its transaction is rolled back.
/// </summary>
public sealed class ConstraintViolatedException : StorageException
{
    internal ConstraintViolatedException(ConstraintKind kind, string constraint, Exception inner)
        : base($"{kind} constraint {constraint}: {inner.Message}", inner)
    {
        Kind = kind;
        Constraint = constraint;
    }

    /// <summary>What kind of invariant.</summary>
    public ConstraintKind Kind { get; }

    /// <summary>
    /// Its name in the schema. Equal on both engines for unique keys, for named indexes and for named CHECKs;
    /// SQLite does not name foreign keys (<c>foreign_key</c>) and gives an unnamed CHECK its expression.
    /// </summary>
    public string Constraint { get; }
}

/// <summary>A statement changed another number of rows than it had to: somebody else was first.</summary>
public sealed class ConcurrencyException : StorageException
{
    internal ConcurrencyException(string statement, int expected, int actual)
        : base($"{actual} rows changed where {expected} were expected: {Head(statement)}", null)
    {
        Statement = statement;
        Expected = expected;
        Actual = actual;
    }

    /// <summary>The SQL text, without values.</summary>
    public string Statement { get; }

    /// <summary>Rows that had to change.</summary>
    public int Expected { get; }

    /// <summary>Rows that did.</summary>
    public int Actual { get; }

    private static string Head(string statement) => statement.Length <= 200 ? statement : statement[..200];
}

/// <summary>Deadlock, serialization failure or a busy file, still there after the retries.</summary>
public sealed class ContentionException : StorageException
{
    internal ContentionException(Exception inner)
        : base($"Another transaction was in the way: {inner.Message}", inner)
    {
    }
}

/// <summary>The engine refused a statement or a value; a bug on our side, a retry does not help.</summary>
public sealed class StatementFailedException : StorageException
{
    internal StatementFailedException(string? statement, Exception inner)
        : base($"{inner.Message} ({statement ?? "no statement"})", inner)
    {
        Statement = statement;
    }

    /// <summary>The SQL text, without values; null when it is not known.</summary>
    public string? Statement { get; }
}

/// <summary>The database's applied migrations are not those of this program; nothing was changed.</summary>
public sealed class MigrationMismatchException : StorageException
{
    internal MigrationMismatchException(string message)
        : base(message, null)
    {
    }
}

/// <summary>
/// A database address or option that cannot be understood; found before anything is opened.
/// </summary>
public sealed class DatabaseAddressException : StorageException
{
    internal DatabaseAddressException(DatabaseAddressReading.Refused refused)
        : base($"{refused.What} What to do: {refused.Advice}.", null) => Refused = refused;

    /// <summary>What is wrong with it.</summary>
    public DatabaseAddressReading.Refused Refused { get; }
}
