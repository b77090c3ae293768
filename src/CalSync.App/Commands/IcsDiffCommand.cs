using System.CommandLine;
using CalSync.Calendar.Comparison;

namespace CalSync.App.Commands;

/// <summary><c>calsync ics diff</c>: what differs between two files, by meaning.</summary>
internal static class IcsDiffCommand
{
    /// <summary>One difference, as it is printed.</summary>
    /// <param name="Component">"VEVENT", "VTODO", "VCALENDAR".</param>
    /// <param name="Uid">UID of the component; null for none.</param>
    /// <param name="RecurrenceId">Which occurrence of the series; null for the series itself.</param>
    /// <param name="Property">What differs; null when the whole component was added or removed.</param>
    /// <param name="Member">Which of several: an attendee's address, a category, a time.</param>
    /// <param name="Parameter">The parameter that differs; null when the value does.</param>
    /// <param name="Kind">How.</param>
    /// <param name="Before">What A says; null for nothing.</param>
    /// <param name="After">What B says; null for nothing.</param>
    internal sealed record Row(
        string Component, string? Uid, string? RecurrenceId, string? Property, string? Member,
        string? Parameter, ChangeKind Kind, string? Before, string? After);

    public static Verb Create(GlobalOptions globals, Surroundings around)
    {
        var before = new Argument<string>("A") { Description = "The earlier iCalendar file." };
        var after = new Argument<string>("B") { Description = "The later one." };
        var ignoreNoise = Words.Option<bool>(
            "--ignore-noise", "",
            "Leaves out what servers add: PRODID, CREATED, DTSTAMP, LAST-MODIFIED, X-WR-*, X-LIC-*.");
        var verb = new Verb(
            "diff",
            "Prints what differs by meaning; exit code 3 when something does.",
            "calsync ics diff before.ics after.ics --ignore-noise")
        {
            before, after, ignoreNoise,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            var changes = CalendarDiff.Compare(
                await IcsCommand.ReadAsync(call.Get(before)!, cancellation),
                await IcsCommand.ReadAsync(call.Get(after)!, cancellation),
                call.Get(ignoreNoise) ? CalendarNoise.OfServers : CalendarNoise.None);
            call.Output.Table(
                changes.Select(Describe).ToList(),
                "Both mean the same.",
                new("COMPONENT", row => Joined(row.Component, row.Uid, row.RecurrenceId)),
                new("PROPERTY", row => Joined(row.Property, row.Parameter, row.Member)),
                new("CHANGE", row => row.Kind),
                new("A", row => OneLine(row.Before)),
                new("B", row => OneLine(row.After)));
            return changes.IsEmpty ? ExitCode.Ok : ExitCode.Unhealthy;
        });
    }

    private static Row Describe(CalendarChange change) => new(
        change.Component.Component,
        Known(change.Component.Uid),
        Known(change.Component.RecurrenceId),
        change.Property,
        change.Member,
        change.Parameter,
        change.Kind,
        change.Before,
        change.After);

    private static string? Known(string text) => text.Length == 0 ? null : text;

    private static string? Joined(params string?[] words) =>
        Known(string.Join(' ', words.Where(word => word is not null)));

    private static string? OneLine(string? text) => text?.ReplaceLineEndings(" ");
}
