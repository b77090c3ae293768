using System.Text;
using System.Text.Json;
using Xunit;

namespace CalSync.Tests.Commands;

/// <summary>What the verbs say about files, and how they end. Method: files written for each case.</summary>
public sealed class IcsFileVerbTests : IDisposable
{
    private const string Good =
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:1\r\n"
        + "DTSTAMP:20260101T000000Z\r\nDTSTART;VALUE=DATE:20260308\r\nSUMMARY:café\r\n"
        + "END:VEVENT\r\nEND:VCALENDAR\r\n";

    private readonly string _directory = Directory.CreateTempSubdirectory("calsync-ics-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Lint_OfAGoodFile_EndsWithZero()
    {
        var (code, output, _) = await new Shell().RunAsync("ics", "lint", Write(Good));
        Assert.Equal((0, "Nothing is wrong.\n"), (code, output));
    }

    [Fact]
    public async Task Lint_OfABadFile_NamesLineColumnAndSection()
    {
        var path = Write(Good.Replace("20260308", "20260338", StringComparison.Ordinal));
        var (code, output, _) = await new Shell().RunAsync("ics", "lint", path);
        Assert.Equal(3, code);
        Assert.Contains($"{path}:7:26 Error BadDate", output, StringComparison.Ordinal);
        var (_, json, _) = await new Shell().RunAsync("ics", "lint", path, "--json");
        var problem = JsonDocument.Parse(json).RootElement[0];
        Assert.Equal("bad_date", problem.GetProperty("code").GetString());
        Assert.Equal("RFC 5545 3.3.4", problem.GetProperty("section").GetString());
    }

    [Fact]
    public async Task Lint_OfDeviationsOnly_FailsWhenStrict()
    {
        var path = Write(Good.Replace("\r\n", "\n", StringComparison.Ordinal));
        Assert.Equal(0, (await new Shell().RunAsync("ics", "lint", path)).Code);
        Assert.Equal(3, (await new Shell().RunAsync("ics", "lint", path, "--strict")).Code);
    }

    [Fact]
    public async Task Verbs_WithoutTheFile_EndWithOne()
    {
        foreach (var verb in (string[])["lint", "cat", "show"])
            Assert.Equal(1, (await new Shell().RunAsync("ics", verb, Path.Combine(_directory, "none"))).Code);
    }

    [Fact]
    public async Task Cat_OfAnyFile_GivesTheSameText()
    {
        var text = "\uFEFFbegin:X\n\r\n odd\r\r\nEND:Y";
        var (code, output, _) = await new Shell().RunAsync("ics", "cat", Write(text));
        Assert.Equal((0, text), (code, output));
    }

    [Fact]
    public async Task Show_ListsComponents()
    {
        var (code, output, _) = await new Shell().RunAsync("ics", "show", Write(Good));
        Assert.Equal(0, code);
        Assert.Contains("VCALENDAR/VEVENT", output, StringComparison.Ordinal);
        Assert.Contains("café", output, StringComparison.Ordinal);
    }

    private string Write(string text)
    {
        var path = Path.Combine(_directory, "file.ics");
        File.WriteAllBytes(path, Encoding.UTF8.GetBytes(text));
        return path;
    }
}
