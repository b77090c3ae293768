using System.Text.Json;
using Xunit;

namespace CalSync.Tests.Commands;

/// <summary>Differences of two files on the command line. Method: small files, table and JSON.</summary>
public sealed class IcsDiffTests : IDisposable
{
    private const string Class =
        """
        BEGIN:VCALENDAR
        PRODID:one
        BEGIN:VEVENT
        UID:class
        DTSTART;TZID=Europe/Oslo:20260302T090000
        DURATION:PT1H
        SUMMARY:Singing
        ATTENDEE:mailto:ann@example.com
        END:VEVENT
        END:VCALENDAR
        """;

    private static readonly Shell Shell = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("calsync-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Diff_OfTwoMeanings_PrintsATableAndExits3()
    {
        var later = Class.Replace("Singing", "Sing\\nlouder", StringComparison.Ordinal)
            .Replace("ATTENDEE:", "ATTENDEE;PARTSTAT=ACCEPTED:", StringComparison.Ordinal);
        var (code, output, error) = await Shell.RunAsync(
            "ics", "diff", Write("a.ics", Class), Write("b.ics", later));
        Assert.Equal((3, ""), (code, error));
        Assert.Equal(
            """
            COMPONENT     PROPERTY                                  CHANGE   A        B
            VEVENT class  ATTENDEE PARTSTAT mailto:ann@example.com  added    -        ACCEPTED
            VEVENT class  SUMMARY                                   changed  Singing  Sing louder

            """,
            output);
    }

    [Fact]
    public async Task Diff_WithoutNoise_OfTheSameMeaning_Exits0()
    {
        var same = Class.Replace("PRODID:one", "PRODID:two", StringComparison.Ordinal)
            .Replace("DURATION:PT1H", "DTEND;TZID=Europe/Oslo:20260302T100000", StringComparison.Ordinal);
        var (a, b) = (Write("a.ics", Class), Write("b.ics", same));
        Assert.Equal((0, "Both mean the same." + Environment.NewLine, ""),
            await Shell.RunAsync("ics", "diff", a, b, "--ignore-noise"));
        var (code, output, _) = await Shell.RunAsync("ics", "diff", a, b, "--json");
        Assert.Equal(3, code);
        using var rows = JsonDocument.Parse(output);
        var row = Assert.Single(rows.RootElement.EnumerateArray());
        Assert.Equal(
            ("VCALENDAR", "PRODID", "changed", "one", "two"),
            (Text("component"), Text("property"), Text("kind"), Text("before"), Text("after")));
        string? Text(string name) => row.GetProperty(name).GetString();
    }

    [Fact]
    public async Task Diff_OfAFileThatIsNotThere_Exits1()
    {
        var (code, output, error) = await Shell.RunAsync(
            "ics", "diff", Write("a.ics", Class), Path.Combine(_directory, "none.ics"));
        Assert.Equal((1, ""), (code, output));
        Assert.Contains("none.ics", error, StringComparison.Ordinal);
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_directory, name);
        File.WriteAllText(path, text);
        return path;
    }
}
