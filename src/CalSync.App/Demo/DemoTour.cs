using System.Globalization;
using System.Text.Json.Nodes;
using CalSync.Sandbox;

namespace CalSync.App.Demo;

/// <summary>One thing the demo shows: what should be seen, and what was.</summary>
/// <param name="Name">Short and stable, for programs.</param>
/// <param name="Title">One sentence for people.</param>
/// <param name="Expected">What a system that cannot lie shows.</param>
/// <param name="Observed">What was seen at the provider and in the database.</param>
/// <param name="Elapsed">From the first action to the observation.</param>
internal sealed record DemoStep(string Name, string Title, string Expected, string Observed, TimeSpan Elapsed)
{
    /// <summary>Whether what was seen is what should be seen.</summary>
    public bool Ok => Expected == Observed;
}

/// <summary>The guided tour: everyday work first, then the worst faults, then the comparison with the
/// truth.</summary>
/// <remarks>
/// Every step acts through the public HTTP interface or on the sandbox, waits until nothing is under way, and
/// observes the provider's ground truth beside the database. Nothing is hard-coded that could be observed.
/// </remarks>
internal sealed class DemoTour(DemoWorld world)
{
    private JsonNode _class = new JsonObject();

    private string ClassPath => $"classes/{_class["id"]}";

    private string ClassId => _class["id"]!.ToString();

    /// <summary>The steps in order; each is run when the sequence reaches it.</summary>
    public IReadOnlyList<(
        string Name, string Title,
        Func<CancellationToken, Task<(string Expected, string Observed)>> Run)> Steps =>
    [
        ("history", "Three weeks of a studio are there to look at", HistoryAsync),
        ("create", "A class is created; each slot becomes one event", CreateAsync),
        ("enrol", "Students enrol; each becomes a guest before the seat is active", EnrolAsync),
        ("reschedule", "A slot moves; the event moves once", RescheduleAsync),
        ("double-click", "The same request is sent five times at once", DoubleClickAsync),
        ("stale-edit", "Somebody saves over a newer version", StaleEditAsync),
        ("revoke", "The instructor revokes access, then consents again", RevokeAsync),
        ("lost-answer", "The answer is lost after Google applied the write", LostAnswerAsync),
        ("kill-worker", "The worker is killed between Google's write and our record", KillWorkerAsync),
        ("calendar-deleted", "A secondary calendar is deleted at Google", CalendarDeletedAsync),
        ("mail", "Nobody was mailed by accident", MailAsync),
        ("truth", "Database and calendars are compared, event by event", TruthAsync),
    ];

    private async Task<(string Expected, string Observed)> HistoryAsync(CancellationToken cancellation)
    {
        var past = await world.PastAsync(cancellation);
        var zones = DemoCatalogue.Students.Select(student => student.TimeZone).Distinct().Count();
        return (
            "6 classes: 1 full, 1 cancelled, 1 with a slot that needs attention; 12 students in 5 zones; "
            + "21 days in the journal; a token ends in 7 minutes",
            $"{past.Classes} classes: {past.Full} full, {past.Cancelled} cancelled, "
            + $"{past.InAttention} with a slot that needs attention; {world.Students.Count} students in "
            + $"{zones} zones; "
            + $"{past.Days} days in the journal; "
            + $"a token ends in {Math.Ceiling(world.TokenLeft.TotalMinutes)} minutes");
    }

    private async Task<(string Expected, string Observed)> CreateAsync(CancellationToken cancellation)
    {
        var created = (await world.Maya.Api.PostAsync("classes", world.Data.TourClass(), cancellation))
            .Expect();
        _class = created.Body!;
        await world.QuietAsync(cancellation);
        var slots = Slots(await world.Maya.Api.GetAsync(ClassPath, cancellation));
        var events = await EventsAsync(cancellation);
        return (
            $"201 created, 3 slots verified, 3 events at "
                + $"{string.Join(", ", slots.Select(slot => Text((DateTimeOffset)slot["startAt"]!)))}",
            $"{created.Code} created, "
                + $"{slots.Count(slot => (string?)slot["calendar"]?["state"] == "verified")} slots verified, "
            + $"{events.Length} events at {string.Join(", ", events.Select(found => Text(found.Start)))}");
    }

    private async Task<(string Expected, string Observed)> EnrolAsync(CancellationToken cancellation)
    {
        var students = world.Students.Take(4).ToArray();
        var answers = await Task.WhenAll(students.Select(student =>
            student.Api.PostAsync($"{ClassPath}/enrollments", new JsonObject(), cancellation)));
        await world.QuietAsync(cancellation);
        var guests = string.Join(
            ' ', students.Select(student => student.Email).Order(StringComparer.Ordinal));
        var events = await EventsAsync(cancellation);
        return (
            $"201 201 201 201, guests of every event: {guests}",
            $"{string.Join(' ', answers.Select(answer => answer.Code))}, guests of every event: "
            + string.Join(" | ", events.Select(Guests).Distinct(StringComparer.Ordinal)));
    }

    private async Task<(string Expected, string Observed)> RescheduleAsync(CancellationToken cancellation)
    {
        var slot = await SlotAsync(0, cancellation);
        var before = await EventOfAsync(slot, cancellation);
        var start = DemoCatalogue.Later(slot["startLocal"]!.ToString(), hours: 2);
        (await world.Maya.Api.PatchAsync(
            SlotPath(slot), ETag(slot), DemoCatalogue.SlotTimes(start, 60), cancellation)).Expect();
        await world.QuietAsync(cancellation);
        var after = await EventOfAsync(slot, cancellation);
        return (
            $"same event {before.Id} 2 h later, the same {before.Attendees.Count} guests",
            $"same event {after.Id} {(after.Start - before.Start).TotalHours:0} h later, the same "
                + $"{after.Attendees.Count} guests");
    }

    private async Task<(string Expected, string Observed)> DoubleClickAsync(CancellationToken cancellation)
    {
        var key = world.NewKey();
        var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ =>
            world.Maya.Api.PostAsync("classes", world.Data.DoubleClickClass(), cancellation, key)));
        await world.QuietAsync(cancellation);
        var replay = await world.Maya.Api.PostAsync(
            "classes", world.Data.DoubleClickClass(), cancellation, key);
        var made = answers.Where(answer => answer.Code == 201).Select(answer => answer.Text("id")).Distinct()
            .Count();
        var codes = string.Join(' ', answers.Select(answer => answer.Code));
        var events = (await world.EventsAsync(cancellation))
            .Count(found => found.Summary == DemoCatalogue.DoubleClickTitle && found.Status != "cancelled");
        return (
            "1 class, 1 event, answers 201 201 201 201 201, the key replays its answer",
            $"{made} class, {events} event, answers {codes}, "
            + (replay is { Code: 201, Replayed: true }
                ? "the key replays its answer"
                : $"the key answers {replay.Code}"));
    }

    private async Task<(string Expected, string Observed)> StaleEditAsync(CancellationToken cancellation)
    {
        var slot = await SlotAsync(1, cancellation);
        var later = DemoCatalogue.Later(slot["startLocal"]!.ToString(), hours: 1);
        var first = await world.Maya.Api.PatchAsync(
            SlotPath(slot), ETag(slot), DemoCatalogue.SlotTimes(later, 60), cancellation);
        var second = await world.Admin.Api.PatchAsync(
            SlotPath(slot), ETag(slot), DemoCatalogue.SlotTimes(DemoCatalogue.Later(later, hours: 3), 60),
            cancellation);
        await world.QuietAsync(cancellation);
        var truth = await EventOfAsync(slot, cancellation);
        var wanted = Text((DateTimeOffset)(await SlotAsync(1, cancellation))["startAt"]!);
        return (
            $"the first save wins, the second is told 412 stale-version, the event is at {wanted}",
            $"{(first.Code < 300 ? "the first save wins" : $"the first save got {first.Code}")}, the second "
                + "is told "
            + $"{second.Code} {second.Text("code")}, the event is at {Text(truth.Start)}");
    }

    private async Task<(string Expected, string Observed)> RevokeAsync(CancellationToken cancellation)
    {
        await world.Control.RevokeAsync(DemoCatalogue.Maya, cancellation);
        var student = world.Students[4];
        var enrolled = await student.Api.PostAsync(
            $"{ClassPath}/enrollments", new JsonObject(), cancellation);
        var (state, parked) = await world.WaitForConsentNeededAsync(cancellation);
        await DemoWorld.ConnectAsync(world.Maya, DemoCatalogue.Maya, cancellation);
        await world.QuietAsync(cancellation);
        var seat = await world.SeatStateAsync(ClassId, student.Email, cancellation);
        var everywhere = (await EventsAsync(cancellation))
            .All(found => found.Attendees.ContainsKey(student.Email));
        return (
            "the seat is held (202), the connection needs_reauth, work parked; after consent the seat is "
                + "active and invited",
            $"{(enrolled.Code == 202 ? "the seat is held (202)" : $"answer {enrolled.Code}")}, the "
                + $"connection {state}, "
            + $"{(parked ? "work parked" : "nothing parked")}; after consent the seat is {seat} and "
            + (everywhere ? "invited" : "not invited"));
    }

    private async Task<(string Expected, string Observed)> LostAnswerAsync(CancellationToken cancellation)
    {
        var insert = await world.Control.AddFaultAsync(
            new FaultScript("events.insert", new FaultEffect { Drop = "after" }) { Times = 1 }, cancellation);
        var patch = await world.Control.AddFaultAsync(
            new FaultScript("events.patch", new FaultEffect { Drop = "after" }) { Times = 1 }, cancellation);
        (await world.Maya.Api.PostAsync("classes", world.Data.LostAnswerClass(), cancellation)).Expect();
        var slot = await SlotAsync(2, cancellation);
        var before = await EventOfAsync(slot, cancellation);
        var start = DemoCatalogue.Later(slot["startLocal"]!.ToString(), hours: 1);
        (await world.Maya.Api.PatchAsync(
            SlotPath(slot), ETag(slot), DemoCatalogue.SlotTimes(start, 60), cancellation)).Expect();
        await world.QuietAsync(cancellation);
        var fired = await world.FiredAsync([insert.Id, patch.Id], cancellation);
        await world.Control.ClearFaultsAsync(cancellation);
        var copies = (await world.EventsAsync(cancellation))
            .Count(found => found.Summary == DemoCatalogue.LostAnswerTitle && found.Status != "cancelled");
        var after = await EventOfAsync(slot, cancellation);
        return (
            "2 answers lost; 1 event for the new slot, the moved slot is 1 h later with 1 change of sequence",
            $"{fired} answers lost; {copies} event for the new slot, the moved slot is "
                + $"{(after.Start - before.Start).TotalHours:0} h later "
            + $"with {after.Sequence - before.Sequence} change of sequence");
    }

    private async Task<(string Expected, string Observed)> KillWorkerAsync(CancellationToken cancellation)
    {
        var slot = await SlotAsync(0, cancellation);
        var before = await EventOfAsync(slot, cancellation);
        await world.Control.AddFaultAsync(
            new FaultScript("events.patch", new FaultEffect { DelayAfterMs = 20_000 }) { Times = 1 },
            cancellation);
        var start = DemoCatalogue.Later(slot["startLocal"]!.ToString(), hours: 1);
        var request = world.Maya.Api.PatchAsync(
            SlotPath(slot), ETag(slot), DemoCatalogue.SlotTimes(start, 60), cancellation);
        await world.UntilAsync(
            async () => (await EventOfAsync(slot, cancellation)).Start != before.Start,
            "the write reaches Google", cancellation);
        var stateAtKill = (await SlotAsync(0, cancellation))["calendar"]!["state"]!.ToString();
        await world.KillWorkerAsync();
        await world.StartWorkerAsync(cancellation);
        (await request).Expect();
        await world.QuietAsync(cancellation);
        await world.Control.ClearFaultsAsync(cancellation);
        var after = await EventOfAsync(slot, cancellation);
        var state = (await SlotAsync(0, cancellation))["calendar"]!["state"]!.ToString();
        return (
            "not verified when killed; afterwards 1 event, 1 h later, 1 change of sequence, verified",
            $"{(stateAtKill == "verified" ? "verified too early" : "not verified when killed")}; afterwards "
            + $"{(await EventsAsync(cancellation)).Count(found => found.Id == before.Id)} event, "
            + $"{(after.Start - before.Start).TotalHours:0} h later, "
            + $"{after.Sequence - before.Sequence} change of sequence, {state}");
    }

    private async Task<(string Expected, string Observed)> CalendarDeletedAsync(
        CancellationToken cancellation)
    {
        var created = (await world.Arjun.Api.PostAsync("classes", world.Data.SecondaryClass(), cancellation))
            .Expect();
        await world.QuietAsync(cancellation);
        await world.Control.DeleteCalendarAsync(world.SecondaryCalendarId, cancellation);
        var seat = await world.Students[5].Api.PostAsync(
            $"classes/{created.Text("id")}/enrollments", new JsonObject(), cancellation);
        await world.QuietAsync(cancellation);
        var events = (await world.Control.GetTruthAsync(null, cancellation)).Calendars
            .Where(calendar => !calendar.Deleted && calendar.Id == DemoCatalogue.Arjun)
            .SelectMany(calendar => calendar.Events)
            .Count(
                found =>
                found.Status != "cancelled" && !found.IsCopy
                && found.Summary == DemoCatalogue.SecondaryTitle);
        var state = await world.SeatStateAsync(created.Text("id"), world.Students[5].Email, cancellation);
        return (
            "2 events again in the primary calendar, the seat active",
            $"{events} events again in the primary calendar, the seat "
                + $"{state}{(seat.Code < 300 ? "" : $" (answer {seat.Code})")}");
    }

    private async Task<(string Expected, string Observed)> MailAsync(CancellationToken cancellation)
    {
        var mailed = (await world.Control.GetMailsAsync(false, cancellation)).Count;
        return ("0 mails by the provider", $"{mailed} mails by the provider");
    }

    private async Task<(string Expected, string Observed)> TruthAsync(CancellationToken cancellation)
    {
        await world.QuietAsync(cancellation);
        var report = await TruthCheck.CompareAsync(
            world.Database, await world.Control.GetTruthAsync(null, cancellation), cancellation);
        var chain = await world.VerifyJournalAsync(cancellation);
        var others = report.Differences.Length == report.Admitted
            ? "no other difference"
            : string.Join("; ", report.Differences);
        return (
            $"{report.Slots} slots, {report.Slots - 1} events, 1 slot that is known to need attention, "
            + "no other difference, journal intact",
            $"{report.Slots} slots, {report.Events} events, {report.Admitted} slot that is known to need "
            + $"attention, {others}, journal {chain}");
    }

    private async Task<TruthEvent[]> EventsAsync(CancellationToken cancellation) =>
        [.. (await world.EventsAsync(cancellation))
            .Where(found => found.Status != "cancelled" && found.Summary == DemoCatalogue.TourTitle)
            .OrderBy(found => found.Start)];

    private async Task<TruthEvent> EventOfAsync(JsonNode slot, CancellationToken cancellation) =>
        (await world.EventsAsync(cancellation))
            .Single(found => found.Id == slot["calendar"]!["eventId"]!.ToString());

    private async Task<JsonNode> SlotAsync(int index, CancellationToken cancellation) =>
        Slots(await world.Maya.Api.GetAsync(ClassPath, cancellation))
            .OrderBy(slot => slot["id"]!.ToString(), StringComparer.Ordinal).ElementAt(index);

    private static JsonNode[] Slots(DemoAnswer answer) =>
        [.. answer.Expect().Body!["schedules"]!.AsArray()
            .SelectMany(schedule => schedule!["slots"]!.AsArray()).OfType<JsonNode>()];

    private string SlotPath(JsonNode slot) => $"{ClassPath}/slots/{slot["id"]}";

    private static string ETag(JsonNode slot) => $"\"{slot["version"]}\"";

    private static string Guests(TruthEvent found) => string.Join(
        ' ', found.Attendees.Keys.Where(guest => guest != DemoCatalogue.Maya).Order(StringComparer.Ordinal));

    private static string Text(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
