using System.Globalization;
using System.Text.Json.Nodes;
using CalSync.Calendar;
using CalSync.Calendar.Components;
using CalSync.Calendar.Document;
using CalSync.Calendar.Values;
using CalSync.Sandbox;

namespace CalSync.App.Demo;

/// <summary>
/// The tour of two calendars kept equal. Every step uses the command line, and looks at what both sandboxes
/// really hold.
/// </summary>
internal sealed class SyncTour(SyncWorld world)
{
    private const int GoogleCount = 3;
    private const int ICloudCount = SyncCatalogue.LessonCount + 2;
    private const int AllCount = GoogleCount + ICloudCount - 1;
    private const int DeletedCount = 8;
    private readonly Dictionary<string, string> _vanished = [];

    /// <summary>The steps in order.</summary>
    public IReadOnlyList<(
        string Name, string Title,
        Func<CancellationToken, Task<(string Expected, string Observed)>> Run)> Steps =>
    [
        ("connect", "Two accounts are connected and two calendars paired", ConnectAsync),
        ("dry-run", "A dry run says what would be done, and does nothing", DryRunAsync),
        ("sync", "The run copies what is missing and links what both have", SyncAsync),
        ("again", "A second run finds nothing to do", AgainAsync),
        ("merge", "A title is edited at Google, the time of that event on a phone: both stay", MergeAsync),
        ("held", "Most events vanish from one side: the run is held before its first write", HeldAsync),
        ("restored", "The events come back where they vanished: nothing was lost", RestoredAsync),
        ("mail", "Nobody was mailed", MailAsync),
        ("truth", "Both calendars are compared, event by event", TruthAsync),
    ];

    private async Task<(string Expected, string Observed)> ConnectAsync(CancellationToken cancellation)
    {
        var google = await world.VerbAsync(
            cancellation, "connect", "google", "--consent-as", SyncWorld.Google);
        var cloud = await world.VerbAsync(
            cancellation, "connect", "icloud", "--sandbox", "--username", SyncWorld.ICloud,
            "--password-file", Path.Combine(world.Folder, "password"));
        var pair = await world.VerbAsync(
            cancellation, "pairs", "add", "home", $"{SyncWorld.Google}/{SyncWorld.Google}",
            $"{SyncWorld.ICloud}/home");
        return ("exit codes 0, 0, 0", $"exit codes {google.Code}, {cloud.Code}, {pair.Code}");
    }

    private async Task<(string Expected, string Observed)> DryRunAsync(CancellationToken cancellation)
    {
        var plan = (await SyncVerbAsync(cancellation, "--dry-run")).Run["plan"];
        return (
            $"{AllCount - ICloudCount + AllCount - GoogleCount} writes planned; "
                + Holds(GoogleCount, ICloudCount),
            $"{plan?["steps"]?.AsArray().Count} writes planned; {await HoldsAsync(cancellation)}");
    }

    private async Task<(string Expected, string Observed)> SyncAsync(CancellationToken cancellation)
    {
        var (code, run) = await SyncVerbAsync(cancellation);
        return (
            $"exit code 0, {AllCount - ICloudCount + AllCount - GoogleCount} created, 1 linked; "
                + Holds(AllCount, AllCount),
            $"exit code {code}, {run["created"]} created, {run["linked"]} linked; "
                + await HoldsAsync(cancellation));
    }

    private async Task<(string Expected, string Observed)> AgainAsync(CancellationToken cancellation)
    {
        var (code, run) = await SyncVerbAsync(cancellation);
        return (
            "exit code 0, equal, 0 writes",
            $"exit code {code}, {run["outcome"]}, {Writes(run)} writes");
    }

    private async Task<(string Expected, string Observed)> MergeAsync(CancellationToken cancellation)
    {
        var uid = SyncCatalogue.Uid(2);
        var before = (await world.GoogleTruthAsync(cancellation))[uid];
        await world.GoogleHands.EditEventAsync(
            new HandEdit(SyncWorld.Google, before.Id, "patch")
            {
                Fields = new JsonObject { ["summary"] = "Lesson 2, with guests" },
            },
            cancellation);
        await world.PutAsync(SyncCatalogue.Name(2), SyncCatalogue.Lesson(2, hour: 14), cancellation);
        var (code, _) = await SyncVerbAsync(cancellation);
        var google = (await world.GoogleTruthAsync(cancellation))[uid];
        var cloud = (await world.ICloudTruthAsync(cancellation))[uid];
        return (
            "exit code 0; Google: Lesson 2, with guests, 2027-03-03T14:00Z; "
                + "iCloud: Lesson 2, with guests, 2027-03-03T14:00Z",
            $"exit code {code}; Google: {google.Summary}, {Start(google)}; "
                + $"iCloud: {Titled(cloud)}, {Start(cloud)}");
    }

    private async Task<(string Expected, string Observed)> HeldAsync(CancellationToken cancellation)
    {
        var cloud = await world.ICloudTruthAsync(cancellation);
        for (var index = 0; index < DeletedCount; index++)
        {
            var vanishing = cloud[SyncCatalogue.Uid(index)];
            _vanished[vanishing.Name] = vanishing.Content;
            await world.DeleteAsync(vanishing.Name, cancellation);
        }

        var (code, run) = await SyncVerbAsync(cancellation);
        var names = ((string?)run["held"]?["approve"])?.Contains("--apply-plan", StringComparison.Ordinal);
        return (
            "exit code 2, held, the approving command is named: True; "
                + Holds(AllCount, AllCount - DeletedCount),
            $"exit code {code}, {run["outcome"]}, the approving command is named: {names}; "
                + await HoldsAsync(cancellation));
    }

    private async Task<(string Expected, string Observed)> RestoredAsync(CancellationToken cancellation)
    {
        // The person put them back; what Google still has is linked, nothing is copied.
        foreach (var (name, text) in _vanished)
            await world.PutAsync(name, text, cancellation);
        var (code, run) = await SyncVerbAsync(cancellation);
        return (
            $"exit code 0, 0 created, 0 deleted; {Holds(AllCount, AllCount)}",
            $"exit code {code}, {run["created"]} created, {run["deleted"]} deleted; "
                + await HoldsAsync(cancellation));
    }

    private async Task<(string Expected, string Observed)> MailAsync(CancellationToken cancellation)
    {
        var mails = await world.GoogleHands.GetMailsAsync(includeKeptBack: false, cancellation);
        return ("0 mails", $"{mails.Count} mails");
    }

    private async Task<(string Expected, string Observed)> TruthAsync(CancellationToken cancellation)
    {
        var verified = await world.VerbAsync(cancellation, "verify");
        var google = await world.GoogleTruthAsync(cancellation);
        var cloud = await world.ICloudTruthAsync(cancellation);
        var equal = google.Values.Count(each => cloud.TryGetValue(each.ICalUid, out var other)
            && Titled(other) == each.Summary && Start(other) == Start(each));
        return (
            $"verify: exit code 0; {AllCount} of {AllCount} events with the same UID, title and start",
            $"verify: exit code {verified.Code}; {equal} of {Math.Max(google.Count, cloud.Count)} events "
                + "with the same UID, title and start");
    }

    private async Task<(int Code, JsonNode Run)> SyncVerbAsync(
        CancellationToken cancellation, params string[] more)
    {
        var answer = await world.VerbAsync(cancellation, ["sync", "home", .. more]);
        return answer.Json is JsonArray { Count: 1 } runs
            ? (answer.Code, runs[0]!)
            : throw new DemoFailedException($"calsync sync ended with {answer.Code}: {answer.Error}");
    }

    private static int Writes(JsonNode run) =>
        (int)run["created"]! + (int)run["updated"]! + (int)run["deleted"]!;

    private static string Holds(int google, int cloud) => $"Google holds {google}, iCloud {cloud}";

    private async Task<string> HoldsAsync(CancellationToken cancellation) => Holds(
        (await world.GoogleTruthAsync(cancellation)).Count,
        (await world.ICloudTruthAsync(cancellation)).Count);

    private static string Titled(CalDavTruthResource resource) =>
        Master(resource).Text("SUMMARY"u8).Value ?? "";

    private static string Start(CalDavTruthResource resource) =>
        Master(resource).Time("DTSTART"u8).Value switch
        {
            CalendarTime.Utc utc => Moment(utc.Moment),
            CalendarTime.Zoned zoned when CalendarZone.Resolve(zoned.TzId) is ZoneResolution.Found found
                && ZonedTime.Resolve(zoned.Local, found.Zone) is WallTimeResolution.Exact exact =>
                Moment(exact.Time.Instant),
            CalendarTime.Date date => date.Value.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            var other => $"{other}",
        };

    private static string Start(TruthEvent happening) =>
        (string?)happening.Body["start"]?["date"] ?? Moment(happening.Start);

    private static string Moment(DateTimeOffset time) =>
        time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm'Z'", CultureInfo.InvariantCulture);

    private static CalendarComponent Master(CalDavTruthResource resource) =>
        CalendarDocument.Parse(resource.Content).AllComponents
            .First(each => each.Is("VEVENT"u8) && each.Property("RECURRENCE-ID"u8) is null);
}
