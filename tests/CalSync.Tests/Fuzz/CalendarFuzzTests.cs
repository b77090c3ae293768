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
        var fuzz = Fuzz();
        var findings = Enumerable.Range(0, 100).Select(fuzz.Try).OfType<FuzzFinding>();
        Assert.Equal("", string.Join('\n', findings.Select(finding => $"seed {Seed} {finding}")));
    }

    /// <summary>What the verb found once, cut to what matters, in every way it may be edited.</summary>
    [Fact]
    public void Try_OfEarlierFindings_FindsNothing()
    {
        var fuzz = Fuzz();
        var findings =
            from file in Directory.EnumerateFiles(Folder("../Fixtures/Fuzz"), "*.ics")
            from number in Enumerable.Range(0, 5)
            let finding = fuzz.Try(File.ReadAllBytes(file), number)
            where finding is not null
            select $"{Path.GetFileName(file)}, seed {Seed} {finding}";
        Assert.Equal("", string.Join("\n", findings));
    }

    [Fact]
    public void Input_MadeAgain_IsTheSame()
    {
        var (one, other) = (Fuzz(), Fuzz());
        _ = one.Input(1);
        Assert.Equal(other.Input(7), one.Input(7));
        Assert.NotEqual(one.Input(8), one.Input(7));
    }

    // Other tests run at the same time, so nothing is said about how long it takes.
    private static CalendarFuzz Fuzz() => new(Sample(), Seed) { TimeMax = TimeSpan.MaxValue };

    private static byte[][] Sample() =>
    [
        .. Directory.EnumerateFiles(
                Folder("../../CalSync.Calendar.Tests/Fixtures/ics"), "*.ics", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal).Select(File.ReadAllBytes),
    ];

    private static string Folder(string path, [CallerFilePath] string thisFile = "") =>
        Path.Combine(Path.GetDirectoryName(thisFile)!, path);
}
