using System.Text.Json.Nodes;
using CalSync.Sandbox;

namespace CalSync.App.Demo;

/// <summary>The three weeks before the demo, played: what people would have sent, and when.</summary>
/// <remarks>
/// The product runs on a clock that was set back and is set forward between the acts, when nothing is under
/// way. So rows, events, journal and hash chain are what the product itself wrote at those times.
/// </remarks>
/// <param name="world">Connected people; the product runs.</param>
/// <param name="clock">Of the product and of the practice Google; <see cref="Length"/> behind.</param>
internal sealed class DemoHistory(DemoWorld world, OffsetClock clock)
{
    /// <summary>How far back it begins.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromDays(21);

    /// <summary>How old the newest token of the instructor in Kolkata is in the end: 7 minutes of an hour are
    /// left.</summary>
    public static readonly TimeSpan TokenAge = TimeSpan.FromMinutes(53);

    /// <summary>Plays everything; afterwards the clock shows the present.</summary>
    /// <exception cref="DemoFailedException">The product answered something else than it should.</exception>
    public async Task PlayAsync(CancellationToken cancellation)
    {
        var data = world.Data;
        await TeachAsync(world.Maya, data.WeeklyClass(), world.Students.Take(5), cancellation);
        await TeachAsync(world.Maya, data.FullClass(), world.Students.Skip(5).Take(2), cancellation);
        var moved = await TeachAsync(
            world.Maya, data.MovedClass(), world.Students.Skip(7).Take(3), cancellation);
        await GoToAsync(TimeSpan.FromDays(14), cancellation);

        var raga = await TeachAsync(
            world.Arjun, data.RagaClass(), world.Students.Skip(9).Take(2), cancellation);
        var cancelled = await TeachAsync(
            world.Maya, data.CancelledClass(), world.Students.Take(2), cancellation);
        await GoToAsync(TimeSpan.FromDays(7), cancellation);

        await MoveLastSlotAsync(moved, cancellation);
        var last = (await world.Maya.Api.GetAsync(cancelled, cancellation)).Expect();
        (await world.Maya.Api.DeleteAsync(cancelled, last.ETag ?? "", cancellation)).Expect();
        await GoToAsync(TokenAge, cancellation);

        // The token that the event's new guest takes is granted now, 53 minutes ago.
        await EnrolAsync(world.Students[11], raga, cancellation);
        await GoToAsync(TimeSpan.Zero, cancellation);
    }

    /// <summary>The last thing before the tour: Google refuses one of two events for good. A retry does not
    /// help, a person has to look.</summary>
    public static async Task FailOneSlotAsync(DemoWorld world, CancellationToken cancellation)
    {
        await world.Control.AddFaultAsync(
            new FaultScript("events.insert", new FaultEffect { Status = 403, Reason = "forbidden" })
            {
                User = DemoCatalogue.Maya,
                Nth = 2,
                Times = 1,
            },
            cancellation);
        (await world.Maya.Api.PostAsync(
            "classes", world.Data.FailedClass(), cancellation, prefer: "respond-async")).Expect();
        await world.QuietAsync(cancellation);
        await world.Control.ClearFaultsAsync(cancellation);
    }

    private async Task GoToAsync(TimeSpan ago, CancellationToken cancellation)
    {
        await world.QuietAsync(cancellation);
        clock.Offset = -ago;
    }

    // Gives the path of the new class.
    private static async Task<string> TeachAsync(
        DemoPerson instructor, JsonObject body, IEnumerable<DemoPerson> students,
        CancellationToken cancellation)
    {
        var made = (await instructor.Api.PostAsync("classes", body, cancellation)).Expect();
        var path = $"classes/{made.Text("id")}";
        await Task.WhenAll(students.Select(student => EnrolAsync(student, path, cancellation)));
        return path;
    }

    private static async Task EnrolAsync(DemoPerson student, string path, CancellationToken cancellation) =>
        (await student.Api.PostAsync($"{path}/enrollments", new JsonObject(), cancellation)).Expect();

    private async Task MoveLastSlotAsync(string path, CancellationToken cancellation)
    {
        var seen = (await world.Maya.Api.GetAsync(path, cancellation)).Expect();
        var slot = seen.Body!["schedules"]!.AsArray()
            .SelectMany(schedule => schedule!["slots"]!.AsArray()).OfType<JsonNode>()
            .MaxBy(found => found["startLocal"]!.ToString(), StringComparer.Ordinal)!;
        var later = DemoCatalogue.Later(slot["startLocal"]!.ToString(), hours: 1);
        (await world.Maya.Api.PatchAsync(
            $"{path}/slots/{slot["id"]}", $"\"{slot["version"]}\"", DemoCatalogue.SlotTimes(later, 60),
            cancellation)).Expect();
    }
}
