using System.Net;
using CalSync.Tests.Contracts;
using Xunit;

namespace CalSync.Tests.Drills;

/// <summary>Two processes that start at the same moment on a database with nothing in it.</summary>
[Collection(DrillSuites.Name)]
[Trait("Category", "Slow")]
public sealed class StartDrills(PostgresFixture postgres)
{
    /// <summary>The migration lock lets one upgrade and the other find nothing left to do.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Serve_TwiceAtOnceOnAnEmptyDatabase_BothComeUp(bool onPostgres)
    {
        await using var stage = await Stage.SetEmptyAsync(onPostgres ? await postgres.NewEmptyAsync() : null);
        var both = await Task.WhenAll(stage.ServeAsync(withWorker: true), stage.ServeAsync(withWorker: true));
        foreach (var (_, address) in both)
        {
            using var http = new HttpClient { BaseAddress = address };
            using var answer = await http.GetAsync(new Uri("health/ready", UriKind.Relative));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
    }
}
