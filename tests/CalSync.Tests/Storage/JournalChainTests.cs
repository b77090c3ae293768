using CalSync.Storage.Journal;
using CalSync.Sync.Journal;
using Xunit;

namespace CalSync.Tests.Storage;

public sealed class JournalChainTests
{
    /// <summary>As another program reckons it: Python's json.dumps with sorted names, no blanks and no
    /// escapes beyond those needed, and its hashlib.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-11-P")]
    public void Hash_IsOfTheEntryAsRfc8785WritesIt()
    {
        var first = new JournalEntry(
            new DateTimeOffset(2026, 3, 8, 7, 0, 0, TimeSpan.Zero).AddTicks(1_234_569), "ten_1", "usr_1",
            "request", "cor_1", "slot.moved", "slot", "slt_1", "cls_1", null,
            "{\"title\":\"Ünïcode 🎻 \\\"x\\\"\"}\n\t\b\f\r\u0001\u001f\u007f\\/");
        var second = new JournalEntry(
            new DateTimeOffset(2026, 3, 8, 7, 0, 0, TimeSpan.Zero), "t", "", "sync", "c", "k", "e", "s", null,
            "", null);
        Assert.Equal(
            [
                "32365b0e2782093712429879ce30ebd38c35754a5a5a940188bf499d79e959dc",
                "93080039f73056d32cf8b867e3fc7dee958383362d838a3e50c767ffbfe7e7af",
            ],
            JournalChain.Append(new(0, ""), [new(first), new(second)]).Select(record => record.Hash));
    }
}
