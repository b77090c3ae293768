using System.Text.Json;
using Xunit;

namespace CalSync.Tests.Commands;

/// <summary>
/// Occurrences of files on the command line. Method: one small file, several spans and zones.
/// </summary>
public sealed class IcsExpandTests : IDisposable
{
    private const string Class =
        """
        BEGIN:VCALENDAR
        BEGIN:VEVENT
        UID:class
        DTSTART;TZID=Europe/Oslo:20260302T090000
        DURATION:PT1H
        RRULE:FREQ=WEEKLY;COUNT=3
        SUMMARY:Singing
        END:VEVENT
        BEGIN:VEVENT
        UID:class
        RECURRENCE-ID:20260309T080000Z
        DTSTART:20260310T080000Z
        STATUS:CANCELLED
        END:VEVENT
        BEGIN:VEVENT
        UID:day
        DTSTART;VALUE=DATE:20260304
        END:VEVENT
        END:VCALENDAR
        """;

    private static readonly Shell Shell = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("calsync-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Expand_OfAFile_PrintsItsOccurrences()
    {
        var (code, output, error) = await Shell.RunAsync(
            "ics", "expand", Write(Class), "--zone", "Europe/Oslo");
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(
            """
            START                      END                        ZONE         UID    SUMMARY
            2026-03-02T09:00:00+01:00  2026-03-02T10:00:00+01:00  Europe/Oslo  class  Singing
            2026-03-04                 2026-03-05                 -            day    -
            2026-03-10T08:00:00Z       2026-03-10T08:00:00Z       UTC          class   (cancelled)
            2026-03-16T09:00:00+01:00  2026-03-16T10:00:00+01:00  Europe/Oslo  class  Singing

            """,
            output);
    }

    [Theory]
    [InlineData("2026-03-04", "2026-03-05", "Europe/Oslo", "2026-03-04")]
    [InlineData("2026-03-02T09:59", "2026-03-02T10:00", "Europe/Oslo", "2026-03-02T09:00:00+01:00")]
    [InlineData("2026-03-16T08:00:00Z", "2026-03-16T09:01:00+01:00", "UTC", "2026-03-16T09:00:00+01:00")]
    [InlineData("2026-03-02T10:00", "2026-03-03", "Europe/Oslo", "")]
    public async Task Expand_OfASpan_GivesWhatTouchesIt(string from, string to, string zone, string starts)
    {
        var (_, output, _) = await Shell.RunAsync(
            "ics", "expand", Write(Class), "--from", from, "--to", to, "--zone", zone, "--json");
        using var rows = JsonDocument.Parse(output);
        Assert.Equal(starts, string.Join(
            ' ', rows.RootElement.EnumerateArray().Select(row => row.GetProperty("start").GetString())));
    }

    [Fact]
    public async Task Expand_OfWhatCannotBeComputed_SaysSoAndIsPartial()
    {
        var lost = Class.Replace("Europe/Oslo", "Nowhere", StringComparison.Ordinal);
        var (code, output, error) = await Shell.RunAsync("ics", "expand", Write(lost));
        Assert.Equal(4, code);
        Assert.Contains("2026-03-04", output, StringComparison.Ordinal);
        Assert.Contains(":4:1 error UnknownZone", error, StringComparison.OrdinalIgnoreCase);

        var endless = Class.Replace(";COUNT=3", "", StringComparison.Ordinal);
        Assert.Equal(4, (await Shell.RunAsync("ics", "expand", Write(endless))).Code);
    }

    [Theory]
    [InlineData("")]
    [InlineData("FILE --vectors rows.jsonl")]
    [InlineData("FILE --zone IST")]
    [InlineData("FILE --from soon")]
    public async Task Expand_OfAnUnclearLine_IsUsage(string arguments)
    {
        var line = arguments.Replace("FILE", Write(Class), StringComparison.Ordinal);
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, (await Shell.RunAsync(["ics", "expand", .. words])).Code);
        Assert.Equal(1, (await Shell.RunAsync("ics", "expand", Path.Combine(_directory, "none.ics"))).Code);
    }

    private string Write(string text)
    {
        var path = Path.Combine(_directory, "class.ics");
        File.WriteAllText(path, text);
        return path;
    }
}
