using System.Net.Http.Headers;
using CalSync.Lab;
using CalSync.Remotes.Dav;
using CalSync.Sync.Pairs;
using CalSync.Sync.Providers;
using Xunit;

namespace CalSync.Tests.Remotes.CalDav;

/// <summary>Goal: the password goes to the account's own server, protected, and nowhere else.</summary>
public sealed class SignInTests
{
    private const string Digest =
        "WWW-Authenticate: Digest realm=\"cal\", nonce=\"n1\", qop=\"auth\", algorithm=SHA-256";

    private static readonly DavCredentials Mufasa = new("Mufasa", "Circle of Life");

    /// <summary>RFC 7616 section 3.9.1.</summary>
    [Theory]
    [InlineData("MD5", "8ca523f5e9506fed4657c9700eebdbec")]
    [InlineData("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1")]
    public void Answer_TheExampleOfTheStandard_IsItsResponse(string algorithm, string response)
    {
        var challenge = DigestChallenge.Parse(
            "realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=" + algorithm
            + ", nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\""
            + ", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"");
        var header = challenge!.Answer(
            Mufasa, "GET", "/dir/index.html", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ");
        Assert.Contains($"response=\"{response}\"", header, StringComparison.Ordinal);
        Assert.Contains("nc=00000001", header, StringComparison.Ordinal);
        Assert.DoesNotContain("Circle", header, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("realm=\"x\"")]
    [InlineData("realm=\"x\", nonce=\"n\", algorithm=SHA-512-256")]
    [InlineData("realm=\"x\", nonce=\"n\", qop=\"auth-int\"")]
    [InlineData("=,=\",")]
    [InlineData(null)]
    public void Parse_AChallengeThatCannotBeAnswered_IsNone(string? parameters) =>
        Assert.Null(DigestChallenge.Parse(parameters));

    [Fact]
    public async Task Send_OnTheLoopback_SignsTheFirstRequestWithBasic()
    {
        await using var rig = CalDavRig.Start(_ => DavXml.Rows(DavXml.State()));
        await rig.ReadAsync(new SyncCursor("ctag-1", CursorKind.Tag));
        var request = Assert.Single(rig.Server.Requests);
        Assert.Equal("Basic YW5uOnRoZS1wYXNzd29yZA==", request.Headers["Authorization"]);
    }

    /// <summary>After one challenge each request is one exchange, with a rising count.</summary>
    [Fact]
    public async Task Send_ToAServerThatWantsDigest_SignsAllLaterRequestsAtOnce()
    {
        await using var rig = CalDavRig.Start(request =>
            request.Headers["Authorization"].StartsWith("Digest", StringComparison.Ordinal)
                ? DavXml.Rows(DavXml.State())
                : DavXml.Status(
                    401, "WWW-Authenticate: Digest realm=\"cal\", nonce=\"n0\", qop=\"auth\"", Digest));
        for (var round = 0; round < 3; round++)
            Assert.IsType<ChangeRead.Done>(await rig.ReadAsync(new SyncCursor("ctag-1", CursorKind.Tag)));
        Assert.Equal(4, rig.Server.Requests.Count);
        var signed = rig.Server.Requests.Skip(1).Select(one => one.Headers["Authorization"]).ToArray();
        Assert.All(signed, header => Assert.Contains("algorithm=SHA-256", header, StringComparison.Ordinal));
        Assert.Contains("nc=00000003", signed[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Send_WithAStaleNonce_SignsAnewAndIsNotRejected()
    {
        await using var rig = CalDavRig.Start(request => request.Headers["Authorization"] switch
        {
            var header when header.Contains("nonce=\"n2\"", StringComparison.Ordinal) =>
                DavXml.Rows(DavXml.State()),
            var header when header.Contains("nonce=\"n1\"", StringComparison.Ordinal) => DavXml.Status(
                401, "WWW-Authenticate: Digest realm=\"cal\", nonce=\"n2\", qop=\"auth\", stale=TRUE"),
            _ => DavXml.Status(401, Digest),
        });
        Assert.IsType<ChangeRead.Done>(await rig.ReadAsync(new SyncCursor("ctag-1", CursorKind.Tag)));
        Assert.Equal(3, rig.Server.Requests.Count);
    }

    [Theory]
    [InlineData("WWW-Authenticate: Basic realm=\"cal\"", 1)]
    [InlineData("WWW-Authenticate: Digest realm=\"cal\", nonce=\"n{0}\", qop=\"auth\"", 2)]
    [InlineData("WWW-Authenticate: Negotiate", 1)]
    [InlineData("X-Nothing: here", 1)]
    public async Task Send_WithAWrongPassword_IsRejectedAfterFewRequests(string challenge, int requests)
    {
        await using var rig = CalDavRig.Start(request => DavXml.Status(
            401, challenge.Replace("{0}", $"{request.Number}", StringComparison.Ordinal)));
        var read = Assert.IsType<ChangeRead.Failed>(await rig.ReadAsync());
        Assert.Equal(ProviderReason.CredentialsRejected, read.Fault.Reason);
        Assert.Equal(requests, rig.Server.Requests.Count);
    }

    [Fact]
    public void Sign_OverPlainHttpToAnotherMachine_SendsNoPasswordButADigest()
    {
        var signing = new DavAuthentication(Mufasa, new DavOptions(), new Random(1));
        var target = new Uri("http://dav.example.test/cal/");
        var first = signing.Sign(target, HttpMethod.Get);
        Assert.Null(first.Header);
        AuthenticationHeaderValue[] basic = [new("basic", "realm=\"x\"")];
        Assert.Equal(Verdict.WouldExposePassword, signing.Hear(target, basic, first, isRepeated: false));
        Assert.Null(signing.Sign(target, HttpMethod.Get).Header);

        AuthenticationHeaderValue[] both = [.. basic, new("Digest", "realm=\"x\", nonce=\"n\"")];
        Assert.Equal(Verdict.TryAgain, signing.Hear(target, both, first, isRepeated: false));
        Assert.StartsWith("Digest ", signing.Sign(target, HttpMethod.Get).Header, StringComparison.Ordinal);

        var allowed = new DavAuthentication(
            Mufasa, new DavOptions { AllowUnprotectedPasswords = true }, new Random(1));
        Assert.StartsWith("Basic ", allowed.Sign(target, HttpMethod.Get).Header, StringComparison.Ordinal);
    }

    /// <summary>A server cannot send the password to a stranger.</summary>
    [Fact]
    public async Task Send_RedirectedToAnotherHost_StopsThere()
    {
        await using var stranger = new ScriptedServer(_ => DavXml.Rows(DavXml.State()));
        var elsewhere = stranger.Address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal);
        await using var rig = CalDavRig.Start(_ => DavXml.Status(302, $"Location: {elsewhere}/x/"));
        var read = Assert.IsType<ChangeRead.Failed>(await rig.ReadAsync());
        Assert.Equal(ProviderReason.OutsideProtocol, read.Fault.Reason);
        Assert.Empty(stranger.Requests);
    }

    [Fact]
    public async Task Send_RedirectedForEver_Stops()
    {
        await using var rig = CalDavRig.Start(request => DavXml.Status(307, $"Location: {request.Target}x"));
        Assert.IsType<ChangeRead.Failed>(await rig.ReadAsync());
        Assert.Equal(6, rig.Server.Requests.Count);
    }

    [Fact]
    public void ToString_OfWhatIsSecret_ShowsNothing()
    {
        Assert.DoesNotContain("Circle", Mufasa.ToString(), StringComparison.Ordinal);
        var signed = new DavAuthentication(Mufasa, new DavOptions(), new Random(1))
            .Sign(new Uri("https://dav.test/"), HttpMethod.Get);
        Assert.Equal("SignedRequest", signed.ToString());
    }
}
