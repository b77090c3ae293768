using CalSync.Lab;
using CalSync.Sync.Connections;
using Xunit;

namespace CalSync.Tests.Sync.Connections;

/// <summary>
/// Goal: a grant survives what a token endpoint can do to it, and its end is told with the reason that is
/// known. Method: the real keeper of tokens against a scripted token endpoint that rotates, loses answers,
/// fails in a row, and names an end.
/// </summary>
public sealed class GrantTests
{
    private static readonly TimeSpan Needed = TimeSpan.FromMinutes(10);

    /// <summary>R-OAUTH-2: the endpoint rotated the refresh token and its answer was lost: the one before is
    /// still held and renews.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-2")]
    public async Task Refresh_WhoseAnswerWasLostAfterTheRotation_IsMadeAgainWithTheTokenThatIsHeld()
    {
        var endpoint = new RotatingEndpoint("refresh-of-account-1") { LosesNextAnswer = true };
        await using var rig = await TokenRig.StartAsync(endpoint.Answer);
        var id = await rig.ConnectAsync(TimeSpan.FromMinutes(1));
        Assert.IsType<TokenOutcome.TryLater>(await rig.Tokens.GetAsync(id, Needed, CancellationToken.None));
        rig.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.IsType<TokenOutcome.Fresh>(await rig.Tokens.GetAsync(id, Needed, CancellationToken.None));
        var grant = (await rig.Store.LoadAsync(id, CancellationToken.None))!;
        Assert.Equal(("rotated-2", "refresh-of-account-1"), (grant.RefreshToken, grant.PreviousRefreshToken));
    }

    /// <summary>R-OAUTH-2: the endpoint does not take the token it gave last: the one before is tried once,
    /// and stays the one that is held.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-2")]
    public async Task Refresh_WithATokenThatIsRefused_RecoversThroughTheGenerationBefore()
    {
        var endpoint = new RotatingEndpoint("refresh-of-account-1");
        await using var rig = await TokenRig.StartAsync(endpoint.Answer);
        var id = await rig.ConnectAsync(TimeSpan.FromMinutes(1));
        Assert.IsType<TokenOutcome.Fresh>(await rig.Tokens.GetAsync(id, Needed, CancellationToken.None));
        endpoint.Forget("rotated-1");
        rig.Clock.Advance(TimeSpan.FromMinutes(55));
        Assert.IsType<TokenOutcome.Fresh>(await rig.Tokens.GetAsync(id, Needed, CancellationToken.None));
        var grant = (await rig.Store.LoadAsync(id, CancellationToken.None))!;
        Assert.Equal("rotated-2", grant.RefreshToken);
        Assert.Equal(ConnectionState.Healthy, grant.State);
        Assert.Equal(0, rig.ConsentCount);
    }

    /// <summary>R-CAL-01-B: when no generation is taken the owner is asked, after one try of each.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-01-B")]
    public async Task Refresh_WhenNoGenerationIsTaken_AsksTheOwnerAfterOneTryOfEach()
    {
        var endpoint = new RotatingEndpoint("refresh-of-account-1");
        await using var rig = await TokenRig.StartAsync(endpoint.Answer);
        var id = await rig.ConnectAsync(TimeSpan.FromMinutes(1));
        Assert.IsType<TokenOutcome.Fresh>(await rig.Tokens.GetAsync(id, Needed, CancellationToken.None));
        endpoint.Forget("rotated-1", "refresh-of-account-1");
        rig.Clock.Advance(TimeSpan.FromMinutes(55));
        var consent = Assert.IsType<TokenOutcome.NeedsConsent>(
            await rig.Tokens.GetAsync(id, Needed, CancellationToken.None));
        Assert.Equal(ConsentReason.GrantRevoked, consent.Reason);
        Assert.Equal(3, rig.Server.Requests.Count);
    }

    /// <summary>R-OAUTH-7: three failures in a row open the breaker for five minutes; then one probe goes, a
    /// failure opens it again and a success closes it.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-7")]
    [Trait("Requirement", "R-OAUTH-8")]
    public async Task Refresh_ThatFailsThreeTimes_PausesFiveMinutesAndProbesOnce()
    {
        var fails = true;
        await using var rig = await TokenRig.StartAsync(
            _ => fails ? new ScriptedAnswer.Send(500) : TokenRig.Granted());
        var id = await rig.ConnectAsync(TimeSpan.FromMinutes(1));
        for (var failure = 1; failure <= 2; failure++)
        {
            var later = Assert.IsType<TokenOutcome.TryLater>(
                await rig.Tokens.GetAsync(id, Needed, CancellationToken.None));
            Assert.InRange(later.At - rig.Clock.GetUtcNow(), TimeSpan.Zero, TimeSpan.FromMinutes(1));
            rig.Clock.Advance(TimeSpan.FromMinutes(1));
        }

        for (var probe = 1; probe <= 2; probe++)
        {
            var open = Assert.IsType<TokenOutcome.TryLater>(
                await rig.Tokens.GetAsync(id, Needed, CancellationToken.None));
            Assert.Equal(DelayReason.BreakerOpen, open.Reason);
            Assert.True(open.At - rig.Clock.GetUtcNow() >= TimeSpan.FromMinutes(5));
            Assert.NotNull(await rig.ReadAsync<string>("SELECT open_until FROM connections"));
            rig.Clock.Advance(TimeSpan.FromMinutes(4));
            await rig.Tokens.GetAsync(id, Needed, CancellationToken.None);
            Assert.Equal(2 + probe, rig.Server.Requests.Count);
            rig.Clock.Advance(TimeSpan.FromMinutes(2));
        }

        fails = false;
        Assert.IsType<TokenOutcome.Fresh>(await rig.Tokens.GetAsync(id, Needed, CancellationToken.None));
        Assert.Equal(5, rig.Server.Requests.Count);
        Assert.Null(await rig.ReadAsync<string>("SELECT open_until FROM connections"));
    }

    /// <summary>R-CAL-01-P: an end that the provider named is known, and is the reason once it has
    /// come.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-01-P")]
    public async Task Refresh_OfAGrantWithAnEnd_NamesTheEndAsTheReason()
    {
        var isOver = false;
        await using var rig = await TokenRig.StartAsync(_ => isOver
            ? new ScriptedAnswer.Send(400, """{"error":"invalid_grant"}""")
            : new ScriptedAnswer.Send(
                200,
                """
                {"access_token":"a","expires_in":3600,"token_type":"Bearer",
                 "refresh_token_expires_in":604799}
                """));
        var id = await rig.ConnectAsync(TimeSpan.FromMinutes(1));
        var start = rig.Clock.GetUtcNow();
        Assert.IsType<TokenOutcome.Fresh>(await rig.Tokens.GetAsync(id, Needed, CancellationToken.None));
        Assert.Equal(
            start.AddSeconds(604_799),
            (await rig.Store.LoadAsync(id, CancellationToken.None))!.GrantExpiresAt);
        isOver = true;
        rig.Clock.Advance(TimeSpan.FromDays(7));
        Assert.Equal(
            new TokenOutcome.NeedsConsent(ConsentReason.GrantExpired),
            await rig.Tokens.GetAsync(id, Needed, CancellationToken.None));
    }

    /// <summary>R-CAL-01-P: the worker that renews tokens warns of the end that the answers name.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-01-P")]
    public async Task Turns_OfAGrantWithAnEnd_WarnItsOwnerTwoDaysAhead()
    {
        var end = TimeSpan.FromDays(7);
        TokenRig? rig = null;
        await using var owned = rig = await TokenRig.StartAsync(_ => new ScriptedAnswer.Send(
            200,
            $$"""
            {"access_token":"a","expires_in":3600,"token_type":"Bearer",
             "refresh_token_expires_in":{{(long)(end - rig!.Elapsed).TotalSeconds}}}
            """));
        await rig.ConnectAsync(TimeSpan.FromMinutes(1));
        var worker = rig.NewWorker();
        var counts = new List<long>();
        for (var day = 1; day <= 6; day++)
        {
            rig.Clock.Advance(TimeSpan.FromDays(1));
            await worker.TurnAsync(CancellationToken.None);
            counts.Add(await rig.ReadAsync<long>("SELECT count(*) FROM notices WHERE kind = 'grant_ending'"));
        }

        Assert.Equal([0, 0, 0, 0, 1, 1], counts);
        Assert.Contains(
            "account-1@studio.test ends at", await rig.ReadAsync<string>("SELECT message FROM notices"),
            StringComparison.Ordinal);
    }

    /// <summary>R-OAUTH-6: more due tokens than one page holds are all renewed in one turn.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-6")]
    public async Task RenewNow_WithMoreThanAPage_RenewsThemAll()
    {
        await using var rig = await TokenRig.StartAsync(_ => TokenRig.Granted());
        for (var count = 0; count < 1_203; count++)
            await rig.ConnectAsync(TimeSpan.FromSeconds(60 + (count / 10)));
        var renewals = await rig.NewWorker().RenewNowAsync(TimeSpan.FromMinutes(15), CancellationToken.None);
        Assert.Equal(1_203, renewals.Select(renewal => renewal.ConnectionId).Distinct().Count());
    }

    /// <summary>
    /// Takes every refresh token it gave until it is told to forget it, as a graceful rotation does, and
    /// gives a new one with every answer.
    /// </summary>
    private sealed class RotatingEndpoint(string first)
    {
        private readonly HashSet<string> _taken = [first];
        private int _count;

        public bool LosesNextAnswer { get; set; }

        public void Forget(params string[] tokens) => _taken.ExceptWith(tokens);

        public ScriptedAnswer Answer(ScriptedRequest request)
        {
            var sent = System.Web.HttpUtility.ParseQueryString(request.Body)["refresh_token"]!;
            if (!_taken.Contains(sent))
                return new ScriptedAnswer.Send(400, """{"error":"invalid_grant"}""");
            var next = $"rotated-{++_count}";
            _taken.Add(next);
            if (LosesNextAnswer)
            {
                LosesNextAnswer = false;
                return new ScriptedAnswer.Close();
            }

            return new ScriptedAnswer.Send(
                200,
                $$"""
                {"access_token":"a{{_count}}","refresh_token":"{{next}}","expires_in":3600,
                 "token_type":"Bearer"}
                """);
        }
    }
}
