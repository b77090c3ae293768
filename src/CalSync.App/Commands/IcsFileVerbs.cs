using System.CommandLine;
using System.IO.Pipelines;
using CalSync.Calendar.Components;
using CalSync.Calendar.Document;
using CalSync.Calendar.Lint;

namespace CalSync.App.Commands;

/// <summary>
/// <c>calsync ics lint|cat|show</c>: what iCalendar files hold, and what is wrong with them.
/// </summary>
internal static class IcsFileVerbs
{
    public static Verb MakeLint(GlobalOptions globals, Surroundings around)
    {
        var files = new Argument<string[]>("FILE...")
        {
            Description = "iCalendar files.",
            Arity = ArgumentArity.OneOrMore,
        };
        var strict = Words.Option<bool>("--strict", "",
            "Deviations of form count too. Default: only warnings and errors.");
        var verb = new Verb(
            "lint", "Checks files against RFC 5545, 5546 and 7986; exit code 3 when something is wrong.",
            "calsync ics lint calendar.ics")
        {
            files, strict,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            var found = new List<FoundProblem>();
            foreach (var file in call.Get(files)!)
            {
                var document = await IcsCommand.ReadAsync(file, cancellation);
                found.AddRange(CalendarLint.Check(document)
                    .Select(problem => new FoundProblem(file, problem)));
            }

            var lines = found.Select(problem => problem.ToString())
                .Append(found.Count == 0 ? "Nothing is wrong." : $"{found.Count} found.");
            call.Output.Value(found, lines);
            var least = call.Get(strict) ? ProblemSeverity.Deviation : ProblemSeverity.Warning;
            return found.Any(problem => problem.Severity >= least) ? ExitCode.Unhealthy : ExitCode.Ok;
        });
    }

    public static Verb MakeCat(GlobalOptions globals, Surroundings around)
    {
        var file = MakeFile();
        var verb = new Verb(
            "cat", "Reads a file as a calendar and writes it: the same octets come out.",
            "calsync ics cat calendar.ics")
        {
            file,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            var document = await IcsCommand.ReadAsync(call.Get(file)!, cancellation);
            if (around.Octets is not { } octets)
            {
                await around.Out.WriteAsync(document.ToString().AsMemory(), cancellation);
                return ExitCode.Ok;
            }

            var writer = PipeWriter.Create(octets, new StreamPipeWriterOptions(leaveOpen: true));
            document.WriteTo(writer);
            await writer.FlushAsync(cancellation);
            await writer.CompleteAsync();
            return ExitCode.Ok;
        });
    }

    public static Verb MakeShow(GlobalOptions globals, Surroundings around)
    {
        var file = MakeFile();
        var verb = new Verb(
            "show", "Lists the components of a file: where each begins, when it is and what it is about.",
            "calsync ics show calendar.ics")
        {
            file,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            var document = await IcsCommand.ReadAsync(call.Get(file)!, cancellation);
            call.Output.Table(
                document.AllComponents.Select(component => new ShownComponent(component)).ToList(),
                "There is no component in it.",
                new("LINE", row => row.Line),
                new("COMPONENT", row => row.Component),
                new("UID", row => row.Uid),
                new("START", row => row.Start),
                new("END", row => row.End),
                new("RULE", row => row.Rule),
                new("SUMMARY", row => row.Summary));
            return ExitCode.Ok;
        });
    }

    private static Argument<string> MakeFile() => new("FILE") { Description = "An iCalendar file." };

    /// <summary>One problem of one file, as <c>--json</c> writes it.</summary>
    private sealed class FoundProblem(string file, CalendarProblem problem)
    {
        public string File => file;

        public int Line => problem.Line;

        public int Column => problem.Column;

        public ProblemSeverity Severity => problem.Severity;

        public CalendarProblemCode Code => problem.Code;

        public string Section => problem.Section;

        public string Expected => problem.Expected;

        public override string ToString() => $"{file}:{problem}";
    }

    /// <summary>One component, as a row.</summary>
    private sealed class ShownComponent(CalendarComponent component)
    {
        public int Line => component.LineNumber;

        public string Component =>
            component.Parent is null ? component.Name : $"{component.Parent.Value.Name}/{component.Name}";

        public string? Uid => Raw("UID"u8) ?? Raw("TZID"u8);

        public string? Start => Time("DTSTART"u8);

        public string? End => Time("DTEND"u8) ?? Time("DUE"u8) ?? Raw("DURATION"u8);

        public string? Rule => Raw("RRULE"u8);

        public string? Summary => component.Text("SUMMARY"u8).Value?.ReplaceLineEndings(" ");

        private string? Time(ReadOnlySpan<byte> name) =>
            component.Property(name) is { } property
                ? $"{property.RawValue} {property.ParameterValue("TZID"u8)}".Trim()
                : null;

        private string? Raw(ReadOnlySpan<byte> name) => component.Property(name)?.RawValue;
    }
}
