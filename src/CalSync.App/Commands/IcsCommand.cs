using System.Text.Json;
using CalSync.App.Ics;

namespace CalSync.App.Commands;

/// <summary><c>calsync ics</c>: looks into iCalendar files. Needs no database.</summary>
internal static class IcsCommand
{
    public static Verb Create(GlobalOptions globals, Surroundings around) =>
        new("ics", "Reads iCalendar files and rules.", "calsync ics expand --vectors rules.jsonl")
        {
            MakeExpand(globals, around),
        };

    private static Verb MakeExpand(GlobalOptions globals, Surroundings around)
    {
        var vectors = Words.Option<string>(
            "--vectors", "FILE.jsonl",
            "Rows of rules, one JSON object a line. Each gets a line of answer: id, instances, problem.",
            required: true);
        var verb = new Verb(
            "expand", "Prints the occurrences of recurring events.",
            "calsync ics expand --vectors rules.jsonl")
        {
            vectors,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            await ExpandVectorsAsync(call.Get(vectors)!, around.Out, cancellation);
            return ExitCode.Ok;
        });
    }

    private static async Task ExpandVectorsAsync(
        string path, TextWriter output, CancellationToken cancellation)
    {
        if (!File.Exists(path))
            throw new CommandException(ExitCode.Failed, "There is no such file.", path);
        await foreach (var line in File.ReadLinesAsync(path, cancellation))
        {
            if (string.IsNullOrWhiteSpace(line))
                continue;
            var answer = JsonSerializer.Serialize(RecurrenceVector.Expand(line), Output.JsonOptions);
            await output.WriteLineAsync(answer.AsMemory(), cancellation);
        }
    }
}
