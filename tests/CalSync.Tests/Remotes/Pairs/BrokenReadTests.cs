using System.IO.Compression;
using System.Text;
using CalSync.Calendar.Comparison;
using CalSync.Lab;
using CalSync.Sync.Pairs.Execution;
using Xunit;

namespace CalSync.Tests.Remotes.Pairs;

/// <summary>
/// Goal: whatever a server answers instead of a calendar, no event is deleted or copied because of it, the
/// run does not call itself done, and the next whole read catches up. Method: the answers to one side's reads
/// are spoilt on their way, in runs that read what changed and in runs that read everything; the brake is
/// off.
/// </summary>
public sealed class BrokenReadTests : GatedPair
{
    private const string LoginPage = "<!DOCTYPE html><html><body><form>Sign in</form></body></html>";
    private static readonly string[] Before = ["one", "two", "three", "four", "five", "six"];
    private int _reads;

    /// <summary>Each side, by what changed and whole.</summary>
    public static TheoryData<MergeSide, bool> Reads => new()
    {
        { MergeSide.Left, false }, { MergeSide.Left, true }, { MergeSide.Right, false },
        { MergeSide.Right, true },
    };

    [Theory]
    [MemberData(nameof(Reads))]
    [Trait("Requirement", "R-SYNC-2-B")]
    public Task CalendarVanished_DeletesNothing(MergeSide side, bool isFull) =>
        BreakAsync(side, isFull, (_, _) => new ScriptedAnswer.Send(404));

    [Theory]
    [MemberData(nameof(Reads))]
    [Trait("Requirement", "R-SYNC-2-B")]
    public Task EmptyAnswer_DeletesNothing(MergeSide side, bool isFull) =>
        BreakAsync(side, isFull, (_, answer) => answer with { Body = "" });

    [Theory]
    [MemberData(nameof(Reads))]
    [Trait("Requirement", "R-SYNC-2-B")]
    public Task LoginPageWith200_DeletesNothing(MergeSide side, bool isFull) => BreakAsync(
        side, isFull, (_, _) => new ScriptedAnswer.Send(200, LoginPage, "Content-Type: text/html"));

    [Theory]
    [MemberData(nameof(Reads))]
    [Trait("Requirement", "R-SYNC-2-B")]
    [Trait("Requirement", "R-SYNC-T-3")]
    public Task RedirectToALoginPage_DeletesNothing(MergeSide side, bool isFull) => BreakAsync(
        side, isFull, (request, _) => request.Target.StartsWith("/login", StringComparison.Ordinal)
            ? new ScriptedAnswer.Send(200, LoginPage, "Content-Type: text/html")
            : new ScriptedAnswer.Send(302, "", $"Location: {Gate(side).Address}login"));

    /// <summary>The answer is shorter than it was made, and says nothing of it.</summary>
    [Theory]
    [MemberData(nameof(Reads))]
    [Trait("Requirement", "R-SYNC-2-B")]
    public Task AnswerCutInTheMiddle_DeletesNothing(MergeSide side, bool isFull) => BreakAsync(
        side, isFull, (_, answer) => answer with { Body = answer.Body[..(answer.Body.Length / 2)] });

    /// <summary>The line breaks before as much has come as was announced.</summary>
    [Theory]
    [MemberData(nameof(Reads))]
    [Trait("Requirement", "R-SYNC-2-B")]
    [Trait("Requirement", "R-SYNC-T-3")]
    public Task LineCutInTheMiddle_DeletesNothing(MergeSide side, bool isFull) => BreakAsync(
        side, isFull, (_, answer) =>
        {
            var octets = Encoding.UTF8.GetBytes(answer.Body);
            return SpoilingGate.Cut(answer, octets.AsSpan(0, octets.Length / 2), octets.Length);
        });

    [Theory]
    [MemberData(nameof(Reads))]
    [Trait("Requirement", "R-SYNC-2-B")]
    public Task CompressedAnswerCutInTheMiddle_DeletesNothing(MergeSide side, bool isFull) => BreakAsync(
        side, isFull, (_, answer) =>
        {
            var octets = Compressed(answer.Body);
            return SpoilingGate.Cut(
                answer, octets.AsSpan(0, octets.Length / 2), octets.Length / 2, "Content-Encoding: gzip");
        });

    [Theory]
    [MemberData(nameof(Reads))]
    [Trait("Requirement", "R-SYNC-2-B")]
    public Task AnswerThatSaysPartial206_DeletesNothing(MergeSide side, bool isFull) =>
        BreakAsync(side, isFull, (_, answer) => answer with { Status = 206 });

    /// <summary>The first read is answered, and every later one is forbidden.</summary>
    [Theory]
    [MemberData(nameof(Reads))]
    [Trait("Requirement", "R-SYNC-2-B")]
    [Trait("Requirement", "R-SYNC-1-E")]
    [Trait("Requirement", "R-SYNC-T-3")]
    public Task ForbiddenInTheMiddleOfPaging_DeletesNothing(MergeSide side, bool isFull) => BreakAsync(
        side, isFull, (_, answer) => ++_reads == 1 ? answer : new ScriptedAnswer.Send(403));

    /// <summary>Well formed, and about something else.</summary>
    [Theory]
    [MemberData(nameof(Reads))]
    [Trait("Requirement", "R-SYNC-2-B")]
    public Task AnswerInAnotherNamespace_DeletesNothing(MergeSide side, bool isFull) => BreakAsync(
        side, isFull, (_, answer) => side == MergeSide.Left
            ? answer with { Body = """{"kind":"drive#fileList","files":[]}""" }
            : answer with { Body = answer.Body.Replace("\"DAV:\"", "\"DAV\"", StringComparison.Ordinal) });

    /// <summary>A few octets that would unfold to gigabytes, or nest without end.</summary>
    [Theory]
    [MemberData(nameof(Reads))]
    [Trait("Requirement", "R-SYNC-2-B")]
    public Task AnswerThatIsABomb_DeletesNothing(MergeSide side, bool isFull) => BreakAsync(
        side, isFull, (_, answer) => answer with
        {
            Body = side == MergeSide.Left
                ? "{\"items\":" + new string('[', 200_000) + new string(']', 200_000) + "}"
                : "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY a0 \"aaaaaaaaaa\">"
                    + string.Concat(Enumerable.Range(1, 12).Select(level =>
                        $"<!ENTITY a{level} \"{string.Concat(Enumerable.Repeat($"&a{level - 1};", 10))}\">"))
                    + "]><D:multistatus xmlns:D=\"DAV:\">&a12;</D:multistatus>",
        });

    /// <summary>A listing that is well formed, says that it is whole, and has no event in it.</summary>
    [Theory]
    [InlineData(MergeSide.Left)]
    [InlineData(MergeSide.Right)]
    [Trait("Requirement", "R-SYNC-2-A")]
    [Trait("Requirement", "R-SYNC-2-B")]
    public async Task ListingWithoutEvents_DeletesNothing(MergeSide side)
    {
        await FillAsync();
        Gate(side).OnAnswer = (request, answer) => (side, request.Method) switch
        {
            (MergeSide.Left, "GET") when request.Target.Contains("/events?", StringComparison.Ordinal) =>
                answer with { Body = """{"kind":"calendar#events","items":[],"nextSyncToken":"t"}""" },
            (MergeSide.Right, "PROPFIND") when request.Headers["Depth"] == "1" =>
                answer with { Body = WithoutEvents(answer.Body) },
            _ => answer,
        };
        var report = await RunAsync(isFull: true);
        // After several in a row it is the side that is in trouble, not its events.
        Assert.Equal((0, 0, RunOutcome.Failed), (report.Deleted, report.Created, report.Outcome));
        Assert.Equal(Before.Length, report.Deferred);
        Gate(side).OnAnswer = (_, answer) => answer;
        Assert.Equal(RunOutcome.Equal, (await RunAsync()).Outcome);
    }

    private async Task FillAsync()
    {
        foreach (var (name, index) in Before.Select((name, index) => (name, index)))
            await PutAsync(index % 2 == 0 ? MergeSide.Left : MergeSide.Right, name, "Title of " + name);
        Assert.Equal(Before.Length, (await RunAsync()).Created);
        Assert.Equal(RunOutcome.Equal, (await RunAsync()).Outcome);
        Assert.Equal(RunOutcome.Equal, (await RunAsync()).Outcome);
    }

    private async Task BreakAsync(
        MergeSide side, bool isFull,
        Func<ScriptedRequest, ScriptedAnswer.Send, ScriptedAnswer> spoil)
    {
        var other = side.Equals(MergeSide.Left) ? MergeSide.Right : MergeSide.Left;
        await FillAsync();
        foreach (var name in Before[..4])
            await PutAsync(side, name, "New title of " + name);
        await DeleteAsync(side, "five");
        await PutAsync(other, "new", "Title of new");
        var asked = Gate(other).Requests.Count;
        Gate(side).OnAnswer = (request, answer) => IsRead(request) ? spoil(request, answer) : answer;

        var report = await RunAsync(isFull);
        Assert.Equal((0, 0), (report.Deleted, report.Created));
        Assert.Contains(report.Outcome, new[] { RunOutcome.Failed, RunOutcome.NeedsConsent });
        Assert.Equal(side, report.FaultSide);
        Assert.NotEqual("", report.Fault!.Message);
        Assert.Equal([.. Before, "new"], (await TitlesAsync(other)).Keys.Order(Order));
        Assert.Equal(Before.Where(name => name != "five"), (await TitlesAsync(side)).Keys.Order(Order));
        Assert.All(Gate(other).Requests.Skip(asked), request => Assert.NotEqual("DELETE", request.Method));

        Gate(side).OnAnswer = (_, answer) => answer;
        report = await RunAsync();
        Assert.True(report.Fault is null, report.Fault?.Message);
        Assert.Empty(await WaitingAsync());
        Assert.Equal((1, 1), (report.Deleted, report.Created));
        var (left, right) = (await TitlesAsync(MergeSide.Left), await TitlesAsync(MergeSide.Right));
        Assert.Equal(left.OrderBy(each => each.Key), right.OrderBy(each => each.Key));
        Assert.Equal("New title of four", left["four"]);
        Assert.Equal("Title of new", left["new"]);
        Assert.False(left.ContainsKey("five"));
        Assert.Equal(RunOutcome.Equal, (await RunAsync()).Outcome);
    }

    /// <summary>As the names stand in <see cref="Before"/>, what is new last.</summary>
    private static Comparer<string> Order => Comparer<string>.Create((one, two) =>
        (Array.IndexOf(Before, one) & 0xff).CompareTo(Array.IndexOf(Before, two) & 0xff));

    private static bool IsRead(ScriptedRequest request) =>
        request.Method is "GET" or "PROPFIND" or "REPORT" or "OPTIONS";

    private static string WithoutEvents(string body) => string.Concat(
        body.Split("<response").Select((part, index) => index == 0 ? part
            : !part.Contains(".ics", StringComparison.Ordinal) ? "<response" + part
            : part[(part.IndexOf("</response>", StringComparison.Ordinal) + "</response>".Length)..]));

    private static byte[] Compressed(string body)
    {
        using var octets = new MemoryStream();
        using (var gzip = new GZipStream(octets, CompressionLevel.Fastest))
            gzip.Write(Encoding.UTF8.GetBytes(body));
        return octets.ToArray();
    }
}
