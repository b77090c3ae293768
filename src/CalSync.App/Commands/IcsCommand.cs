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
}
