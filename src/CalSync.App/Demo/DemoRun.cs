using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using CalSync.App.Commands;
using Spectre.Console;

namespace CalSync.App.Demo;

/// <summary>Runs the demo and tells about it: colours on a terminal, plain lines elsewhere, JSON lines for
/// programs.</summary>
internal sealed class DemoRun(Surroundings around, bool json)
{
    private readonly IAnsiConsole _console = AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(around.Out),
        Ansi = around.IsTerminal ? AnsiSupport.Detect : AnsiSupport.No,
        Interactive = around.IsTerminal ? InteractionSupport.Detect : InteractionSupport.No,
    });

    /// <summary>Sets the world up, walks the tour, and unless it is to end there keeps everything
    /// running.</summary>
    /// <param name="settings">Where it runs.</param>
    /// <param name="once">True ends after the tour.</param>
    /// <param name="cancellation">Ctrl+C: stops what was started.</param>
    /// <returns>Failed when a step did not show what it should.</returns>
    public async Task<ExitCode> RunAsync(DemoSettings settings, bool once, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        await using var world = await SetUpAsync(settings, cancellation);
        Say($"[green]Running[/] after {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s: "
            + $"6 classes, {world.Students.Count} students, 2 instructors and their last three weeks.");

        var failed = await WalkAsync(new DemoTour(world).Steps, cancellation);
        Conclude(failed, Stopwatch.GetElapsedTime(started), "The calendars and the database agree.");
        if (!once)
            await StayAsync(world, cancellation);
        return failed == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    /// <summary>Walks the tour of two calendars kept equal.</summary>
    /// <param name="world">Both sandboxes, filled.</param>
    /// <param name="once">True ends after the tour.</param>
    /// <param name="cancellation">Ctrl+C.</param>
    /// <returns>Failed when a step did not show what it should.</returns>
    public async Task<ExitCode> RunAsync(SyncWorld world, bool once, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        var failed = await WalkAsync(new SyncTour(world).Steps, cancellation);
        Conclude(failed, Stopwatch.GetElapsedTime(started), "Both calendars are equal.");
        if (!once)
        {
            Say("");
            Say("Both sandboxes keep running until Ctrl+C. In another terminal:");
            Say(Markup.Escape(
                $"  calsync status --data {world.Folder} --set sandbox.url={world.GoogleAddress} "
                + $"--set sandbox.caldav_url={world.CalDavAddress}"));
            await cancellation.UntilCancelledAsync();
            Say("Stopping.");
        }

        return failed == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    private async Task<int> WalkAsync(
        IReadOnlyList<(
            string Name, string Title,
            Func<CancellationToken, Task<(string Expected, string Observed)>> Run)> steps,
        CancellationToken cancellation)
    {
        var failed = 0;
        foreach (var (name, title, run) in steps)
        {
            var step = await StepAsync(name, title, run, cancellation);
            failed += step.Ok ? 0 : 1;
            Tell(step);
        }

        return failed;
    }

    private async Task<DemoWorld> SetUpAsync(DemoSettings settings, CancellationToken cancellation)
    {
        if (!around.IsTerminal || json)
            return await DemoWorld.StartAsync(settings, sentence => Say(sentence), cancellation);
        return await _console.Status().StartAsync(
            "Starting",
            status =>
                DemoWorld.StartAsync(
                settings, sentence => status.Status(Markup.Escape(sentence)), cancellation));
    }

    private async Task<DemoStep> StepAsync(
        string name, string title, Func<CancellationToken, Task<(string Expected, string Observed)>> run,
        CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        async Task<DemoStep> RunStepAsync()
        {
            try
            {
                var (expected, observed) = await run(cancellation);
                return new DemoStep(name, title, expected, observed, Stopwatch.GetElapsedTime(started));
            }
            catch (DemoFailedException fault)
            {
                return new DemoStep(
                    name, title, "the step runs to its end", fault.Message,
                    Stopwatch.GetElapsedTime(started));
            }
        }

        return around.IsTerminal && !json
            ? await _console.Status().StartAsync(Markup.Escape(title), _ => RunStepAsync())
            : await RunStepAsync();
    }

    private void Tell(DemoStep step)
    {
        if (json)
        {
            Line(new
            {
                step = step.Name,
                step.Title,
                step.Expected,
                step.Observed,
                step.Ok,
                ms = (long)step.Elapsed.TotalMilliseconds,
            });
            return;
        }

        var mark = step.Ok ? "[green]ok  [/]" : "[red]FAIL[/]";
        Say(
            $"{mark} {Markup.Escape(step.Title)} "
            + $"[grey]({step.Elapsed.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture)} s)[/]");
        Say($"     [grey]observed: {Markup.Escape(step.Observed)}[/]");
        if (!step.Ok)
            Say($"     [red]expected: {Markup.Escape(step.Expected)}[/]");
    }

    private void Conclude(int failed, TimeSpan elapsed, string whenWell)
    {
        var seconds = elapsed.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
        if (json)
            Line(new { step = "summary", ok = failed == 0, failed, ms = (long)elapsed.TotalMilliseconds });
        else if (failed == 0)
            Say($"[green]{whenWell}[/] Everything took {seconds} s.");
        else
            Say($"[red]{failed} steps did not show what they should.[/]");
    }

    private async Task StayAsync(DemoWorld world, CancellationToken cancellation)
    {
        Say("");
        Say("Everything keeps running until Ctrl+C.");
        Say($"  API              {world.Address}");
        Say($"  API description  {new Uri(world.Address, "docs/api")}");
        Say(Markup.Escape($"  data             {world.DataDirectory}"));
        Say($"  practice Google  {world.SandboxAddress} (break it under /_sandbox/faults)");
        Say("");
        Say("API tokens:");
        foreach (var (role, person) in new[]
        {
            ("admin", world.Admin), ("operator", world.OnCall), ("instructor", world.Maya),
                ("student", world.Students[0]),
        })
        {
            Say(Markup.Escape($"  {role,-11} {person.Email,-17} {person.Token}"));
        }

        Say("");
        Say("Try:");
        Say(
            Markup.Escape(
            $"  curl -H 'Authorization: Bearer {world.Students[0].Token}' "
            + $"{new Uri(world.Address, "api/v1/me/schedule")}"));
        Say(
            Markup.Escape(
            $"  curl -H 'Authorization: Bearer {world.Admin.Token}' "
            + $"{new Uri(world.Address, "api/v1/operations")}"));
        Say(Markup.Escape(
            $"  calsync operations list --state needs_attention --data {world.DataDirectory}"));
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, around.Clock, cancellation);
        }
        catch (OperationCanceledException)
        {
            Say("Stopping.");
        }
    }

    // With --json only JSON goes to stdout; sentences go to stderr.
    private void Say(string markup)
    {
        if (json)
            around.Error.WriteLine(Markup.Remove(markup));
        else if (around.IsTerminal)
            _console.MarkupLine(markup);
        else
            around.Out.WriteLine(Markup.Remove(markup));
    }

    private void Line<T>(T value)
    {
        around.Out.WriteLine(JsonSerializer.Serialize(value, Output.JsonOptions));
        around.Out.Flush();
    }
}
