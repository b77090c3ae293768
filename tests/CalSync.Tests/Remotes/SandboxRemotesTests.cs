using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Web;
using CalSync.Lab;
using CalSync.Remotes;
using CalSync.Remotes.Google;
using CalSync.Remotes.OAuth;
using CalSync.Remotes.Pipeline;
using CalSync.Sandbox;
using CalSync.Sync.Providers;
using CalSync.Tests.Sandbox;
using Xunit;

namespace CalSync.Tests.Remotes;

/// <summary>
/// Goal: the real client and the sandbox agree, over real HTTP, also when answers are lost.
/// </summary>
public sealed class SandboxRemotesTests : SandboxTest
{
    private static readonly EventAddress Address = new(Maya, RemotesRig.EventId);

    /// <summary>Consent, code, PKCE, identity, refresh, revocation: the whole life of a grant.</summary>
    [Fact]
    [Trait("Requirement", "R-BCAL-2")]
    public async Task OAuth_FromConsentToRevocation_TellsTheTruthAtEachStep()
    {
        using var remotes = Start();
        const string Verifier = "a-verifier-of-more-than-forty-three-characters-0123456789";
        var page = remotes.OAuth.AuthorizationPage("s1", Challenge(Verifier), new(Redirect), null);
        using var consent = await Http.GetAsync(
            new Uri($"{page}&sandbox_consent=allow&sandbox_user={Maya}"), None);
        Assert.Equal(HttpStatusCode.Found, consent.StatusCode);
        var code = HttpUtility.ParseQueryString(consent.Headers.Location!.Query)["code"]!;

        var granted = Assert.IsType<TokenAnswer.Granted>(
            await remotes.OAuth.ExchangeCodeAsync(code, Verifier, new(Redirect), None));
        Assert.NotNull(granted.RefreshToken);
        Assert.Contains("calendar.events", granted.Scope, StringComparison.Ordinal);
        Assert.IsType<TokenAnswer.InvalidGrant>(
            await remotes.OAuth.ExchangeCodeAsync(code, Verifier, new(Redirect), None));
        var known = Assert.IsType<IdentityAnswer.Known>(
            await remotes.OAuth.IdentifyAsync(granted.AccessToken, None));
        Assert.Equal(Maya, known.Email);

        var fresh = Assert.IsType<TokenAnswer.Granted>(
            await remotes.OAuth.RefreshAsync(granted.RefreshToken, None));
        Assert.Null(fresh.RefreshToken);
        await Control.AddFaultAsync(new("token", new() { Status = 503 }) { Times = 1 }, None);
        Assert.Equal(
            ProviderReason.ServerError,
            Assert.IsType<TokenAnswer.Failed>(
                await remotes.OAuth.RefreshAsync(granted.RefreshToken, None)).Fault.Reason);
        Assert.Null(await remotes.OAuth.RevokeAsync(granted.RefreshToken, None));
        Assert.Null(await remotes.OAuth.RevokeAsync("unknown", None));
        Assert.IsType<TokenAnswer.InvalidGrant>(await remotes.OAuth.RefreshAsync(granted.RefreshToken, None));
    }

    /// <summary>
    /// R-FIX-1-G, D-01, D-02: create, read, change, find and delete, each read back by meaning, no mail sent.
    /// </summary>
    [Fact]
    [Trait("Requirement", "R-FIX-1-G")]
    public async Task Calendar_CreateToDelete_MeansTheSameThroughout()
    {
        using var remotes = Start();
        var call = await CallAsync(Maya);
        var content = RemotesRig.Content();
        var stored = Assert.IsType<EventWrite.Accepted>(
            await remotes.Calendar.InsertAsync(call, Address, content, Notify.None, None)).Event;
        Assert.Equal(
            (content.Start, content.End, content.Summary), (stored.Start, stored.End, stored.Summary));
        Assert.Equal("mir_1", stored.Mark["calsyncMirror"]);
        Assert.NotNull(stored.ConferenceStatus);

        var moved = content with
        {
            Start = RemotesRig.At("2026-03-21T09:00:00+05:30", "Asia/Kolkata"),
            End = RemotesRig.At("2026-03-21T10:00:00+05:30", "Asia/Kolkata"),
            Attendees = [.. stored.Attendees, new Attendee("bob@example.test")],
        };
        ImmutableHashSet<EventField> fields = [EventField.Time, EventField.Attendees];
        var patched = Assert.IsType<EventWrite.Accepted>(
            await remotes.Calendar.PatchAsync(
                call, Address, moved, fields, stored.ETag, Notify.None, None)).Event;
        Assert.Equal(moved.Start, patched.Start);
        Assert.Equal(
            ["ann@example.test", "bob@example.test"], patched.Attendees.Select(guest => guest.Email));
        Assert.Equal(
            ProviderReason.PreconditionFailed,
            Assert.IsType<EventWrite.Failed>(await remotes.Calendar.PatchAsync(
                call, Address, moved, fields, stored.ETag, Notify.None, None)).Fault.Reason);

        var search = await remotes.Calendar.FindByMirrorAsync(call, Maya, "mir_1", None);
        Assert.Equal(Address, Assert.Single(Assert.IsType<EventSearch.Complete>(search).Events).Address);
        var calendars = await remotes.Calendar.ListCalendarsAsync(call, None);
        Assert.Contains(Assert.IsType<CalendarSearch.Complete>(calendars).Calendars, one => one.Primary);

        Assert.IsType<EventDelete.Gone>(
            await remotes.Calendar.DeleteAsync(call, Address, patched.ETag, Notify.None, None));
        Assert.IsType<EventDelete.Gone>(
            await remotes.Calendar.DeleteAsync(call, Address, null, Notify.None, None));
        var gone = Assert.IsType<EventRead.Found>(await remotes.Calendar.GetAsync(call, Address, None)).Event;
        Assert.Equal("cancelled", gone.Status);
        Assert.DoesNotContain(await Control.GetMailsAsync(includeKeptBack: false, None), mail => mail.Mailed);
        Assert.All(
            (await Control.GetCallsAsync(None))
                .Where(one => one.Operation is "events.insert" or "events.patch"),
            one => Assert.Equal("none", one.Detail));
    }

    /// <summary>
    /// R-CAL-12-C, C-15: applied, answer lost; the next attempt meets its own event, and there is one.
    /// </summary>
    [Fact]
    [Trait("Requirement", "R-CAL-12-C")]
    public async Task Insert_WhenTheAnswerIsLostAfterApplying_IsUnknownThenDuplicateThenFound()
    {
        using var remotes = Start();
        var call = await CallAsync(Maya);
        await Control.AddFaultAsync(new("events.insert", new() { Drop = "after" }) { Nth = 1 }, None);
        var lost = Assert.IsType<EventWrite.Failed>(
            await remotes.Calendar.InsertAsync(call, Address, RemotesRig.Content(), Notify.None, None)).Fault;
        Assert.Equal((ProviderReason.Unreachable, true), (lost.Reason, lost.OutcomeUnknown));
        var again = Assert.IsType<EventWrite.Failed>(
            await remotes.Calendar.InsertAsync(call, Address, RemotesRig.Content(), Notify.None, None)).Fault;
        Assert.Equal((ProviderReason.Duplicate, false), (again.Reason, again.OutcomeUnknown));
        Assert.IsType<EventRead.Found>(await remotes.Calendar.GetAsync(call, Address, None));
        var truth = await Control.GetTruthAsync(Maya, None);
        Assert.Single(Assert.Single(truth.Calendars).Events);
        Assert.Equal(2, (await Control.GetCallsAsync(None)).Count(one => one.Operation == "events.insert"));
    }

    /// <summary>R-FIX-5-E, R-CAL-12-A: the provider sees that the client hung up.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-5-E")]
    [Trait("Requirement", "R-CAL-12-A")]
    public async Task Insert_WhenTheProviderIsABlackHole_HangsUpAfterTenSeconds()
    {
        using var remotes = Start();
        var call = await CallAsync(Maya);
        await Control.AddFaultAsync(new("events.insert", new() { Blackhole = true }), None);
        var insert = remotes.Calendar.InsertAsync(call, Address, RemotesRig.Content(), Notify.None, None);
        Assert.True(await EventuallyAsync(one => one.Operation == "events.insert"));
        Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(
            "events.insert timed out after 10000ms",
            Assert.IsType<EventWrite.Failed>(await insert).Fault.Message);
        Assert.True(
            await EventuallyAsync(one => one is { Operation: "events.insert", ClientDisconnected: true }));
    }

    /// <summary>
    /// R-CAL-10-A, R-CAL-10-P: 200 creates at once against Google's own limit: none lost, none refused.
    /// </summary>
    [Fact]
    [Trait("Requirement", "R-CAL-10-A")]
    [Trait("Requirement", "R-CAL-10-P")]
    public async Task Insert_TwoHundredAtOnce_StaysBelowTheProvidersLimit()
    {
        await Control.SetQuotaAsync(new(PerUser: 60), None);
        using var remotes = Start(
            new PipelineOptions { UserCallCountMax = 50, QuotaWaitMax = TimeSpan.FromSeconds(30) });
        var call = await CallAsync(Maya);
        var waiting = Enumerable.Range(0, 200).Select(number => $"cs{number:d8}").ToList();
        for (var minute = 0; waiting.Count > 0 && minute < 8; minute++)
        {
            var writes = waiting.Select(id => (Id: id, Write: remotes.Calendar.InsertAsync(
                call with { Interactive = true }, new(Maya, id), RemotesRig.Content(), Notify.None, None)))
                .ToArray();
            await Task.WhenAll(writes.Select(one => one.Write));
            foreach (var (id, write) in writes)
            {
                switch (await write)
                {
                    case EventWrite.Accepted:
                        waiting.Remove(id);
                        break;
                    case EventWrite.Failed(var fault):
                        Assert.Equal(ProviderReason.QuotaWait, fault.Reason);
                        Assert.InRange(
                            fault.RetryAfter!.Value, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(60));
                        break;
                }
            }

            Clock.Advance(TimeSpan.FromSeconds(61));
        }

        Assert.Empty(waiting);
        Assert.Equal(200, Assert.Single((await Control.GetTruthAsync(Maya, None)).Calendars).Events.Count);
        var inserts = (await Control.GetCallsAsync(None)).Where(one => one.Operation == "events.insert")
            .ToArray();
        Assert.All(inserts, one => Assert.Equal(200, one.Status));
        Assert.All(inserts, first => Assert.True(
            inserts.Count(one => one.At >= first.At && one.At < first.At.AddSeconds(60)) <= 50));
    }

    /// <summary>
    /// R-CAL-10-C, C-16: a limit lower than we think is learned from the answers, with few calls wasted.
    /// </summary>
    [Fact]
    [Trait("Requirement", "R-CAL-10-C")]
    public async Task Get_WhenTheProvidersLimitIsLower_LearnsFromItsAnswers()
    {
        await Control.AddFaultAsync(
            new("events.*", new() { Status = 429, Reason = "rateLimitExceeded", RetryAfter = 20 }), None);
        using var remotes = Start(new PipelineOptions { QuotaWaitMax = TimeSpan.Zero });
        var call = await CallAsync(Maya);
        for (var second = 0; second < 600; second++)
        {
            await remotes.Calendar.GetAsync(call, Address, None);
            Clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.InRange(
            (await Control.GetCallsAsync(None)).Count(one => one.Operation == "events.get"), 10, 30);
        Assert.InRange(call.Trace.Count(one => one.Reason == ProviderReason.RateLimited), 10, 30);
    }

    /// <summary>
    /// R-BCAL-2, R-CAL-12-P: what the sandbox says in Google's words is what the caller learns.
    /// </summary>
    [Theory]
    [InlineData(401, "authError", ProviderReason.CredentialsRejected)]
    [InlineData(403, "insufficientPermissions", ProviderReason.InsufficientScope)]
    [InlineData(403, "requiredAccessLevel", ProviderReason.NotWritable)]
    [InlineData(403, "quotaExceeded", ProviderReason.QuotaExceeded)]
    [InlineData(410, "fullSyncRequired", ProviderReason.FullSyncRequired)]
    [InlineData(500, "backendError", ProviderReason.ServerError)]
    [Trait("Requirement", "R-BCAL-2")]
    [Trait("Requirement", "R-CAL-12-P")]
    public async Task Insert_Refused_IsTheReasonTheProviderNamed(
        int status, string reason, ProviderReason expected)
    {
        using var remotes = Start();
        var call = await CallAsync(Maya);
        await Control.AddFaultAsync(new("events.insert", new() { Status = status, Reason = reason }), None);
        var write = await remotes.Calendar.InsertAsync(
            call, Address, RemotesRig.Content(), Notify.None, None);
        Assert.Equal(expected, Assert.IsType<EventWrite.Failed>(write).Fault.Reason);
        Assert.Single(await Control.GetCallsAsync(None), one => one.Operation == "events.insert");
    }

    /// <summary>A guest's address the provider refuses is told apart from other wrong requests.</summary>
    [Fact]
    public async Task Insert_WithAnAddressTheProviderRefuses_IsAttendeeRejected()
    {
        using var remotes = Start();
        var content = RemotesRig.Content() with { Attendees = [new Attendee("not an address")] };
        var write = await remotes.Calendar.InsertAsync(
            await CallAsync(Maya), Address, content, Notify.None, None);
        Assert.Equal(ProviderReason.AttendeeRejected, Assert.IsType<EventWrite.Failed>(write).Fault.Reason);
    }

    private GoogleRemotes Start(PipelineOptions? options = null)
    {
        var chosen = options ?? new PipelineOptions();
        return new GoogleRemotes(
            GoogleOptions.At(BaseAddress),
            OAuthOptions.At(BaseAddress) with
            {
                ClientId = SandboxOptions.DefaultClientId,
                ClientSecret = SandboxOptions.DefaultClientSecret,
            },
            chosen,
            new MemoryBreakerLedger(),
            new RetryPolicy(chosen.Retry, new Random(3)),
            new RetryBudget(chosen.Retry),
            Clock);
    }

    private async Task<ProviderCall> CallAsync(string user) =>
        new($"con_{user}", await TokenAsync(user), Interactive: true, "cor_1");

    private async Task<bool> EventuallyAsync(Func<SandboxCall, bool> seen)
    {
        for (var look = 0; look < 200; look++)
        {
            if ((await Control.GetCallsAsync(None)).Any(seen))
                return true;
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }

        return false;
    }

    private static string Challenge(string verifier) =>
        Convert.ToBase64String(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)))
            .TrimEnd('=').Replace('+', '-').Replace('/', '_');
}
