using System.Web;
using CalSync.Lab;
using CalSync.Sync.Providers;
using Xunit;

namespace CalSync.Tests.Remotes;

/// <summary>
/// Goal: only invalid_grant says something about a grant, and no token is believed that cannot be one.
/// </summary>
public sealed class GoogleOAuthServerTests
{
    private static readonly Uri Redirect = new("http://127.0.0.1:9999/oauth/callback");

    /// <summary>Offline access, consent, PKCE, and the scopes.</summary>
    [Fact]
    public async Task AuthorizationPage_AsksForOfflineAccessWithPkce()
    {
        await using var rig = RemotesRig.Start(_ => new ScriptedAnswer.Close());
        var page = rig.Remotes.OAuth.AuthorizationPage("st&te", "challenge", Redirect, "ann@example.test");
        var query = HttpUtility.ParseQueryString(page.Query);
        Assert.Equal("code", query["response_type"]);
        Assert.Equal("client-1", query["client_id"]);
        Assert.Equal(Redirect.AbsoluteUri, query["redirect_uri"]);
        Assert.Equal("st&te", query["state"]);
        Assert.Equal(("challenge", "S256"), (query["code_challenge"], query["code_challenge_method"]));
        Assert.Equal(("offline", "consent"), (query["access_type"], query["prompt"]));
        Assert.Equal("ann@example.test", query["login_hint"]);
        Assert.Equal(
            "openid email https://www.googleapis.com/auth/calendar.events "
            + "https://www.googleapis.com/auth/calendar.calendarlist.readonly",
            query["scope"]);
    }

    /// <summary>The secret travels in the body, with the verifier.</summary>
    [Fact]
    public async Task ExchangeCode_SendsVerifierAndSecretInTheBody()
    {
        await using var rig = RemotesRig.Start(_ => RemotesRig.Ok(
            """
            {"access_token":"ya29.a","refresh_token":"1//r","expires_in":3599,"token_type":"Bearer",
              "scope":"openid"}
            """));
        var answer = await rig.Remotes.OAuth.ExchangeCodeAsync(
            "4/co de", "verifier", Redirect, CancellationToken.None);
        Assert.Equal(
            new TokenAnswer.Granted("ya29.a", "1//r", TimeSpan.FromSeconds(3599), "openid"), answer);
        var form = HttpUtility.ParseQueryString(Assert.Single(rig.Server.Requests).Body);
        Assert.Equal(
            ("authorization_code", "4/co de", "verifier"),
            (form["grant_type"], form["code"], form["code_verifier"]));
        Assert.Equal(("client-1", "client-secret-value"), (form["client_id"], form["client_secret"]));
        Assert.Equal(Redirect.AbsoluteUri, form["redirect_uri"]);
        Assert.DoesNotContain("ya29", answer.ToString(), StringComparison.Ordinal);
    }

    /// <summary>A refresh usually gives no new refresh token: that is null, not empty.</summary>
    [Fact]
    public async Task Refresh_WithoutANewRefreshToken_HasNone()
    {
        await using var rig = RemotesRig.Start(_ => RemotesRig.Ok(
            """{"access_token":"a","expires_in":3600,"token_type":"bearer","id_token":"x","new":[]}"""));
        var answer = await rig.Remotes.OAuth.RefreshAsync("1//r", CancellationToken.None);
        Assert.Equal(
            new TokenAnswer.Granted("a", null, TimeSpan.FromHours(1), null) { IdToken = "x" }, answer);
    }

    /// <summary>R-BCAL-2, D-11: only invalid_grant with 400 or 401 says anything about the grant.</summary>
    [Theory]
    [InlineData(
        400, """{"error":"invalid_grant","error_description":"Token has been expired or revoked."}""", null)]
    [InlineData(401, """{"error":"invalid_grant"}""", null)]
    [InlineData(503, """{"error":"invalid_grant"}""", ProviderReason.ServerError)]
    [InlineData(500, "<html>invalid_grant</html>", ProviderReason.ServerError)]
    [InlineData(400, "invalid_grant", ProviderReason.OutsideProtocol)]
    [InlineData(400, """{"error_description":"invalid_grant"}""", ProviderReason.OutsideProtocol)]
    [InlineData(400, """{"error":{"message":"invalid_grant"}}""", ProviderReason.OutsideProtocol)]
    [InlineData(400, """{"error":"invalid_request"}""", ProviderReason.InvalidRequest)]
    [InlineData(401, """{"error":"invalid_client"}""", ProviderReason.AccessNotConfigured)]
    [InlineData(400, """{"error":"unauthorized_client"}""", ProviderReason.AccessNotConfigured)]
    [InlineData(403, """{"error":"rate_limit_exceeded"}""", ProviderReason.RateLimited)]
    [InlineData(429, "", ProviderReason.RateLimited)]
    [InlineData(400, """{"error":"something_new"}""", ProviderReason.OutsideProtocol)]
    [InlineData(302, "", ProviderReason.OutsideProtocol)]
    [Trait("Requirement", "R-BCAL-2")]
    public async Task Refresh_Refused_IsInvalidGrantOnlyWhenTheServerSaysSo(
        int status, string body, ProviderReason? reason)
    {
        await using var rig = RemotesRig.Start(_ => new ScriptedAnswer.Send(status, body));
        var answer = await rig.Remotes.OAuth.RefreshAsync("1//r", CancellationToken.None);
        if (reason is null)
            Assert.IsType<TokenAnswer.InvalidGrant>(answer);
        else
            Assert.Equal(reason, Assert.IsType<TokenAnswer.Failed>(answer).Fault.Reason);
    }

    /// <summary>C-08: the description is shown only when it cannot carry what was sent.</summary>
    [Fact]
    public async Task Refresh_InvalidGrantEchoingTheToken_DoesNotShowIt()
    {
        await using var rig = RemotesRig.Start(_ => new ScriptedAnswer.Send(
            400, """{"error":"invalid_grant","error_description":"Bad token refresh-secret"}"""));
        var answer = await rig.Remotes.OAuth.RefreshAsync("refresh-secret", CancellationToken.None);
        Assert.DoesNotContain(
            "refresh-secret", Assert.IsType<TokenAnswer.InvalidGrant>(answer).Description,
            StringComparison.Ordinal);
    }

    /// <summary>
    /// D-13: a lifetime that cannot be, or a token that cannot be sent, is outside the protocol.
    /// </summary>
    [Theory]
    [InlineData("""{"access_token":"a","expires_in":86401,"token_type":"Bearer"}""")]
    [InlineData("""{"access_token":"a","expires_in":1767603600000,"token_type":"Bearer"}""")]
    [InlineData("""{"access_token":"a","expires_in":0,"token_type":"Bearer"}""")]
    [InlineData("""{"access_token":"a","expires_in":-1,"token_type":"Bearer"}""")]
    [InlineData("""{"access_token":"a","expires_in":"3600","token_type":"Bearer"}""")]
    [InlineData("""{"access_token":"a","token_type":"Bearer"}""")]
    [InlineData("""{"access_token":"","expires_in":3600,"token_type":"Bearer"}""")]
    [InlineData("""{"access_token":"a\r\nb","expires_in":3600,"token_type":"Bearer"}""")]
    [InlineData("""{"access_token":["a"],"expires_in":3600,"token_type":"Bearer"}""")]
    [InlineData("""{"access_token":"a","expires_in":3600,"token_type":"mac"}""")]
    [InlineData("""{"access_token":"a","expires_in":3600}""")]
    [InlineData("""{"expires_in":3600,"token_type":"Bearer"}""")]
    [InlineData("""{"access_token":"a","refresh_token":"","expires_in":3600,"token_type":"Bearer"}""")]
    [InlineData("[]")]
    [InlineData("")]
    public async Task Refresh_WithAnUnbelievableAnswer_IsOutsideProtocol(string body)
    {
        await using var rig = RemotesRig.Start(_ => RemotesRig.Ok(body));
        var answer = await rig.Remotes.OAuth.RefreshAsync("1//r", CancellationToken.None);
        Assert.Equal(ProviderReason.OutsideProtocol, Assert.IsType<TokenAnswer.Failed>(answer).Fault.Reason);
    }

    /// <summary>C-10: dead grants of many people do not stop the refreshes of the others.</summary>
    [Fact]
    public async Task Refresh_WithManyDeadGrants_IsStillSent()
    {
        await using var rig = RemotesRig.Start(
            _ => new ScriptedAnswer.Send(400, """{"error":"invalid_grant"}"""));
        for (var call = 0; call < 60; call++)
        {
            Assert.IsType<TokenAnswer.InvalidGrant>(
                await rig.Remotes.OAuth.RefreshAsync("1//r", CancellationToken.None));
        }
    }

    /// <summary>R-FIX-5-A: a silent token endpoint fails in time and says nothing about the grant.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-5-A")]
    public async Task Refresh_WhenTheServerIsSilent_TimesOut()
    {
        await using var rig = RemotesRig.Start(_ => new ScriptedAnswer.Silence());
        var refresh = rig.Remotes.OAuth.RefreshAsync("1//r", CancellationToken.None);
        Assert.True(await rig.Server.Received(RemotesRig.Patience));
        rig.Clock.Advance(TimeSpan.FromSeconds(20));
        var fault = Assert.IsType<TokenAnswer.Failed>(await refresh).Fault;
        Assert.Equal("oauth.refresh timed out after 20000ms", fault.Message);
        Assert.Equal((ProviderReason.TimedOut, true), (fault.Reason, fault.OutcomeUnknown));
    }

    /// <summary>An unknown token needs no revoking; anything else is a fault.</summary>
    [Theory]
    [InlineData(200, "", null)]
    [InlineData(400, """{"error":"invalid_token"}""", null)]
    [InlineData(400, """{"error":"invalid_request"}""", ProviderReason.InvalidRequest)]
    [InlineData(503, "", ProviderReason.ServerError)]
    public async Task Revoke_SaysWhetherItIsRevoked(int status, string body, ProviderReason? reason)
    {
        await using var rig = RemotesRig.Start(_ => new ScriptedAnswer.Send(status, body));
        Assert.Equal(reason, (await rig.Remotes.OAuth.RevokeAsync("1//r", CancellationToken.None))?.Reason);
        Assert.Equal("token=1%2F%2Fr", Assert.Single(rig.Server.Requests).Body);
    }

    /// <summary>The account is its stable id and its address.</summary>
    [Theory]
    [InlineData(200, """{"sub":"117","email":"Ann@Example.test","extra":1}""", null)]
    [InlineData(200, """{"sub":117,"email":"ann@example.test"}""", ProviderReason.OutsideProtocol)]
    [InlineData(200, """{"email":"ann@example.test"}""", ProviderReason.OutsideProtocol)]
    [InlineData(401, "", ProviderReason.CredentialsRejected)]
    public async Task Identify_ReadsTheAccount(int status, string body, ProviderReason? reason)
    {
        await using var rig = RemotesRig.Start(_ => new ScriptedAnswer.Send(status, body));
        var answer = await rig.Remotes.OAuth.IdentifyAsync("access", CancellationToken.None);
        if (reason is null)
            Assert.Equal(new IdentityAnswer.Known("117", "ann@example.test"), answer);
        else
            Assert.Equal(reason, Assert.IsType<IdentityAnswer.Failed>(answer).Fault.Reason);
    }
}
