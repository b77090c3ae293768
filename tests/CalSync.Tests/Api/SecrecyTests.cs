using System.Text;
using System.Text.Json.Nodes;
using CalSync.Lab;
using CalSync.Lab.Running;
using CalSync.Sandbox;
using CalSync.Sync.Connections;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>
/// Goal: no token, no stack trace and no word of the provider's own bodies leaves the product. Method: what
/// succeeds, what fails and what is revoked, with every answer, every log line at the finest level, and the
/// files searched.
/// </summary>
public sealed class SecrecyTests
{
    private static CancellationToken None => CancellationToken.None;

    /// <summary>R-OAUTH-14: and every refresh, good or bad, is in the journal.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-14")]
    public async Task Tokens_AreNeitherAnsweredNorLoggedNorStoredInTheOpen()
    {
        using var logs = new LogLines();
        await using var product = await RunningProduct.StartAsync(new ProductSettings
        {
            Logs = logs,
            VerificationWait = TimeSpan.FromSeconds(1),
        });
        var secrets = new HashSet<string> { product.Maya.Token!, SandboxOptions.DefaultClientSecret };
        var answers = new List<ApiAnswer>();
        var made = await product.Maya.PostAsync("classes", RunningProduct.ClassBody("Drawing"));
        await product.QuietAsync();
        await LearnAsync(product, secrets);

        await EndTokenAsync(product);
        await product.Control.AddFaultAsync(
            new FaultScript("token", new FaultEffect { Status = 500 }) { Times = 1 }, None);
        await product.Control.AddFaultAsync(
            new FaultScript("events.*", new FaultEffect { Status = 503 }) { Times = 1 }, None);
        answers.Add(await product.Bea.PostAsync($"classes/{made["id"]}/enrollments", new JsonObject()));
        await product.QuietAsync();
        await LearnAsync(product, secrets);

        await product.Control.RevokeAsync(product.Maya.Email, None);
        await EndTokenAsync(product);
        answers.Add(await product.Chen.PostAsync($"classes/{made["id"]}/enrollments", new JsonObject()));
        await RunningProduct.UntilAsync(
            async () => await product.TextAsync("SELECT state FROM connections") == "needs_reauth",
            "the grant is dead");
        foreach (var path in new[] { "calendar/connections", "me/notices", "operations", "classes" })
            answers.Add(await product.Maya.GetAsync(path));

        Assert.True(secrets.Count >= 5, "There are too few secrets to look for.");
        foreach (var (journal, least) in new[] { ("refreshed", 1), ("refresh_failed", 1),
            ("needs_reauth", 1) })
        {
            Assert.True(least <= await product.CountAsync(
                "SELECT count(*) FROM journal WHERE kind = @kind", new { kind = $"connection.{journal}" }),
                journal);
        }

        var lines = string.Join('\n', logs.All);
        var told = string.Join(
            '\n', answers.Select(answer => answer.Text + string.Join('\n', answer.Headers)));
        Assert.NotEmpty(logs.All);
        foreach (var secret in secrets)
        {
            Assert.DoesNotContain(secret, lines, StringComparison.Ordinal);
            Assert.DoesNotContain(secret, told, StringComparison.Ordinal);
            foreach (var file in Directory.EnumerateFiles(product.DataDirectory, "calsync.db*"))
            {
                Assert.False(
                    Bytes(file).AsSpan().IndexOf(Encoding.ASCII.GetBytes(secret)) >= 0,
                    $"{file} holds a secret.");
            }
        }

        foreach (var inside in new[] { "   at ", "Exception", "Backend Error", "backendError" })
        {
            Assert.DoesNotContain(inside, told, StringComparison.Ordinal);
            Assert.DoesNotContain(
                logs.All, line => line.Contains(" CalSync.", StringComparison.Ordinal)
                    && line.Contains(inside, StringComparison.Ordinal));
        }
    }

    private static async Task LearnAsync(RunningProduct product, HashSet<string> secrets)
    {
        var id = await product.TextAsync("SELECT id FROM connections");
        var grant = (await product.Services.GetRequiredService<IConnectionStore>().LoadAsync(id!, None))!;
        secrets.UnionWith([grant.AccessToken!, grant.RefreshToken!]);
    }

    private static Task<int> EndTokenAsync(RunningProduct product) => product.Database.WriteAsync(
        session => session.ExecuteAsync(
            "UPDATE connections SET access_expires_at = @at", new { at = TimeProvider.System.GetUtcNow() }),
        None);

    private static byte[] Bytes(string file)
    {
        using var stream = new FileStream(
            file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
