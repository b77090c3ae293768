using System.CommandLine;
using System.Text.Json;
using CalSync.App.Ics;
using CalSync.Calendar;
using CalSync.Calendar.Components;

namespace CalSync.App.Commands;

/// <summary><c>calsync ics expand</c>: the occurrences of a file, or of rows of rules.</summary>
internal static class IcsExpandCommand
{
    private const int CountMax = 1_000;

    /// <summary>One occurrence, as it is printed.</summary>
    /// <param name="Uid">UID of its component.</param>
    /// <param name="Start">A date, or local time with offset.</param>
    /// <param name="End">The same for its end; of an all-day occurrence the day after its last.</param>
    /// <param name="Zone">Whose local time that is; null for an all-day occurrence.</param>
    /// <param name="RecurrenceId">When it would begin unchanged; null when it does not recur.</param>
    /// <param name="IsOverride">True when a component of its own describes it.</param>
    /// <param name="IsCancelled">True when it does not take place.</param>
    /// <param name="Summary">SUMMARY; null for none.</param>
    internal sealed record Row(
        string Uid, string Start, string End, string? Zone, string? RecurrenceId, bool IsOverride,
        bool IsCancelled, string? Summary);

    public static Verb Create(GlobalOptions globals, Surroundings around)
    {
        var file = new Argument<string?>("FILE")
        {
            Description = "iCalendar file.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var from = Words.Option<string?>(
            "--from", "TIME",
            "Leaves out what is over by then: 2026-03-01, 2026-03-01T09:00 or with an offset.");
        var to = Words.Option<string?>("--to", "TIME", "Leaves out what begins then or later.");
        var zone = Words.Option<string?>(
            "--zone", "ZONE", "Zone of times without one, of days, and of --from and --to. Default: UTC.");
        var vectors = Words.Option<string?>(
            "--vectors", "FILE.jsonl",
            "Rows of rules, one JSON object a line. Each gets a line of answer: id, instances, problem.");
        var verb = new Verb(
            "expand",
            $"Prints the occurrences of a file's events, tasks and journal entries, at most {CountMax}; "
                + "exit code 4 when that is not all.",
            "calsync ics expand classes.ics --from 2026-03-01 --to 2026-04-01 --zone Europe/Oslo")
        {
            file, from, to, zone, vectors,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            if (call.Get(vectors) is { } rows && call.Get(file) is null)
                return await ExpandVectorsAsync(rows, around.Out, cancellation);
            if (call.Get(vectors) is not null || call.Get(file) is not { } path)
                throw CommandException.Usage("Give a FILE or --vectors, not both.", verb.Example);
            var wall = ZoneOf(call.Get(zone));
            return await ExpandFileAsync(
                call, path, wall, Moment(call.Get(from), wall), Moment(call.Get(to), wall), cancellation);
        });
    }

    private static async Task<ExitCode> ExpandFileAsync(
        Invocation call, string path, CalendarZone zone, DateTimeOffset? from, DateTimeOffset? to,
        CancellationToken cancellation)
    {
        var expansion = CalendarExpansion.Read(await IcsCommand.ReadAsync(path, cancellation), zone);
        var steps = expansion.Occurrences(from, to, new OccurrenceLimits(CountMax)).ToList();
        call.Output.Table(
            steps.OfType<ExpansionStep.Found>().Select(step => Describe(step.Value)).ToList(),
            "Nothing takes place.",
            new("START", row => row.Start),
            new("END", row => row.End),
            new("ZONE", row => row.Zone),
            new("UID", row => row.Uid),
            new("SUMMARY", row => row.IsCancelled ? $"{row.Summary} (cancelled)" : row.Summary));
        foreach (var problem in expansion.Problems)
            await call.Around.Error.WriteLineAsync($"calsync: {path}:{problem}");
        var why = ((ExpansionStep.Ended)steps[^1]).Why;
        if (why != OccurrencesEnd.Complete)
            await call.Around.Error.WriteLineAsync($"calsync: {Describe(why)}; --from and --to give less.");
        return why == OccurrencesEnd.Complete && expansion.Problems.IsEmpty ? ExitCode.Ok : ExitCode.Partial;
    }

    private static string Describe(OccurrencesEnd why) => why switch
    {
        OccurrencesEnd.Complete => "All of it",
        OccurrencesEnd.CountLimit => $"The first {CountMax} only",
        OccurrencesEnd.UnmatchedLimit => "A rule finds nothing for too long",
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static Row Describe(ExpandedOccurrence each) => new(
        each.Uid,
        Text(each.Start),
        Text(each.End),
        (each.Start as OccurrenceTime.AtTime)?.Time.Zone.Id,
        each.RecurrenceId is { } id ? Text(id) : null,
        each.IsOverride,
        each.IsCancelled,
        new CalendarEvent(each.Component).Summary.Value);

    private static string Text(OccurrenceTime time) => time switch
    {
        OccurrenceTime.OnDay day => day.Date.ToString("uuuu-MM-dd", null),
        OccurrenceTime.AtTime at => at.Time.ToRfc3339(),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static async Task<ExitCode> ExpandVectorsAsync(
        string path, TextWriter output, CancellationToken cancellation)
    {
        await foreach (var line in File.ReadLinesAsync(Existing(path), cancellation))
        {
            if (string.IsNullOrWhiteSpace(line))
                continue;
            var answer = JsonSerializer.Serialize(RecurrenceVector.Expand(line), Output.JsonOptions);
            await output.WriteLineAsync(answer.AsMemory(), cancellation);
        }

        return ExitCode.Ok;
    }

    private static string Existing(string path) => File.Exists(path)
        ? path
        : throw new CommandException(ExitCode.Failed, "There is no such file.", path);

    private static CalendarZone ZoneOf(string? name) => name is null
        ? CalendarZone.Utc
        : CalendarZone.Resolve(name) switch
        {
            ZoneResolution.Found found => found.Zone,
            ZoneResolution.Unknown unknown => throw CommandException.Usage(
                $"No zone is called {unknown.Name}.",
                unknown.Suggestions is [var first, ..] ? $"--zone {first}" : "--zone Europe/Oslo"),
            _ => throw new System.Diagnostics.UnreachableException(),
        };

    private static DateTimeOffset? Moment(string? text, CalendarZone zone)
    {
        if (text is null)
            return null;
        if (Rfc3339.TryParse(text, out var moment))
            return moment;
        if (!LocalTimeText.TryParse(text.Length == 10 ? text + "T00:00" : text, out var local))
            throw CommandException.Usage($"{text} is not a time.", "--from 2026-03-01T09:00");
        return ZonedTime.Resolve(local, zone) switch
        {
            WallTimeResolution.Exact exact => exact.Time.Instant,
            WallTimeResolution.Gap gap => gap.ShiftedForward.Instant,
            WallTimeResolution.Overlap overlap => overlap.Earlier.Instant,
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }
}
