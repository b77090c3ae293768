using System.Text.Json.Nodes;
using CalSync.Lab.Running;
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

    /// <summary>The event of the only slot of a class.</summary>
    protected async Task<CalSync.Sandbox.TruthEvent> EventAsync(string title) =>
        Assert.Single(await Product.EventsAsync(), found => found.Summary == title);
}
