using CalSync.Lab.Peers;
using CalSync.Sync.Connections;
using CalSync.Sync.Providers;
using CalSync.Tests.Repository;
using CalSync.Tests.Sync.Connections;
using Xunit;

namespace CalSync.Tests.Peers;

/// <summary>
/// Goal: connecting, renewing, losing and ending a grant work against a sign-in server that nobody here
/// wrote. Method: the real flow and keeper of tokens over SQLite, and the real process of the npm package
/// emulate, whose consent page is read and sent like a browser's.
/// </summary>
[Trait("Category", "Slow")]
public sealed class EmulateTests : IAsyncLifetime
{
    private static readonly TimeSpan Needed = TimeSpan.FromMinutes(10);
    private EmulateServer _server = null!;
    private TokenRig _rig = null!;

    private static CancellationToken None => CancellationToken.None;

    public async Task InitializeAsync()
    {
        _server = await EmulateServer.StartAsync(Path.Combine(SourceTree.Root, ".tools"), None);
        _rig = await TokenRig.StartAsync(_server.Address, _server.Client);
    }

    public async Task DisposeAsync()
    {
        await _rig.DisposeAsync();
        await _server.DisposeAsync();
    }

    /// <summary>R-FLOW-1: state and PKCE both ways, the account known, its calendars listed.</summary>
    [Fact]
    [Trait("Requirement", "R-FLOW-1")]
    public async Task Connect_ThroughItsConsentPage_StoresTheAccountAndItsCalendars()
    {
        var id = await ConnectAsync();
        var listed = Assert.Single(await _rig.Store.ListAsync(_rig.UserId, None));
        Assert.Equal((id, EmulateServer.Account, "healthy"), (listed.Id, listed.AccountEmail, listed.State));
        Assert.Equal(
            [("primary", "PRIMARY", true), ("studio", "SECONDARY", false)],
            (await _rig.Store.CalendarsAsync(id, None)).Select(found =>
                (found.RemoteId, found.Kind, found.Selected)));
        Assert.NotNull((await _rig.Store.LoadAsync(id, None))!.RefreshToken);
    }

    /// <summary>R-FLOW-1: a code is good once, and only with the verifier that began.</summary>
    [Fact]
    [Trait("Requirement", "R-FLOW-1")]
    public async Task Connect_WithASpentStateOrAnotherChallenge_StoresNothing()
    {
        var page = await StartAsync();
        var (code, state) = await EmulateServer.ConsentAsync(page, null, None);
        Assert.IsType<ConnectOutcome.Connected>(await _rig.Flow.CompleteAsync(state, code, null, None));
        Assert.IsType<ConnectOutcome.AttemptUnknown>(await _rig.Flow.CompleteAsync(state, code, null, None));

        var (other, otherState) = await EmulateServer.ConsentAsync(
            await StartAsync(),
            form => form["code_challenge"] = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", None);
        Assert.IsType<ConnectOutcome.Refused>(await _rig.Flow.CompleteAsync(otherState, other, null, None));
        Assert.Single(await _rig.Store.ListAsync(_rig.UserId, None));
    }

    /// <summary>R-CAL-01-B: a box left unticked is found while connecting.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-01-B")]
    public async Task Connect_WithAScopeWithheld_SaysWhichAreMissing()
    {
        var (code, state) = await EmulateServer.ConsentAsync(
            await StartAsync(),
            form => form["scope"] = "openid email https://www.googleapis.com/auth/calendar.events", None);
        var withheld = Assert.IsType<ConnectOutcome.ScopeWithheld>(
            await _rig.Flow.CompleteAsync(state, code, null, None));
        Assert.Equal(
            "https://www.googleapis.com/auth/calendar.calendarlist.readonly",
            Assert.Single(withheld.Missing));
    }

    /// <summary>R-FIX-2-E: its answer to a refresh has no refresh token, and the one that is held goes
    /// on.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-2-E")]
    public async Task Refresh_GivesAnotherTokenAgainAndAgain_AndKeepsTheGrant()
    {
        var id = await ConnectAsync();
        var first = (await _rig.Store.LoadAsync(id, None))!;
        var tokens = new HashSet<string> { first.AccessToken! };
        for (var turn = 0; turn < 3; turn++)
        {
            _rig.Clock.Advance(TimeSpan.FromMinutes(55));
            var fresh = Assert.IsType<TokenOutcome.Fresh>(await _rig.Tokens.GetAsync(id, Needed, None));
            Assert.Equal(_rig.Clock.GetUtcNow().AddHours(1), fresh.ExpiresAt);
            Assert.True(tokens.Add(fresh.AccessToken));
        }

        Assert.Equal(first.RefreshToken, (await _rig.Store.LoadAsync(id, None))!.RefreshToken);
        Assert.IsType<ProbeOutcome.Works>(await _rig.Probe.AskAsync(id, TokenRig.Provider, "cor_1", None));
    }

    /// <summary>R-CAL-01-B: its <c>invalid_grant</c> is a matter for the owner, and consent mends
    /// it.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-01-B")]
    public async Task Refresh_OfARevokedGrant_NeedsTheOwner_AndConsentMendsIt()
    {
        var id = await ConnectAsync();
        await _server.RevokeAsync((await _rig.Store.LoadAsync(id, None))!.RefreshToken!, None);
        _rig.Clock.Advance(TimeSpan.FromMinutes(55));
        Assert.Equal(
            new TokenOutcome.NeedsConsent(ConsentReason.GrantRevoked),
            await _rig.Tokens.GetAsync(id, Needed, None));
        Assert.Equal(id, await ConnectAsync(id));
        Assert.IsType<TokenOutcome.Fresh>(await _rig.Tokens.GetAsync(id, Needed, None));
    }

    /// <summary>R-CAL-01-B: ending a connection takes the grant back at the provider.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-01-B")]
    public async Task Disconnect_TakesTheGrantBack()
    {
        var id = await ConnectAsync();
        var token = (await _rig.Store.LoadAsync(id, None))!.RefreshToken!;
        Assert.IsType<TokenAnswer.Granted>(await _rig.OAuth.RefreshAsync(token, None));
        Assert.True(await _rig.Flow.DisconnectAsync(id, _rig.UserId, None));
        Assert.IsType<TokenAnswer.InvalidGrant>(await _rig.OAuth.RefreshAsync(token, None));
    }

    /// <summary>R-CAL-01-P: a client that it does not know harms no grant.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-01-P")]
    public async Task Refresh_WithAWrongClientSecret_HarmsNoGrant()
    {
        await using var wrong = await TokenRig.StartAsync(
            _server.Address, _server.Client with { ClientSecret = "another" });
        var id = await ConnectAsync();
        var grant = (await _rig.Store.LoadAsync(id, None))!;
        var failed = Assert.IsType<TokenAnswer.Failed>(
            await wrong.OAuth.RefreshAsync(grant.RefreshToken!, None));
        Assert.Equal(ProviderReason.AccessNotConfigured, failed.Fault.Reason);
        Assert.IsType<TokenAnswer.Granted>(await _rig.OAuth.RefreshAsync(grant.RefreshToken!, None));
    }

    private Task<Uri> StartAsync(string? again = null) => _rig.Flow.StartAsync(
        _rig.TenantId, _rig.UserId, TokenRig.Provider, EmulateServer.Redirect, again, EmulateServer.Account,
        None);

    private async Task<string> ConnectAsync(string? again = null)
    {
        var (code, state) = await EmulateServer.ConsentAsync(await StartAsync(again), null, None);
        return Assert.IsType<ConnectOutcome.Connected>(
            await _rig.Flow.CompleteAsync(state, code, _rig.UserId, None)).ConnectionId;
    }
}
