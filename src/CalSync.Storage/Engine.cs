namespace CalSync.Storage;

/// <summary>
/// The database engine behind a <see cref="Database"/>; the SQL of the product runs on both.
/// </summary>
public enum Engine
{
    /// <summary>Embedded: one file, one writing process at a time, no server to install.</summary>
    Sqlite = 1,

    /// <summary>A server, when several processes or machines run.</summary>
    Postgres = 2,
}
