using CalSync.Sync.Connections;
using Xunit;

namespace CalSync.Tests.Sync.Connections;

/// <summary>
/// Goal: whatever is stored of a connection, its owner is told in one word how it stands, and in a sentence
/// why and what to do. Method: every stored state and reason, and the ends that are near.
/// </summary>
public sealed class ConnectionHealthTests
{
    private static readonly DateTimeOffset Now = new(2031, 1, 5, 12, 0, 0, TimeSpan.Zero);

    public static TheoryData<ConsentReason, string> Reasons => new()
    {
        { ConsentReason.GrantRevoked, "taken back" },
        { ConsentReason.RefreshTokenMissing, "no permission that lasts" },
        { ConsentReason.Disconnected, "ended it" },
        { ConsentReason.ScopeWithheld, "left unticked" },
        { ConsentReason.PasswordRejected, "password: it was changed" },
        { ConsentReason.GrantExpired, "testing mode is given seven days" },
        { ConsentReason.DifferentAccount, "another account" },
    };

    /// <summary>R-CAL-01-B: each reason for which only the owner can help has its sentence and its way
    /// out.</summary>
    [Theory]
    [MemberData(nameof(Reasons))]
    [Trait("Requirement", "R-CAL-01-B")]
    public void Of_AConnectionThatNeedsItsOwner_SaysWhyAndWhatToDo(ConsentReason reason, string words)
    {
        var health = Health(Stored("needs_reauth") with { Reason = reason.ToString() });

        Assert.Equal((ConnectionHealth.NeedsReauth, true), (health.Word, health.NeedsOwner));
        Assert.Contains(words, health.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", health.Action, StringComparison.Ordinal);
    }

    [Fact]
    public void Reasons_AreAllThereAre() =>
        Assert.Equal(Enum.GetValues<ConsentReason>(), Reasons.Select(row => (ConsentReason)row[0]));

    /// <summary>R-CAL-01-P: every way a refresh fails has its sentence, and none asks the owner.</summary>
    [Theory]
    [InlineData("RateLimited", "slow down")]
    [InlineData("TimedOut", "does not answer")]
    [InlineData("Unreachable", "does not answer")]
    [InlineData("ServerError", "fault of its own")]
    [InlineData("AccessNotConfigured", "administrator")]
    [InlineData("OutsideProtocol", "made no sense")]
    [InlineData("SecretException", "failed")]
    [InlineData(null, "failed")]
    [Trait("Requirement", "R-CAL-01-P")]
    public void Of_ADegradedConnection_SaysWhatHappened(string? reason, string words)
    {
        var health = Health(Stored("degraded") with { Reason = reason });

        Assert.Equal(
            (ConnectionHealth.Degraded, false, null), (health.Word, health.NeedsOwner, health.Action));
        Assert.Contains(words, health.Message, StringComparison.Ordinal);
    }

    /// <summary>R-OAUTH-13: what ends soon is said before it ends.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-13")]
    public void Of_AConnectionWhoseTokenOrGrantEndsSoon_Warns()
    {
        var whole = Stored("healthy");
        Assert.Equal((ConnectionHealth.Healthy, null, 0), Brief(whole));

        var token = whole with { AccessExpiresAt = Now.AddMinutes(15) };
        Assert.Equal((ConnectionHealth.ExpiringSoon, "token_expires_soon", 1), Brief(token));
        Assert.Equal(
            (ConnectionHealth.Healthy, null, 0),
            Brief(whole with { AccessExpiresAt = Now.AddMinutes(15).AddSeconds(1) }));
        Assert.Null(Health(token).Action);

        var grant = token with { GrantExpiresAt = Now.AddDays(2) };
        Assert.Equal((ConnectionHealth.ExpiringSoon, "grant_expires_soon", 2), Brief(grant));
        Assert.Contains("2031-01-07T12:00:00Z", Health(grant).Message, StringComparison.Ordinal);
        Assert.NotNull(Health(grant).Action);
        Assert.Equal(
            (ConnectionHealth.Healthy, null, 0),
            Brief(whole with { GrantExpiresAt = Now.AddDays(2).AddSeconds(1) }));
    }

    /// <summary>R-OAUTH-15: an open breaker is seen on its connection, and no longer than it is
    /// open.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-15")]
    public void Of_AConnectionWhoseBreakerIsOpen_IsDegraded()
    {
        var open = Stored("healthy") with { OpenUntil = Now.AddMinutes(5), ConsecutiveFailures = 3 };
        Assert.Equal((ConnectionHealth.Degraded, "breaker_open", 1), Brief(open));
        Assert.Equal((ConnectionHealth.Healthy, null, 0), Brief(open with { OpenUntil = Now }));
    }

    /// <summary>R-OAUTH-2: a refresh whose process died does not look as if it still ran.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-2")]
    public void Of_ARefreshWhoseLeaseIsOver_IsDegraded()
    {
        var held = Stored("refreshing") with { LeaseUntil = Now.AddSeconds(1) };
        Assert.Equal(ConnectionHealth.Refreshing, Health(held).Word);
        Assert.Equal(ConnectionHealth.Degraded, Health(held with { LeaseUntil = Now }).Word);
        Assert.Equal(ConnectionHealth.Disconnected, Health(Stored("disconnected")).Word);
    }

    private static (string, string?, int) Brief(ConnectionListing connection)
    {
        var health = Health(connection);
        return (health.Word, health.Warnings.FirstOrDefault()?.Code, health.Warnings.Length);
    }

    private static ConnectionHealth Health(ConnectionListing connection) =>
        ConnectionHealth.Of(connection, new ConnectionOptions(), Now);

    private static ConnectionListing Stored(string state) => new()
    {
        Id = "con_1",
        Provider = "google",
        AccountEmail = "maya@studio.test",
        State = state,
        AccessExpiresAt = Now.AddHours(1),
    };
}
