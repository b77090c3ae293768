using System.Net;
using System.Net.Sockets;
using CalSync.Storage;
using Xunit;

namespace CalSync.Tests.Storage;

/// <summary>A broken world is a typed fault; contention is tried again, then reported.</summary>
public sealed class DatabaseFaultTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("calsync-test-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Read_NobodyListens_IsUnavailable()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var url = $"postgres://u@127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/d?sslmode=disable";
        listener.Stop();
        await using var database = Database.Open(new() { DataDirectory = _directory.FullName, Url = url });
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => database.ReadAsync(
            session => session.ScalarAsync<long>("SELECT 1"), CancellationToken.None));
    }

    [Fact]
    public void Open_FileIsNoDatabase_IsUnavailable()
    {
        File.WriteAllText(Path.Combine(_directory.FullName, "calsync.db"), new string('x', 8192));
        Assert.Throws<DatabaseUnavailableException>(
            () => Database.Open(new() { DataDirectory = _directory.FullName }));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(2, 3)]
    [InlineData(3, 3)]
    public async Task Write_Contention_IsTriedThreeTimes(int failures, int attempts)
    {
        await using var database = Database.Open(new() { DataDirectory = _directory.FullName });
        var calls = 0;
        var write = () => database.WriteAsync(
            _ => ++calls <= failures
                ? throw new ContentionException(new InvalidOperationException())
                : Task.FromResult(calls),
            CancellationToken.None);
        if (failures < 3)
            Assert.Equal(attempts, await write());
        else
            await Assert.ThrowsAsync<ContentionException>(write);
        Assert.Equal(attempts, calls);
    }
}
