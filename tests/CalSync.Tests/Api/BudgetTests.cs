using System.Diagnostics;
using System.Text.Json.Nodes;
using CalSync.Lab.Running;
using CalSync.Sandbox;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>
/// Goal: nobody waits longer than server.request_budget, whatever is slow, and nothing that was accepted is
/// lost. Method: a slow Google, a slow sign-in and a busy database, each with the whole product and a
/// stop-watch.
/// </summary>
[Trait("Category", "Slow")]
public sealed class BudgetTests
{
    private static CancellationToken None => CancellationToken.None;

    /// <summary>R-FIX-5-D: Google takes 15 s: every answer within the budget and a second, as 202 or
    /// 504.</summary>
    [Theory]
    [Trait("Requirement", "R-FIX-5-D")]
    [InlineData(1, 2)]
    [InlineData(8, 10)]
    public async Task Changes_WhenTheProviderTakesFifteenSeconds_AreAnsweredInTimeAndNothingIsLost(
        int wait, int budget)
    {
        await using var product = await RunningProduct.StartAsync(new ProductSettings
        {
            VerificationWait = TimeSpan.FromSeconds(wait),
            Set = Budget(wait, budget),
        });
        var made = await product.Maya.PostAsync("classes", RunningProduct.ClassBody("Drawing"));
        await product.QuietAsync();
        await SetStrictAsync(product);
        await product.Control.AddFaultAsync(
            new FaultScript("events.*", new FaultEffect { DelayAfterMs = 15_000 }), None);

        var key = RunningProduct.NewKey();
        Task<ApiAnswer> EnrolAsync() =>
            product.Bea.PostAsync($"classes/{made["id"]}/enrollments", new JsonObject(), key);
        var answers = await Task.WhenAll(
            TimedAsync(EnrolAsync),
            TimedAsync(() => product.Maya.PostAsync("classes", RunningProduct.ClassBody("Painting"))));

        Assert.All(answers, answer => Assert.True(
            answer.Took < TimeSpan.FromSeconds(budget + 1), $"{answer.Answer.Status} took {answer.Took}."));
        var (seat, painting) = (answers[0].Answer.Expect(504), answers[1].Answer.Expect(202));
        Assert.Equal("enrolment-failed", seat["code"]);
        Assert.NotEmpty(painting.Header("Operation-Location"));
        // A repetition is told how it ended, not again that it was late.
        Assert.Equal("enrolment-failed", (await EnrolAsync()).Expect(409)["code"]);

        await product.Control.ClearFaultsAsync(None);
        await product.QuietAsync();
        Assert.Equal("failed_rolled_back", await product.TextAsync("SELECT state FROM enrolments"));
        var events = await product.EventsAsync();
        Assert.Equal(
            ["Drawing", "Painting"], events.Select(found => found.Summary).Order(StringComparer.Ordinal));
        Assert.All(events, found => Assert.Empty(found.Attendees));
        Assert.Empty(await product.DifferencesAsync());
    }

    /// <summary>R-FIX-5-D: a sign-in that takes 15 s costs the person the budget, not three times ten
    /// seconds.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-5-D")]
    public async Task Callback_WhenTheProviderTakesFifteenSeconds_IsAnsweredInTime()
    {
        await using var product = await RunningProduct.StartAsync(new ProductSettings
        {
            Connects = false,
            Set = Budget(0, 3),
        });
        await product.Control.AddFaultAsync(
            new FaultScript("token", new FaultEffect { DelayMs = 15_000 }), None);
        var back = await ConsentAsync(product);

        var (answer, took) = await TimedAsync(() => product.Nobody.GetAsync(back));

        Assert.Contains("Please start again", answer.Expect(504).Text, StringComparison.Ordinal);
        Assert.True(took < TimeSpan.FromSeconds(4), $"It took {took}.");
        Assert.Equal(0, await product.CountAsync("SELECT count(*) FROM connections"));
        await product.Control.ClearFaultsAsync(None);
        (await product.Nobody.GetAsync(await ConsentAsync(product))).Expect(200);
        Assert.Equal(1, await product.CountAsync("SELECT count(*) FROM connections"));
    }

    /// <summary>R-FIX-5-D: a database that is busy delays the change, not its answer; the key tells how it
    /// ended.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-5-D")]
    public async Task Create_WhenTheDatabaseIsBusy_IsAnsweredInTimeAndHappensOnce()
    {
        await using var product = await RunningProduct.StartAsync(new ProductSettings
        {
            RunsWorkers = false,
            VerificationWait = TimeSpan.FromMilliseconds(100),
            Set = Budget(0, 3),
        });
        var (held, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        var holding = product.Database.WriteAsync(
            async session =>
            {
                await session.ExecuteAsync("UPDATE users SET version = version");
                held.SetResult();
                await release.Task;
            },
            None);
        await held.Task;
        var (body, key) = (RunningProduct.ClassBody("Drawing"), RunningProduct.NewKey());

        var (late, took) = await TimedAsync(() => product.Maya.PostAsync("classes", body, key));

        Assert.Equal("took-too-long", late.Expect(504)["code"]);
        Assert.True(took < TimeSpan.FromSeconds(4), $"It took {took}.");
        release.SetResult();
        await holding;
        await RunningProduct.UntilAsync(
            async () => (await product.Maya.PostAsync("classes", body, key)).Status == 202,
            "the key tells how it ended");
        Assert.Equal(1, await product.CountAsync("SELECT count(*) FROM classes"));
    }

    private static Dictionary<string, string> Budget(int wait, int budget) => new()
    {
        ["enrolment.wait"] = $"{wait}s",
        ["server.request_budget"] = $"{budget}s",
    };

    private static async Task<(ApiAnswer Answer, TimeSpan Took)> TimedAsync(Func<Task<ApiAnswer>> ask)
    {
        var watch = Stopwatch.StartNew();
        return (await ask(), watch.Elapsed);
    }

    private static async Task SetStrictAsync(RunningProduct product) =>
        (await product.Operator.PutAsync("admin/switches/enrollment-calendar", new JsonObject
        {
            ["value"] = "strict",
            ["reason"] = "rehearsal",
            ["ttlMinutes"] = 10,
        })).Expect(200);

    /// <summary>Where the provider sends the browser back after Arjun has consented.</summary>
    private static async Task<string> ConsentAsync(RunningProduct product)
    {
        var started = (await product.Arjun.PostAsync("calendar/connections/google", new JsonObject()))
            .Expect(200);
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var browser = new HttpClient(handler);
        using var consent = await browser.GetAsync(
            new Uri(started["authorizationUrl"] + "&sandbox_consent=allow&sandbox_user=arjun%40studio.test"));
        return consent.Headers.Location!.PathAndQuery;
    }
}
