using System.Text;
using CalSync.Lab.Secrecy;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>
/// Goal: the search at the end of <c>./test</c> finds a secret wherever it stands, and tells it no further.
/// Method: secrets are planted.
/// </summary>
public sealed class SecretSearchTests : IDisposable
{
    private const int Chunk = 1 << 20;
    private const string Token = "ya29.a0A-planted-token-1234567890";
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("calsync-search-");

    public SecretSearchTests() => Write(
        $"{Witness.IssuedFolder}/1.txt",
        Witness.IssuedLine(SecretKind.Bearer, Token) + "\n"
        + Witness.IssuedLine(SecretKind.Bearer, "ya29.a0A-another-one-0987654321") + "\n"
        + Witness.IssuedLine(SecretKind.Password, "maya-bbbb-cccc") + "\n"
        + Witness.IssuedLine(SecretKind.Password, "short") + "\n");

    public void Dispose() => _directory.Delete(recursive: true);

    /// <summary>Also across the chunks the file is read in.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Chunk - 40)]
    [InlineData(Chunk - 33)]
    [InlineData(Chunk - 10)]
    [InlineData(Chunk)]
    [InlineData((3 * Chunk) + 7)]
    [Trait("Requirement", "R-OAUTH-14")]
    public void Run_WithATokenInALog_SaysWhereAndOfWhatKind(int before)
    {
        Write(
            $"{Witness.SeenFolder}/1.txt",
            $"=== http 200 GET /a\n{new string('x', before)}\n=== log Some.Category\nasked with {Token}.\n"
            + "=== log Another\nnothing\n");
        var report = SecretSearch.Run(_directory.FullName);
        Assert.Equal(["log Some.Category: Bearer ya29..."], report.Found);
        Assert.Equal((3, 1), (report.SecretCount, report.TooShortCount));
        Assert.Equal((1, 2), (report.Sources["http"], report.Sources["log"]));
    }

    /// <summary>Everything else in the folder is searched as well.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-14")]
    public void Run_WithAPasswordInAnyFile_NamesTheFile()
    {
        Write("CalSync.Tests.trx", "<Message>maya-bbbb-cccc</Message>");
        Assert.Equal(
            ["CalSync.Tests.trx: Password maya..."], SecretSearch.Run(_directory.FullName).Found);
    }

    /// <summary>Who wrote a test put its words into its cases' names; what a test told is searched.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-14")]
    public void Run_WithAPasswordInTheNameOfACase_SearchesOnlyWhatTheCaseTold()
    {
        const string Case = "Refuses(value: &quot;maya-bbbb-cccc&quot;)";
        Write("CalSync.Tests.trx", $"<UnitTest name=\"{Case}\"/><UnitTestResult testName=\"{Case}\"/>");
        Assert.Empty(SecretSearch.Run(_directory.FullName).Found);
        Write("CalSync.Tests.trx", $"<UnitTestResult testName=\"{Case}\"><StdOut>{Token}</StdOut>");
        Assert.Equal(["CalSync.Tests.trx: Bearer ya29..."], SecretSearch.Run(_directory.FullName).Found);
    }

    [Fact]
    [Trait("Requirement", "R-OAUTH-14")]
    public void Run_WhereASecretIsHandedOver_LetsThatKindAlonePass()
    {
        Write(
            $"{Witness.SeenFolder}/1.txt",
            $"=== http 201 POST /api/v1/auth/sessions\n{Token}\n");
        Assert.Empty(SecretSearch.Run(_directory.FullName).Found);
        Write(
            $"{Witness.SeenFolder}/2.txt",
            $"=== http 201 POST /api/v1/auth/sessions\nmaya-bbbb-cccc\n=== http 401 GET /b\n{Token}\n");
        Assert.Equal(
            ["http 201 POST /api/v1/auth/sessions: Password maya...", "http 401 GET /b: Bearer ya29..."],
            SecretSearch.Run(_directory.FullName).Found);
    }

    /// <summary>A run nobody watched is no proof.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-14")]
    public void RunVerb_WithoutOutputOfEachKind_Fails()
    {
        Write($"{Witness.SeenFolder}/1.txt", "=== http 200 GET /a\n\n=== log A\n\n=== console b\n\n");
        Assert.Equal(1, SecretSearch.RunVerb(_directory.FullName));
        Write($"{Witness.SeenFolder}/2.txt", "=== database c\n\n");
        Assert.Equal(0, SecretSearch.RunVerb(_directory.FullName));
    }

    private void Write(string name, string text)
    {
        var path = Path.Combine(_directory.FullName, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, Encoding.UTF8.GetBytes(text));
    }
}
