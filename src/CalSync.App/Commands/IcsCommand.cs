using CalSync.Calendar.Document;

namespace CalSync.App.Commands;

/// <summary><c>calsync ics</c>: looks into iCalendar files. Needs no database.</summary>
internal static class IcsCommand
{
    public static Verb Create(GlobalOptions globals, Surroundings around) =>
        new("ics", "Reads iCalendar files and rules.", "calsync ics expand classes.ics --from 2026-03-01")
        {
            IcsFileVerbs.MakeLint(globals, around),
            IcsFileVerbs.MakeCat(globals, around),
            IcsFileVerbs.MakeShow(globals, around),
            IcsExpandCommand.Create(globals, around),
            IcsDiffCommand.Create(globals, around),
        };

    /// <summary>Reads a file as a calendar.</summary>
    /// <exception cref="CommandException">The file cannot be read.</exception>
    public static async Task<CalendarDocument> ReadAsync(string path, CancellationToken cancellation)
    {
        try
        {
            return CalendarDocument.Parse(await File.ReadAllBytesAsync(path, cancellation));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Failed, "The file cannot be read.", path, fault.Message);
        }
    }
}
