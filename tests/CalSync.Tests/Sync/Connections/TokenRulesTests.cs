using CalSync.Sync.Connections;
using Xunit;

namespace CalSync.Tests.Sync.Connections;

/// <summary>Goal: the right step for every grant. Method: one grant, one thing changed at a time.</summary>
public sealed class TokenRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 5, 9, 0, 0, TimeSpan.Zero);

    /// <summary>R-FIX-2-B: 10 min validity and 20 s skew are required; 9 min left means a refresh, 30 min
    /// none.</summary>
    [Theory, Trait("Requirement", "R-FIX-2-B")]
    [InlineData(60, typeof(TokenStep.Refresh))]
    [InlineData(9 * 60, typeof(TokenStep.Refresh))]
    [InlineData(10 * 60 + 19, typeof(TokenStep.Refresh))]
    [InlineData(10 * 60 + 20, typeof(TokenStep.Use))]
    [InlineData(30 * 60, typeof(TokenStep.Use))]
    public void Decide_SecondsLeft_RefreshesOrUses(int seconds, Type step) =>
        Assert.IsType(step, Decide(Grant() with { AccessExpiresAt = Now.AddSeconds(seconds) }));

    /// <summary>D-13: a token said to live for years was stored wrongly and is renewed.</summary>
    [Fact]
    public void Decide_LifetimeOfYears_Refreshes() =>
        Assert.IsType<TokenStep.Refresh>(Decide(Grant() with { AccessExpiresAt = Now.AddYears(50) }));

    [Fact]
    public void Decide_TokenJustRefused_Refreshes() =>
        Assert.IsType<TokenStep.Refresh>(Decide(Grant(), rejected: "access"));

    /// <summary>R-FIX-2-E: no refresh token is a matter of consent, found once.</summary>
    [Fact, Trait("Requirement", "R-FIX-2-E")]
    public void Decide_NoRefreshToken_NeedsConsent() =>
        Assert.Equal(
            new TokenStep.Consent(ConsentReason.RefreshTokenMissing, true),
            Decide(Grant() with { AccessExpiresAt = Now, RefreshToken = null }));

    [Fact]
    public void Decide_NoConnectionOrEnded_NeedsConsent()
    {
        Assert.Equal(new TokenStep.Consent(ConsentReason.Disconnected, false), Decide(null));
        Assert.Equal(new TokenStep.Consent(ConsentReason.Disconnected, false),
            Decide(Grant() with { State = ConnectionState.Disconnected }));
        Assert.Equal(new TokenStep.Consent(ConsentReason.GrantRevoked, false),
            Decide(Grant() with { State = ConnectionState.NeedsReauth, Reason = "GrantRevoked" }));
    }

    [Fact]
    public void Decide_LeaseHeld_WatchesUntilItEnds()
    {
        var stale = Grant() with { AccessExpiresAt = Now, LeaseUntil = Now.AddSeconds(1) };
        Assert.IsType<TokenStep.Watch>(Decide(stale));
        Assert.IsType<TokenStep.Refresh>(Decide(stale with { LeaseUntil = Now }));
    }

    [Fact]
    public void Decide_BackingOff_WaitsButStillUsesAGoodToken()
    {
        var waiting = Grant() with { NextAttemptAt = Now.AddSeconds(30) };
        Assert.IsType<TokenStep.Use>(Decide(waiting));
        Assert.Equal(
            new TokenStep.Delay(Now.AddSeconds(30), DelayReason.RefreshFailed),
            Decide(waiting with { AccessExpiresAt = Now }));
    }

    /// <summary>R-FIX-2-C: a missing token carries code, requiresReauth, action and time, in the agreed
    /// words.</summary>
    [Fact, Trait("Requirement", "R-FIX-2-C")]
    public void From_EachOutcome_SaysWhatToDo()
    {
        var consent = TokenProblem.From(new TokenOutcome.NeedsConsent(ConsentReason.GrantRevoked), Now)!;
        Assert.Equal(
            ("GOOGLE_AUTH_REQUIRED", true, "Your Google Calendar connection has expired. Please reconnect.",
                "Go to Settings → Connected Accounts → Reconnect Google Calendar", Now),
            (consent.Code, consent.RequiresReauth, consent.Message, consent.Action, consent.At));
        var later = TokenProblem.From(
            new TokenOutcome.TryLater(Now.AddMinutes(1), DelayReason.RefreshFailed), Now)!;
        Assert.Equal(
            ("GOOGLE_AUTH_FAILED", false, Now.AddMinutes(1)),
            (later.Code, later.RequiresReauth, later.RetryAt));
        Assert.Equal(
            "Please try again. If the problem persists, reconnect your Google account.", later.Action);
        Assert.Null(TokenProblem.From(new TokenOutcome.Fresh("t", Now), Now));
    }

    [Fact]
    public void ToString_OfTokens_DoesNotShowThem()
    {
        Assert.DoesNotContain(
            "secret", new TokenOutcome.Fresh("secret", Now).ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(
            "secret", (Grant() with { RefreshToken = "secret", AccessToken = "secret" }).ToString(),
            StringComparison.Ordinal);
    }

    private static ConnectionGrant Grant() => new(
        "con_1", "ten_1", "usr_1", "google-sandbox", ConnectionState.Healthy, null, "access", Now.AddHours(1),
        "refresh", 1, null, 0, null);

    private static TokenStep Decide(ConnectionGrant? grant, string? rejected = null) =>
        TokenRules.Decide(grant, TimeSpan.FromMinutes(10), TimeSpan.FromSeconds(20), rejected, Now);
}
