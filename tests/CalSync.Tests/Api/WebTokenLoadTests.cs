using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using CalSync.Lab;
using CalSync.Lab.Running;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>
/// Goal: under load each token is still told by what it is. Method: hundreds of requests at once with tokens
/// of both formats and forged ones; every answer and the counts are looked at.
/// </summary>
public sealed class WebTokenLoadTests : ProductTest
{
    private const string Secret = "a shared secret of the old system, long enough";
    private const int CountOfEach = 200;
    private const int AtOnce = 32;
    private static readonly DateTimeOffset Now = new(2026, 12, 7, 9, 0, 0, TimeSpan.Zero);

    protected override ProductSettings Settings => new()
    {
        RunsWorkers = false,
        VerificationWait = TimeSpan.Zero,
        Connects = false,
        Clock = new ManualTimeProvider(Now),
        Set = new Dictionary<string, string>
        {
            ["auth.legacy"] = "on",
            ["auth.legacy_secret"] = Secret,
            ["auth.legacy_sunset"] = "2027-01-01",
        },
    };

    [Fact]
    [Trait("Requirement", "R-JWT-T")]
    public async Task BothFormatsAndForgeries_HundredsAtOnce_AreEachToldApart()
    {
        (Person Caller, int Status)[] kinds =
        [
            (await Product.SignInAsync(Product.Bea), 200),
            (Product.Bea with { Token = Legacy(Secret) }, 200),
            (Product.Bea with { Token = Legacy(Secret + "?") }, 401),
        ];
        await Parallel.ForAsync(
            0, CountOfEach * kinds.Length, new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
            async (index, _) =>
            {
                var (caller, status) = kinds[index % kinds.Length];
                var answer = (await caller.GetAsync("me")).Expect(status);
                Assert.Equal(status == 200 ? Product.Bea.Id : "", answer["id"]);
            });
        var metrics = (await Product.Operator.GetAsync("/metrics")).Expect(200).Text;
        Assert.Equal(
            CountOfEach, MetricsText.Number(metrics, "auth_requests_total{format=\"enhanced\"}"));
        Assert.Equal(CountOfEach, MetricsText.Number(metrics, "auth_requests_total{format=\"legacy\"}"));
    }

    private string Legacy(string secret)
    {
        var payload = $"{{\"sub\":\"{Product.Bea.Id}\",\"exp\":{Now.AddHours(1).ToUnixTimeSeconds()}}}";
        var signed = $"{Encoded("{\"alg\":\"HS256\",\"typ\":\"JWT\"}")}.{Encoded(payload)}";
        var signature = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.ASCII.GetBytes(signed));
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    private static string Encoded(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));
}
