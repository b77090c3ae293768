using System.Collections.Immutable;
using CalSync.Calendar;
using CalSync.Lab;
using CalSync.Remotes;
using CalSync.Remotes.Google;
using CalSync.Remotes.OAuth;
using CalSync.Remotes.Pipeline;
using CalSync.Sync.Providers;
using Xunit;

namespace CalSync.Tests.Remotes;

/// <summary>The real client against a scripted server, on a clock that stands still.</summary>
internal sealed class RemotesRig : IAsyncDisposable
{
    public const string EventId = "cs0123456789abcdefghijklmnopqrstuv";

    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private RemotesRig(
        Func<ScriptedRequest, ScriptedAnswer> script, PipelineOptions options, TimeProvider? clock)
    {
        Server = new ScriptedServer(script);
        var retry = new RetryPolicy(options.Retry, new Random(7));
        var budget = new RetryBudget(options.Retry);
        Remotes = new GoogleRemotes(
            new GoogleOptions { Endpoint = new Uri(Server.Address + "/calendar/v3") },
            new OAuthOptions
            {
                ClientId = "client-1",
                ClientSecret = "client-secret-value",
                AuthorizationEndpoint = new Uri(Server.Address + "/auth"),
                TokenEndpoint = new Uri(Server.Address + "/token"),
                RevocationEndpoint = new Uri(Server.Address + "/revoke"),
                UserInfoEndpoint = new Uri(Server.Address + "/userinfo"),
            },
            options,
            Ledger,
            retry,
            budget,
            clock ?? Clock);
    }

    public ScriptedServer Server { get; }

    public ManualTimeProvider Clock { get; } = new();

    public MemoryBreakerLedger Ledger { get; } = new();

    public GoogleRemotes Remotes { get; }

    public IEventCalendar Calendar => Remotes.Calendar;

    public static EventAddress Address { get; } = new("team@studio.test", EventId);

    public static RemotesRig Start(
        Func<ScriptedRequest, ScriptedAnswer> script, PipelineOptions? options = null,
        TimeProvider? clock = null) =>
        new(script, options ?? new PipelineOptions(), clock);

    public static ProviderCall Call(string connection = "con_1", bool interactive = true) =>
        new(connection, "access-token-value", interactive, "cor_1");

    public static EventContent Content() => new(
        "Yoga",
        "Bring a mat",
        null,
        At("2026-03-20T09:00:00+05:30", "Asia/Kolkata"),
        At("2026-03-20T10:00:00+05:30", "Asia/Kolkata"),
        [new Attendee("ann@example.test")],
        ImmutableSortedDictionary<string, string>.Empty.Add("calsyncMirror", "mir_1"),
        "room-1");

    public static ZonedTime At(string text, string zone)
    {
        Assert.True(Rfc3339.TryParse(text, out var instant));
        return ZonedTime.FromInstant(
            instant, Assert.IsType<ZoneResolution.Found>(CalendarZone.Resolve(zone)).Zone);
    }

    public static ScriptedAnswer Ok(string body) => new ScriptedAnswer.Send(200, body);

    public static ScriptedAnswer Error(int status, string reason, params string[] headers) =>
        new ScriptedAnswer.Send(
        status,
        $$"""
        {"error":{"errors":[{"domain":"global","reason":"{{reason}}","message":"secret words"}],
          "code":{{status}} } }
        """,
        headers);

    public static string EventJson(string more = "") =>
        $$"""
        {"kind":"calendar#event","id":"{{EventId}}","etag":"\"3181161784712000\"","status":"confirmed",
         "summary":"Yoga","start":{"dateTime":"2026-03-20T00:30:00-03:00","timeZone":"Asia/Calcutta"},
         "end":{"dateTime":"2026-03-20T01:30:00-03:00","timeZone":"Asia/Kolkata"}{{more}}}
        """;

    public async ValueTask DisposeAsync()
    {
        Remotes.Dispose();
        await Server.DisposeAsync();
    }
}
