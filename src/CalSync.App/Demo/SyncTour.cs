using System.Globalization;
using System.Text.Json.Nodes;
using CalSync.App.Commands;
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
    private DateTimeOffset _before;
    private string _plan = "";

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
        ("undone", "The deletion is approved by mistake, and the run undone: Google has the events again",
            UndoneAsync),
        ("restored", "The calendar is restored to before: they are back where they vanished too",
            RestoredAsync),
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
        _before = world.Now;
        var cloud = await world.ICloudTruthAsync(cancellation);
        for (var index = 0; index < DeletedCount; index++)
            await world.DeleteAsync(cloud[SyncCatalogue.Uid(index)].Name, cancellation);
        var (code, run) = await SyncVerbAsync(cancellation);
        _plan = (string?)run["plan"]?["id"] ?? "";
        var names = ((string?)run["held"]?["approve"])?.Contains("--apply-plan", StringComparison.Ordinal);
        return (
            "exit code 2, held, the approving command is named: True; "
                + Holds(AllCount, AllCount - DeletedCount),
            $"exit code {code}, {run["outcome"]}, the approving command is named: {names}; "
                + await HoldsAsync(cancellation));
    }

    private async Task<(string Expected, string Observed)> UndoneAsync(CancellationToken cancellation)
    {
        var (deleted, mistake) = await SyncVerbAsync(cancellation, "--apply-plan", _plan);
        var without = await HoldsAsync(cancellation);
        string[] undo = ["undo", (string?)mistake["run"] ?? ""];
        var (code, run) = await ApprovedAsync(cancellation, undo);
        var (again, second) = await PairVerbAsync(cancellation, undo);
        var (after, quiet) = await SyncVerbAsync(cancellation);
        return (
            $"approved: exit code 0, {DeletedCount} deleted; "
                + $"{Holds(AllCount - DeletedCount, AllCount - DeletedCount)}; undone: exit code 0, "
                + $"{DeletedCount} created; {Holds(AllCount, AllCount - DeletedCount)}; "
                + "undone again: exit code 0, 0 writes; next run: exit code 0, 0 writes",
            $"approved: exit code {deleted}, {mistake["deleted"]} deleted; {without}; "
                + $"undone: exit code {code}, {run["created"]} created; "
                + $"{await HoldsAsync(cancellation)}; undone again: exit code {again}, "
                + $"{Writes(second)} writes; next run: exit code {after}, {Writes(quiet)} writes");
    }

    private async Task<(string Expected, string Observed)> RestoredAsync(CancellationToken cancellation)
    {
        var (code, run) = await ApprovedAsync(
            cancellation, "restore", "--calendar", "home", "--at",
            _before.ToString("O", CultureInfo.InvariantCulture));
        var (after, quiet) = await SyncVerbAsync(cancellation);
        return (
            $"exit code 0, {DeletedCount} created, 0 deleted; {Holds(AllCount, AllCount)}; "
                + "next run: exit code 0, 0 writes",
            $"exit code {code}, {run["created"]} created, {run["deleted"]} deleted; "
                + $"{await HoldsAsync(cancellation)}; next run: exit code {after}, {Writes(quiet)} writes");
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

    private Task<(int Code, JsonNode Run)> SyncVerbAsync(
        CancellationToken cancellation, params string[] more) =>
        PairVerbAsync(cancellation, ["sync", "home", .. more]);

    /// <summary>Does something, and approves it when it is held because it would write much.</summary>
    private async Task<(int Code, JsonNode Run)> ApprovedAsync(
        CancellationToken cancellation, params string[] words)
    {
        var (code, run) = await PairVerbAsync(cancellation, words);
        return code == (int)SyncExit.Held
            ? await PairVerbAsync(cancellation, [.. words, "--apply-plan", (string?)run["plan"]?["id"] ?? ""])
            : (code, run);
    }

    private async Task<(int Code, JsonNode Run)> PairVerbAsync(
        CancellationToken cancellation, params string[] words)
    {
        var answer = await world.VerbAsync(cancellation, words);
        return answer.Json is JsonArray { Count: 1 } runs
            ? (answer.Code, runs[0]!)
            : throw new DemoFailedException($"calsync {words[0]} ended with {answer.Code}: {answer.Error}");
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
