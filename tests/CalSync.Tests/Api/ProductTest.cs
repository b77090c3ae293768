using System.Text.Json.Nodes;
using CalSync.Lab.Running;
using CalSync.Sandbox;
using CalSync.Tests.Contracts;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>A test that has the whole product to itself.</summary>
/// <param name="database">Where a new database of an engine comes from; null for SQLite.</param>
public abstract class ProductTest(TestDatabase? database = null) : IAsyncLifetime
{
    /// <summary>What runs.</summary>
    protected RunningProduct Product { get; private set; } = null!;

    /// <summary>What is unusual about it.</summary>
    protected virtual ProductSettings Settings => new();

    public virtual async Task InitializeAsync() => Product = await RunningProduct.StartAsync(
        database is null ? Settings : Settings with { DatabaseUrl = (await database.NewEmptyAsync()).Url });

    public virtual async Task DisposeAsync() => await Product.DisposeAsync();

    /// <summary>A class of Maya's whose every event was read back.</summary>
    protected async Task<ApiAnswer> NewClassAsync(
        string title = "Drawing", int slots = 1, int capacity = 10) =>
        (await Product.Maya.PostAsync("classes", RunningProduct.ClassBody(title, slots, capacity)))
            .Expect(201);

    /// <summary>The slots of a class.</summary>
    protected static JsonNode[] Slots(ApiAnswer answer) =>
        [.. answer.Body!["schedules"]!.AsArray().SelectMany(schedule => schedule!["slots"]!.AsArray())
            .Select(slot => slot!)];

    /// <summary>A seat taken by a student.</summary>
    protected static Task<ApiAnswer> EnrolAsync(Person student, string classId, string? key = null) =>
        student.PostAsync($"classes/{classId}/enrollments", new JsonObject(), key);

    /// <summary>The proposal that follows from dragging the event of a class's first slot to another
    /// hour.</summary>
    protected async Task<string> ProposeAsync(ApiAnswer made, int hour = 20)
    {
        var slotId = (string)Slots(made)[0]["id"]!;
        var found = await Product.TextAsync(
            "SELECT provider_event_id FROM mirrors WHERE slot_id = @slotId", new { slotId });
        await Product.Control.EditEventAsync(
            new HandEdit("maya@studio.test", found!, "patch")
            {
                Fields = new JsonObject
                {
                    ["start"] = new JsonObject { ["dateTime"] = $"2031-01-06T{hour:d2}:00:00Z" },
                    ["end"] = new JsonObject { ["dateTime"] = $"2031-01-06T{hour + 1:d2}:00:00Z" },
                },
            },
            CancellationToken.None);
        // As a reading of the calendar does.
        await Product.ExecuteAsync(
            "UPDATE mirrors SET look_wanted = @yes, next_attempt_at = updated_at WHERE slot_id = @slotId",
            new { slotId, yes = true });
        await RunningProduct.UntilAsync(
            async () => await Product.CountAsync(
                "SELECT count(*) FROM proposals WHERE slot_id = @slotId AND state = 'pending'",
                new { slotId }) == 1,
            "the move is proposed");
        return (await Product.TextAsync(
            "SELECT id FROM proposals WHERE slot_id = @slotId", new { slotId }))!;
    }

    /// <summary>The event of the only slot of a class.</summary>
    protected async Task<CalSync.Sandbox.TruthEvent> EventAsync(string title) =>
        Assert.Single(await Product.EventsAsync(), found => found.Summary == title);
}
