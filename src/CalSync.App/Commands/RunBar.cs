using System.Globalization;
using CalSync.Sync.Pairs.Execution;
using Spectre.Console;

namespace CalSync.App.Commands;

/// <summary>
/// Shows how far a run is, once it takes long: a bar on a terminal, now and then a line elsewhere. On stderr,
/// so that stdout stays the result.
/// </summary>
/// <param name="around">Where to.</param>
/// <param name="isQuiet">True for programs: nothing is shown.</param>
/// <param name="name">What runs.</param>
internal sealed class RunBar(Surroundings around, bool isQuiet, string name) : IProgress<RunProgress>
{
    private static readonly TimeSpan ShownAfter = TimeSpan.FromMilliseconds(700);
    private static readonly TimeSpan DrawnEvery = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan ToldEvery = TimeSpan.FromSeconds(10);
    private volatile RunProgress _last = new(0, null);

    /// <inheritdoc/>
    public void Report(RunProgress value) => _last = value;

    /// <summary>Waits for a run and shows how far it is meanwhile.</summary>
    /// <param name="run">The run.</param>
    /// <param name="cancellation">The run's own.</param>
    public async Task<T> WatchAsync<T>(Task<T> run, CancellationToken cancellation)
    {
        if (isQuiet || await EndsWithinAsync(run, ShownAfter, cancellation))
            return await run;
        if (around.IsTerminal)
            await DrawAsync(run, cancellation);
        else
            await TellAsync(run, cancellation);
        return await run;
    }

    private async Task DrawAsync(Task run, CancellationToken cancellation)
    {
        var console = AnsiConsole.Create(
            new AnsiConsoleSettings { Out = new AnsiConsoleOutput(around.Error) });
        await console.Progress().AutoClear(true).StartAsync(async context =>
        {
            var bar = context.AddTask(Markup.Escape(name));
            do
            {
                var (done, total) = _last;
                bar.Description = Markup.Escape(total is null ? $"{name}: reading" : $"{name}: writing");
                bar.IsIndeterminate = total is null;
                bar.MaxValue = total ?? 1;
                bar.Value = done;
            }
            while (!await EndsWithinAsync(run, DrawnEvery, cancellation));
        });
    }

    private async Task TellAsync(Task run, CancellationToken cancellation)
    {
        do
        {
            await around.Error.WriteLineAsync(_last is { Total: { } total } writing
                ? string.Create(CultureInfo.InvariantCulture, $"{name}: {writing.Done} of {total} events")
                : $"{name}: reading");
        }
        while (!await EndsWithinAsync(run, ToldEvery, cancellation));
    }

    private async Task<bool> EndsWithinAsync(Task run, TimeSpan time, CancellationToken cancellation) =>
        await Task.WhenAny(run, Task.Delay(time, around.Clock, cancellation)) == run || run.IsCompleted
        || cancellation.IsCancellationRequested;
}
