using System.Runtime.CompilerServices;
using CalSync.Lab.Fuzz;
using Xunit;

namespace CalSync.Tests.Fuzz;

/// <summary>
/// The fuzz verb works. Method: a bounded, seeded run over the sample, which is no substitute for a long one.
/// </summary>
public sealed class CalendarFuzzTests
{
    private const int Seed = 20260310;

    [Fact]
    public void Try_OfAHundredInputs_FindsNothing()
    {
        var fuzz = new CalendarFuzz(Sample(), Seed);
        var findings = Enumerable.Range(0, 100).Select(fuzz.Try).OfType<FuzzFinding>();
        Assert.Equal("", string.Join('\n', findings.Select(finding => $"seed {Seed} {finding}")));
    }

    [Fact]
    public void Input_MadeAgain_IsTheSame()
    {
        var (one, other) = (new CalendarFuzz(Sample(), Seed), new CalendarFuzz(Sample(), Seed));
        _ = one.Input(1);
        Assert.Equal(other.Input(7), one.Input(7));
        Assert.NotEqual(one.Input(8), one.Input(7));
    }

    private static byte[][] Sample([CallerFilePath] string thisFile = "") =>
    [
        .. Directory.EnumerateFiles(
            Path.Combine(Path.GetDirectoryName(thisFile)!, "../../CalSync.Calendar.Tests/Fixtures/ics"),
            "*.ics", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal).Select(File.ReadAllBytes),
    ];
}
