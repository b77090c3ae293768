using System.Globalization;
using System.Text.Json.Nodes;
using CalSync.Classes;
using CalSync.Lab;
using CalSync.Lab.Running;
using CalSync.Sandbox;
using CalSync.Sync.Connections;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace CalSync.Tests.Drills;

/// <summary>
/// Goal: the shipped alerts fire for what really happens, in time, and once. Method: the whole product works
/// by a fast clock while the practice Google fails, and what is scraped of it goes through promtool.
/// </summary>
[Collection(DrillSuites.Name)]
[Trait("Category", "Slow")]
public sealed class AlertDrills
{
    private static readonly TimeSpan LoadPause = TimeSpan.FromSeconds(1);

    private static CancellationToken None => CancellationToken.None;

    /// <summary>After five good minutes half of the calls are answered 503 for five: the alert is there
    /// before they are over, says how many changes of how many people wait, and so does health.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-15-A")]
    public async Task HalfOfTheCallsFail_ForFiveMinutes_AlertsWithinThemAndSaysWhomItConcerns()
    {
        var clock = new FastTimeProvider(6);
        await using var product = await StartAsync(clock, works: true);
        using var stop = new CancellationTokenSource();
        var slots = new List<(string Path, string ClassId)>();
        for (var index = 0; index < 4; index++)
        {
            var made = await CreateAsync(product, $"Class {index}");
            slots.AddRange(made.Body!["schedules"]![0]!["slots"]!.AsArray().Select(
                slot => ($"classes/{made["id"]}/slots/{slot!["id"]}", made["id"]!)));
        }

        await product.QuietAsync();
        var load = LoadAsync(product, slots, clock, stop.Token);
        var scrapes = new Scrapes(product, clock);
        await scrapes.TakeForAsync(TimeSpan.FromMinutes(5));
        var before = scrapes.At;
        await product.Control.AddFaultAsync(
            new FaultScript("events.*", new FaultEffect { Status = 503 }) { Probability = 0.5, Seed = 7 },
            None);
        await scrapes.TakeForAsync(TimeSpan.FromMinutes(5));
        var health = (await product.Operator.GetAsync("/health")).Expect(200).Text;
        await stop.CancelAsync();
        Assert.InRange(await load, 100, int.MaxValue);

        await scrapes.AssertAsync(
            $$"""
            promql_expr_test:
              - expr: ALERTS{alertname=~"CalSyncProviderFailing|CalSyncConnectionsHeld",alertstate="firing"}
                eval_time: {{Seconds(before)}}s
                exp_samples: []
              - expr: ALERTS{alertname="CalSyncConnectionsHeld",alertstate="firing"}
                eval_time: {{Seconds(before + TimeSpan.FromSeconds(285))}}s
                exp_samples:
                  - labels: >-
                      ALERTS{alertname="CalSyncConnectionsHeld",alertstate="firing",severity="page"}
                    value: 1
              - expr: sum(increase(calsync_provider_calls_total{outcome="ServerError"}[5m])) > bool 0
                eval_time: {{Seconds(scrapes.At)}}s
                exp_samples: [{ labels: '{}', value: 1 }]
            """);
        Assert.Matches(
            "Google does not answer reliably.* [0-9]+ changes? of [0-9]+ (person|people) wait", health);
    }

    /// <summary>Nobody writes: the calendars fall behind, and that alerts.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-15-B")]
    public async Task NobodyWrites_ForTenMinutes_AlertsOfTheLag()
    {
        var clock = new FastTimeProvider(20);
        await using var product = await StartAsync(clock, works: false);
        var scrapes = new Scrapes(product, clock);
        await scrapes.TakeForAsync(TimeSpan.FromMinutes(1));
        (await product.Maya.PostAsync("classes", RunningProduct.ClassBody("Drawing"))).Expect(202);
        await scrapes.TakeForAsync(TimeSpan.FromMinutes(10));
        await scrapes.AssertAsync(
            $$"""
            promql_expr_test:
              - expr: ALERTS{alertname="CalSyncSyncLag",alertstate="firing"}
                eval_time: 3m
                exp_samples: []
              - expr: ALERTS{alertname="CalSyncSyncLag",alertstate="firing"}
                eval_time: {{Seconds(scrapes.At)}}s
                exp_samples:
                  - labels: >-
                      ALERTS{alertname="CalSyncSyncLag",alertstate="firing",queue="mirrors",
                      severity="page"}
                    value: 1
            """);
    }

    /// <summary>Thirty of a hundred people take their consent back at the provider: one alert, with the
    /// number.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-15-C")]
    public async Task ThirtyOfAHundredRevoked_IsOneAlert()
    {
        await using var product = await StartAsync(TimeProvider.System, works: false);
        for (var index = 1; index < 100; index++)
        {
            var account = $"person{index}@studio.test";
            await product.Control.AddUserAsync(new SandboxUser(account, account, "Europe/London"), None);
            var person = await product.AddPersonAsync(account, account, Role.Instructor, "Europe/London");
            await product.ConnectAsync(person, account);
        }

        var scrapes = new Scrapes(product, TimeProvider.System);
        await UntilShownAsync(product, "healthy", 100);
        await scrapes.TakeAsync();
        scrapes.Repeat(TimeSpan.FromMinutes(1));
        var before = scrapes.At;
        for (var index = 1; index <= 30; index++)
            await product.Control.RevokeAsync($"person{index}@studio.test", None);
        await product.ExecuteAsync(
            "UPDATE connections SET access_expires_at = @at", new { at = TimeProvider.System.GetUtcNow() });
        await product.Services.GetRequiredService<TokenWorker>().RenewNowAsync(
            TimeSpan.FromMinutes(15), None);
        await UntilShownAsync(product, "needs_reauth", 30);
        await scrapes.TakeAsync();
        scrapes.Repeat(TimeSpan.FromMinutes(5));
        await scrapes.AssertAsync(
            $$"""
            alert_rule_test:
              - { eval_time: {{Seconds(before)}}s, alertname: CalSyncConnectionsNeedReauth, exp_alerts: [] }
              - eval_time: {{Seconds(scrapes.At)}}s
                alertname: CalSyncConnectionsNeedReauth
                exp_alerts:
                  - exp_labels: { severity: page }
                    exp_annotations:
                      summary: "30 connections need reauth."
                      runbook: docs/runbooks/token-revoked.md
            """);
    }

    private static Task<RunningProduct> StartAsync(TimeProvider clock, bool works) =>
        RunningProduct.StartAsync(new ProductSettings
        {
            Clock = clock,
            RunsWorkers = works,
            VerificationWait = TimeSpan.Zero,
            // The real calls take what they take while the clock runs ahead.
            Set = new Dictionary<string, string> { ["provider.timeout"] = "30000" },
        });

    private static Task UntilShownAsync(RunningProduct product, string state, int count) =>
        RunningProduct.UntilAsync(
            async () => (await product.Operator.GetAsync("/metrics")).Expect(200).Text.Contains(
                $"calsync_connections{{state=\"{state}\",tenant_kind=\"test\"}} {count}\n",
                StringComparison.Ordinal),
            $"{count} connections are shown as {state}");

    // Again with its key when the fast clock was over first.
    private static async Task<ApiAnswer> CreateAsync(RunningProduct product, string title)
    {
        var key = RunningProduct.NewKey();
        var body = RunningProduct.ClassBody(title, slots: 5);
        var made = await product.Maya.PostAsync("classes", body.DeepClone(), key);
        for (var again = 0; made.Status != 202 && again < 10; again++)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
            made = await product.Maya.PostAsync("classes", body.DeepClone(), key);
        }

        return made.Expect(202);
    }

    /// <summary>Somebody moves a slot every second, whatever becomes of it.</summary>
    /// <returns>How often.</returns>
    private static async Task<int> LoadAsync(
        RunningProduct product, List<(string Path, string ClassId)> slots, TimeProvider clock,
        CancellationToken stop)
    {
        var count = 0;
        for (; !stop.IsCancellationRequested; count++)
        {
            var (path, _) = slots[count % slots.Count];
            var slot = await product.Maya.GetAsync(path);
            var start = new DateTime(2031, 2, 1, 8, 0, 0, DateTimeKind.Unspecified).AddMinutes(5 * count);
            // One that takes too long by the fast clock goes on all the same.
            var moved = await product.Maya.PatchAsync(
                path, slot.ETag,
                new JsonObject { ["start"] = start.ToString("s", null), ["durationMinutes"] = 60 });
            Assert.Contains(moved.Status, new[] { 200, 202, 412, 504 });
            await Task.Delay(LoadPause, clock, None);
        }

        return count;
    }

    private static string Seconds(TimeSpan time) =>
        ((int)time.TotalSeconds).ToString(CultureInfo.InvariantCulture);
}
