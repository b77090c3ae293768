using System.Text.Json.Nodes;
using CalSync.Lab.Running;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>
/// The six flows, over real loopback HTTP, measured at what the sandbox really holds and not at what the
/// product says.
/// </summary>
public sealed class FlowTests : ProductTest
{
    [Fact]
    [Trait("Requirement", "R-FLOW-1")]
    public async Task Connect_ThroughTheConsentPages_StoresOnlyCiphertext()
    {
        var connections = (await Product.Maya.GetAsync("calendar/connections")).Expect(200);

        var connection = Assert.Single(connections.Body!["items"]!.AsArray());
        Assert.Equal("healthy", (string?)connection!["state"]);
        Assert.Equal("maya@studio.test", (string?)connection["accountEmail"]);
        var stored = await Product.Database.ReadAsync(
            session => session.QueryAsync<Sealed>("SELECT access_token, refresh_token FROM connections"),
            CancellationToken.None);
        var row = Assert.Single(stored);
        foreach (var cipher in new[] { row.AccessToken, row.RefreshToken })
        {
            Assert.NotEmpty(cipher);
            // The sandbox's tokens are text; what is stored is not.
            Assert.Contains(cipher, letter => letter is < 32 or > 126);
        }

        Assert.DoesNotContain("token", connections.Text, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    [Trait("Requirement", "R-FLOW-1")]
    public async Task Callback_WithAStateThatWasUsed_ConnectsNobody()
    {
        var started = (await Product.Arjun.PostAsync("calendar/connections/google", new JsonObject()))
            .Expect(200);
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var browser = new HttpClient(handler);
        using var consent = await browser.GetAsync(
            new Uri(started["authorizationUrl"] + "&sandbox_consent=allow&sandbox_user=arjun%40studio.test"));
        var back = consent.Headers.Location!.PathAndQuery;

        var first = await Product.Nobody.GetAsync(back);
        var second = await Product.Nobody.GetAsync(back);
        var forged = await Product.Nobody.GetAsync("/oauth/google/callback?state=never-given&code=x");

        Assert.Equal([200, 400, 400], new[] { first.Status, second.Status, forged.Status });
        Assert.Equal(
            1,
            await Product.CountAsync(
                "SELECT count(*) FROM connections WHERE user_id = @Id", new { Product.Arjun.Id }));
    }

    [Fact]
    [Trait("Requirement", "R-FLOW-2")]
    public async Task CreateClass_WithTwoSlots_HasTwoEventsAtTheProvider()
    {
        var made = await NewClassAsync("Watercolour", slots: 2);

        Assert.Equal("verified", (string?)made.Body!["operation"]!["state"]);
        // Both are written at the same time: which comes first is nobody's promise.
        var events = (await Product.EventsAsync()).OrderBy(found => found.Start).ToList();
        Assert.Equal(
            Slots(made).Select(
                slot => ((DateTimeOffset)slot["startAt"]!, (DateTimeOffset)slot["endAt"]!, "Watercolour")),
            events.Select(found => (found.Start, found.End, found.Summary!)));
        Assert.Equal(2, events.Count);
        Assert.Equal(new DateTimeOffset(2031, 1, 6, 15, 0, 0, TimeSpan.Zero), events[0].Start);
        Assert.Empty(await Product.DifferencesAsync());
    }

    [Fact]
    [Trait("Requirement", "R-FLOW-3")]
    [Trait("Requirement", "R-FLOW-5")]
    public async Task Enrol_Student_IsAGuestAndSeesTheSameInstant()
    {
        var made = await NewClassAsync();

        var seat = (await EnrolAsync(Product.Bea, made["id"])).Expect(201);

        Assert.Equal("active", seat["state"]);
        var truth = await Product.Control.GetTruthAsync(null, CancellationToken.None);
        var original = Assert.Single(
            truth.Calendars.Single(calendar => calendar.Id == "maya@studio.test").Events);
        Assert.Equal("needsAction", original.Attendees["bea@mail.test"]);
        var copy = Assert.Single(truth.Calendars.Single(calendar => calendar.Id == "bea@mail.test").Events);
        Assert.True(copy.IsCopy);
        Assert.Equal((original.Start, original.End, original.ICalUid), (copy.Start, copy.End, copy.ICalUid));
    }

    [Fact]
    [Trait("Requirement", "R-FLOW-4")]
    public async Task ConfirmPayment_KeepsSeatAndSlots_AndIsInTheHistory()
    {
        var made = await NewClassAsync();
        var seat = (await EnrolAsync(Product.Bea, made["id"])).Expect(201);
        var before = await Product.TextAsync("SELECT start_at || end_at || version FROM slots");

        var paid = (await Product.Maya.PostAsync(
            $"classes/{made["id"]}/enrollments/{seat["id"]}/confirm-payment", new JsonObject())).Expect(200);

        Assert.Equal(("confirmed", "active"), (paid["paymentState"], paid["state"]));
        Assert.Equal(before, await Product.TextAsync("SELECT start_at || end_at || version FROM slots"));
        var history = (await Product.Maya.GetAsync($"classes/{made["id"]}/history?limit=200")).Expect(200);
        Assert.Contains(
            history.Body!["items"]!.AsArray(), entry => (string?)entry!["kind"] == "payment.confirmed");
    }

    [Fact]
    [Trait("Requirement", "R-FLOW-6")]
    public async Task MoveSlot_WithItsETag_MovesTheEvent()
    {
        var made = await NewClassAsync();
        var slot = Slots(made)[0];
        var before = await EventAsync("Drawing");
        var path = $"classes/{made["id"]}/slots/{slot["id"]}";

        var moved = (await Product.Maya.PatchAsync(
            path, (await Product.Maya.GetAsync(path)).ETag,
            new JsonObject { ["start"] = "2031-01-06T14:30:00" })).Expect(200);

        var after = await EventAsync("Drawing");
        Assert.Equal(before.Id, after.Id);
        Assert.Equal(new DateTimeOffset(2031, 1, 6, 19, 30, 0, TimeSpan.Zero), after.Start);
        Assert.Equal(TimeSpan.FromHours(1), after.End - after.Start);
        Assert.True(after.Sequence > before.Sequence, "SEQUENCE did not rise");
        var calendar = moved.Body!["calendar"]!;
        Assert.Equal((long?)calendar["desiredVersion"], (long?)calendar["verifiedVersion"]);
        Assert.Empty(await Product.DifferencesAsync());
    }

    [Fact]
    public async Task PreferRespondAsync_AnswersAtOnce_AndSaysSo()
    {
        await Product.Control.SetLatencyAsync(TimeSpan.FromMilliseconds(400), CancellationToken.None);
        var created = await Product.Maya.PostAsync(
            "classes", RunningProduct.ClassBody("Later"), null,
            ("Prefer", "handling=lenient, respond-async; wait=10"));
        var enrolled = await Product.Bea.PostAsync(
            $"classes/{created["id"]}/enrollments", new JsonObject(), null, ("Prefer", "respond-async"));
        var made = await Product.Maya.GetAsync($"classes/{created["id"]}");
        var path = $"classes/{created["id"]}/slots/{Slots(made)[0]["id"]}";
        var moved = await Product.Maya.PatchAsync(
            path, (await Product.Maya.GetAsync(path)).ETag,
            new JsonObject { ["start"] = "2031-01-06T14:30:00" },
            ("Prefer", "respond-async"));

        foreach (var answer in new[] { created, enrolled, moved })
        {
            Assert.Equal(202, answer.Status);
            Assert.Equal("respond-async", answer.Header("Preference-Applied"));
            Assert.StartsWith("/api/v1/operations/opn_", answer.Header("Location"), StringComparison.Ordinal);
            Assert.Equal("2", answer.Header("Retry-After"));
        }

        await Product.Control.SetLatencyAsync(TimeSpan.Zero, CancellationToken.None);
        await Product.QuietAsync();
        Assert.Empty(await Product.DifferencesAsync());
        Assert.Equal(
            "active",
            (await Product.Bea.GetAsync($"classes/{created["id"]}/enrollments/{enrolled["id"]}"))["state"]);
    }

    private sealed record Sealed
    {
        public byte[] AccessToken { get; init; } = [];

        public byte[] RefreshToken { get; init; } = [];
    }
}
