using CalSync.Storage;
using Xunit;

namespace CalSync.Tests.Storage;

public sealed class SqliteCheckpointTests : IDisposable
{
    private const int RowCount = 24;
    private const int RowSizeBytes = 1024 * 1024;
    private readonly string _directory = Directory.CreateTempSubdirectory("calsync-checkpoint-").FullName;

    /// <summary>What is committed reaches the file while the writer goes on, long before SQLite itself would
    /// have a commit wait for it, and before the database is closed.</summary>
    [Fact]
    [Trait("Requirement", "R-BCAL-3")]
    public async Task Log_ThatGrew_IsCopiedBesideTheWriter()
    {
        await using var database = Database.Open(new DatabaseOptions { DataDirectory = _directory });
        Task<int> WriteAsync(string sql) =>
            database.WriteAsync(session => session.ExecuteAsync(sql), CancellationToken.None);
        await WriteAsync("CREATE TABLE large (octets blob)");
        for (var row = 0; row < RowCount; row++)
            await WriteAsync($"INSERT INTO large VALUES (randomblob({RowSizeBytes}))");
        var file = new FileInfo(Path.Combine(_directory, "calsync.db"));
        for (var look = 0; look < 600 && file.Length < RowCount * RowSizeBytes / 2; look++)
        {
            await Task.Delay(50);
            file.Refresh();
        }

        Assert.InRange(file.Length, RowCount * RowSizeBytes / 2, 2L * RowCount * RowSizeBytes);
        Assert.Equal(RowCount, await database.ReadAsync(
            session => session.ScalarAsync<int>("SELECT count(*) FROM large"), CancellationToken.None));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
