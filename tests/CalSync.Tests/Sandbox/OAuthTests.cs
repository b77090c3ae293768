using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using CalSync.Sandbox;
using Xunit;

namespace CalSync.Tests.Sandbox;

/// <summary>
/// Consent, code, refresh, revocation and scopes as Google's OAuth server has them (D, section 4).
/// </summary>
public sealed class OAuthTests : SandboxTest
{
    [Fact]
    [Trait("Rule", "D-OAUTH")]
    public async Task Authorize_WithoutADecision_ShowsAPageWithAccountsAndScopes()
    {
        using var response = await Http.GetAsync(Ask("openid " + AllCalendar));
        var page = await response.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains("value=\"maya@studio.test\"", page, StringComparison.Ordinal);
        Assert.Contains(
            $"name=\"granted_scope\" checked value=\"{AllCalendar}\"", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
    }

    /// <summary>Granular consent: an unticked scope is missing from the token's scope.</summary>
    [Fact]
    [Trait("Rule", "D-OAUTH")]
    public async Task Authorize_WithAScopeUnticked_GrantsTheRestOnly()
    {
        using var content = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["response_type"] = "code",
            ["client_id"] = "calsync-sandbox",
            ["redirect_uri"] = Redirect,
            ["scope"] = $"openid {AllCalendar}.events {AllCalendar}.readonly",
            ["state"] = "x y",
            ["sandbox_user"] = Maya,
            ["sandbox_consent"] = "allow",
            ["granted_scope"] = AllCalendar + ".readonly",
        });
        using var response = await Http.PostAsync("o/oauth2/v2/auth", content);
        var location = response.Headers.Location!.OriginalString;
        Assert.Contains("&state=x%20y", location, StringComparison.Ordinal);
        var code = Uri.UnescapeDataString(location.Split("code=")[1].Split('&')[0]);
        Assert.Equal($"openid {AllCalendar}.readonly", Text(await ExchangeAsync(code), "scope"));
    }

    /// <summary>RFC 9700 section 4.14.2: a rotated refresh token dies when the one that replaced it is
    /// used.</summary>
    [Fact]
    [Trait("Rule", "D-OAUTH")]
    public async Task Refresh_WhenTokensRotate_KillsTheOneBeforeOnceTheNewOneIsUsed()
    {
        await Control.SetSettingsAsync(new SandboxSettings(RotatesRefreshTokens: true), default);
        var first = Text(
            await ExchangeAsync(await CodeAsync(Maya, more: "&access_type=offline")), "refresh_token")!;
        var second = Text((await RefreshAsync(first)).Body!, "refresh_token")!;
        // The answer may have been lost: the one before is still good.
        var again = Text((await RefreshAsync(first)).Body!, "refresh_token")!;
        Assert.Equal(3, new HashSet<string> { first, second, again }.Count);
        Assert.NotNull(Text((await RefreshAsync(again)).Body!, "refresh_token"));
        Assert.Equal("invalid_grant", Text((await RefreshAsync(first)).Body!, "error"));
    }

    [Fact]
    [Trait("Rule", "D-OAUTH")]
    public async Task Authorize_WhenDenied_GoesBackWithAccessDenied()
    {
        using var response = await Http.GetAsync(Ask(AllCalendar) + "&sandbox_consent=deny");
        Assert.Equal(Redirect + "?error=access_denied&state=s1", response.Headers.Location!.ToString());
    }

    [Theory]
    [InlineData("client_id=calsync-sandbox", "client_id=nobody")]
    [InlineData("127.0.0.1", "evil.example")]
    [Trait("Rule", "D-OAUTH")]
    public async Task Authorize_ForAnUnknownClientOrAddress_NeverRedirects(string from, string to)
    {
        using var response = await Http.GetAsync(
            (Ask(AllCalendar) + "&sandbox_consent=allow&sandbox_user=" + Maya).Replace(
                from, to, StringComparison.Ordinal));
        Assert.True(response.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.Unauthorized);
        Assert.Null(response.Headers.Location);
    }

    /// <summary>A refresh token comes only offline, and only at first or when consent was prompted.</summary>
    [Fact]
    [Trait("Rule", "D-OAUTH")]
    public async Task Exchange_OfflineAndOnline_GivesARefreshTokenOnlyWhenGoogleWould()
    {
        var online = await ExchangeAsync(await CodeAsync(Arjun));
        Assert.False(online.ContainsKey("refresh_token"));
        var first = await ExchangeAsync(await CodeAsync(Maya, more: "&access_type=offline"));
        Assert.True(first.ContainsKey("refresh_token"));
        var again = await ExchangeAsync(await CodeAsync(Maya, more: "&access_type=offline"));
        Assert.False(again.ContainsKey("refresh_token"));
        var prompted = await ExchangeAsync(
            await CodeAsync(Maya, more: "&access_type=offline&prompt=consent"));
        Assert.True(prompted.ContainsKey("refresh_token"));
        Assert.Equal(3600, prompted["expires_in"]!.GetValue<int>());
    }

    [Fact]
    [Trait("Rule", "D-OAUTH")]
    public async Task Exchange_OfACodeTwiceOrLate_IsAnInvalidGrant()
    {
        var code = await CodeAsync(Maya);
        await ExchangeAsync(code);
        AssertOAuthError(await ExchangeRawAsync(code), 400, "invalid_grant");
        var late = await CodeAsync(Maya);
        Clock.Advance(TimeSpan.FromMinutes(10));
        AssertOAuthError(await ExchangeRawAsync(late), 400, "invalid_grant");
    }

    [Theory]
    [InlineData("S256", true)]
    [InlineData("plain", true)]
    [InlineData("S256", false)]
    [InlineData("plain", false)]
    [Trait("Rule", "D-OAUTH")]
    public async Task Exchange_WithPkce_NeedsTheVerifierAndBurnsTheCode(string method, bool isRight)
    {
        var verifier = "a-verifier-that-is-long-enough-to-be-one-0123456789";
        var challenge = method == "plain" ? verifier : Base64Url(
            SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));
        var code = await CodeAsync(Maya, more: $"&code_challenge={challenge}&code_challenge_method={method}");
        var reply = await ExchangeRawAsync(code, verifier: isRight ? verifier : verifier + "x");
        Assert.Equal(isRight ? 200 : 400, reply.Status);
        AssertOAuthError(await ExchangeRawAsync(code, verifier: verifier), 400, "invalid_grant");
    }

    [Fact]
    [Trait("Rule", "D-OAUTH")]
    public async Task Exchange_WithAnotherRedirectOrSecret_IsRefusedInGooglesWords()
    {
        var code = await CodeAsync(Maya);
        AssertOAuthError(
            await ExchangeRawAsync(code, redirect: Redirect + "2"), 400, "redirect_uri_mismatch");
        AssertOAuthError(await ExchangeRawAsync(code, secret: "wrong"), 401, "invalid_client");
        AssertOAuthError(
            await FormAsync("token", new() { ["grant_type"] = "password" }), 400, "invalid_request");
        AssertOAuthError(
            await FormAsync("token", With("grant_type", "password")), 400, "unsupported_grant_type");
    }

    [Fact]
    [Trait("Rule", "D-OAUTH")]
    public async Task Refresh_WithBasicAuthentication_GivesNoNewRefreshToken()
    {
        var granted = await ExchangeAsync(await CodeAsync(Maya, more: "&access_type=offline"));
        using var request = new HttpRequestMessage(HttpMethod.Post, "token");
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(
                Encoding.UTF8.GetBytes("calsync-sandbox:calsync-sandbox-secret")));
        request.Content = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "refresh_token",
            ["refresh_token"] = Text(granted, "refresh_token"),
        });
        using var response = await Http.SendAsync(request);
        var reply = await ReadAsync(response);
        Assert.Equal(200, reply.Status);
        Assert.False(reply.Body!.ContainsKey("refresh_token"));
        Assert.NotEqual(Text(granted, "access_token"), Text(reply.Body!, "access_token"));
    }

    [Fact]
    [Trait("Rule", "D-OAUTH")]
    public async Task Refresh_WithoutOrWithAnUnknownToken_IsRefusedInGooglesWords()
    {
        var missing = await FormAsync("token", With("grant_type", "refresh_token"));
        Assert.Equal("Missing required parameter: refresh_token", Text(missing.Body!, "error_description"));
        var unknown = await RefreshAsync("nothing");
        AssertOAuthError(unknown, 400, "invalid_grant");
        Assert.Equal("Token has been expired or revoked.", Text(unknown.Body!, "error_description"));
    }

    /// <summary>A refresh token unused for six months dies; a used one does not.</summary>
    [Fact]
    [Trait("Rule", "D-OAUTH")]
    public async Task Refresh_AfterSixMonthsUnused_IsAnInvalidGrant()
    {
        var granted = await ExchangeAsync(await CodeAsync(Maya, more: "&access_type=offline"));
        Clock.Advance(TimeSpan.FromDays(170));
        Assert.Equal(200, (await RefreshAsync(Text(granted, "refresh_token"))).Status);
        Clock.Advance(TimeSpan.FromDays(181));
        AssertOAuthError(await RefreshAsync(Text(granted, "refresh_token")), 400, "invalid_grant");
    }

    /// <summary>An account has at most 100 refresh tokens a client; the oldest dies silently.</summary>
    [Fact]
    [Trait("Rule", "D-OAUTH")]
    public async Task Exchange_TheHundredAndFirstTime_KillsTheOldestRefreshToken()
    {
        var tokens = new List<string>();
        for (var turn = 0; turn <= 100; turn++)
        {
            var granted = await ExchangeAsync(
                await CodeAsync(Maya, more: "&access_type=offline&prompt=consent"));
            tokens.Add(Text(granted, "refresh_token"));
        }

        AssertOAuthError(await RefreshAsync(tokens[0]), 400, "invalid_grant");
        Assert.Equal(200, (await RefreshAsync(tokens[1])).Status);
    }

    [Fact]
    [Trait("Rule", "D-OAUTH")]
    public async Task Call_WithAnExpiredOrMissingToken_Answers401()
    {
        Assert.Equal(200, (await ListAsync()).Status);
        Clock.Advance(TimeSpan.FromSeconds(3600));
        var expired = await ListAsync();
        AssertError(expired, 401, "authError");
        Assert.Equal("Authorization", Text(expired.Body!["error"]!["errors"]![0]!, "location"));
        using var bare = await Http.GetAsync("calendar/v3/calendars/primary/events");
        AssertError(await ReadAsync(bare), 401, "required");
        var states = (await Control.GetCallsAsync(None)).Where(call => call.Operation == "events.list");
        Assert.Equal(["valid", "expired", "absent"], states.Select(call => call.TokenState));
    }

    [Fact]
    [Trait("Rule", "D-OAUTH")]
    public async Task Call_WithoutTheScope_Answers403InsufficientPermissions()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "calendar/v3/calendars/primary/events");
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Bearer", await TokenAsync(Maya, AllCalendar + ".readonly"));
        request.Content = new StringContent(Class().ToJsonString());
        using var response = await Http.SendAsync(request);
        var reply = await ReadAsync(response);
        AssertError(reply, 403, "insufficientPermissions");
        Assert.Equal(
            "ACCESS_TOKEN_SCOPE_INSUFFICIENT", Text(reply.Body!["error"]!["details"]![0]!, "reason"));
        Assert.Equal("PERMISSION_DENIED", Text(reply.Body!["error"]!, "status"));
    }

    [Theory]
    [InlineData("access_token")]
    [InlineData("refresh_token")]
    [Trait("Rule", "D-OAUTH")]
    public async Task Revoke_OfEitherToken_EndsTheGrant(string which)
    {
        var granted = await ExchangeAsync(await CodeAsync(Maya, more: "&access_type=offline"));
        using var revoked = await Http.PostAsync(
            "revoke?token=" + Uri.EscapeDataString(Text(granted, which)), null);
        Assert.Equal(HttpStatusCode.OK, revoked.StatusCode);
        AssertOAuthError(await RefreshAsync(Text(granted, "refresh_token")), 400, "invalid_grant");
        using var request = new HttpRequestMessage(HttpMethod.Get, "calendar/v3/users/me/calendarList");
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Bearer", Text(granted, "access_token"));
        using var response = await Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        AssertOAuthError(await FormAsync("revoke", new() { ["token"] = "nothing" }), 400, "invalid_token");
    }

    [Fact]
    [Trait("Rule", "D-OAUTH")]
    public async Task UserInfo_WithTheEmailScope_NamesTheAccount()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "oauth2/v3/userinfo");
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Bearer", await TokenAsync(Arjun, "openid email"));
        using var response = await Http.SendAsync(request);
        var reply = await ReadAsync(response);
        Assert.Equal(Arjun, Text(reply.Body!, "email"));
        Assert.NotEmpty(Text(reply.Body!, "sub"));
    }

    /// <summary>The token endpoint can be scripted to fail in either way.</summary>
    [Fact]
    [Trait("Rule", "FAULTS")]
    public async Task Refresh_UnderAFault_FailsAsScripted()
    {
        var granted = await ExchangeAsync(await CodeAsync(Maya, more: "&access_type=offline"));
        await Control.AddFaultAsync(
            new FaultScript("token", new FaultEffect { Status = 503 }) { Times = 1 }, None);
        Assert.Equal(503, (await RefreshAsync(Text(granted, "refresh_token"))).Status);
        await Control.AddFaultAsync(
            new FaultScript(
                "token", new FaultEffect { Status = 400, Reason = "invalid_grant" })
            { Times = 1 }, None);
        AssertOAuthError(await RefreshAsync(Text(granted, "refresh_token")), 400, "invalid_grant");
        Assert.Equal(200, (await RefreshAsync(Text(granted, "refresh_token"))).Status);
        var calls = (
            await Control.GetCallsAsync(None)).Where(call => call.Detail == "refresh_token").ToList();
        Assert.Equal([503, 400, 200], calls.Select(call => call.Status));
        Assert.All(calls, call => Assert.Equal(Maya, call.User));
    }

    [Fact]
    public async Task Control_RevokeAndExpire_KillAsAPersonOrTimeWould()
    {
        var granted = await ExchangeAsync(await CodeAsync(Maya, more: "&access_type=offline"));
        Assert.Equal(1, await Control.ExpireTokensAsync(Maya, None));
        Assert.Equal(200, (await RefreshAsync(Text(granted, "refresh_token"))).Status);
        Assert.Equal(1, await Control.RevokeAsync(Maya, None));
        AssertOAuthError(await RefreshAsync(Text(granted, "refresh_token")), 400, "invalid_grant");
    }

    private static string Ask(string scope) =>
        "o/oauth2/v2/auth?response_type=code&client_id=calsync-sandbox"
        + $"&redirect_uri={Uri.EscapeDataString(Redirect)}&scope={Uri.EscapeDataString(scope)}&state=s1";

    private static Dictionary<string, string> With(string name, string value) => new()
    {
        ["client_id"] = "calsync-sandbox",
        ["client_secret"] = "calsync-sandbox-secret",
        [name] = value,
    };

    private Task<Reply> ExchangeRawAsync(
        string code, string redirect = Redirect, string secret = "calsync-sandbox-secret",
            string? verifier = null)
    {
        var form = With("grant_type", "authorization_code");
        form["client_secret"] = secret;
        form["code"] = code;
        form["redirect_uri"] = redirect;
        if (verifier is not null)
            form["code_verifier"] = verifier;
        return FormAsync("token", form);
    }

    private Task<Reply> RefreshAsync(string token)
    {
        var form = With("grant_type", "refresh_token");
        form["refresh_token"] = token;
        return FormAsync("token", form);
    }

    private static string Base64Url(byte[] octets) =>
        Convert.ToBase64String(octets).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    private static void AssertOAuthError(Reply reply, int status, string error)
    {
        Assert.True(reply.Status == status, reply.Text);
        Assert.Equal(error, Text(reply.Body!, "error"));
    }
}
