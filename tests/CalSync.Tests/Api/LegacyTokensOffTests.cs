using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using CalSync.Lab.Running;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>The product with the legacy format switched off, its secret still configured.</summary>
[Trait("Requirement", "R-JWT-T")]
public sealed class LegacyTokensOffTests : ProductTest
{
    private const string Secret = "a shared secret of the old system, long enough";

    protected override ProductSettings Settings => new()
    {
        RunsWorkers = false,
        Connects = false,
        Set = new Dictionary<string, string>
        {
            ["auth.legacy"] = "off",
            ["auth.legacy_secret"] = Secret,
            ["auth.legacy_sunset"] = "2999-01-01",
        },
    };

    [Fact]
    [Trait("Requirement", "R-JWT-5")]
    public async Task LegacyToken_WhileTheFormatIsOff_IsRefusedByName()
    {
        var end = TimeProvider.System.GetUtcNow().AddHours(1).ToUnixTimeSeconds();
        var signed = Part("""{"alg":"HS256","typ":"JWT"}""")
            + "." + Part($"{{\"sub\":\"{Product.Bea.Id}\",\"exp\":{end}}}");
        var signature = HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.ASCII.GetBytes(signed));
        var token = $"{signed}.{Base64Url.EncodeToString(signature)}";
        var answer = await (Product.Nobody with { Token = token }).GetAsync("me");
        Assert.Equal((401, "LEGACY_TOKEN_DISABLED"), (answer.Status, answer["code"]));
        (await Product.Bea.GetAsync("me")).Expect(200);
    }

    private static string Part(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
}
