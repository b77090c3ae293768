using CalSync.Calendar.Document;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Execution;
using CalSync.Sync.Providers;
using Xunit;

namespace CalSync.Tests.Sync.Pairs;

public sealed class WriteTrustTests
{
    private const int ProvenCountMin = 3;
    private readonly WriteTrust _trust = new(ProvenCountMin);
    private int _count;

    [Fact]
    [Trait("Requirement", "R-SYNC-4-A")]
    public void Version_CountsOnceEnoughWritesCameBackWhole()
    {
        for (var index = 0; index < ProvenCountMin; index++)
        {
            Assert.False(_trust.Covers(Write("SUMMARY:a|")));
            Prove("SUMMARY:a|");
        }

        Assert.True(_trust.Covers(Write("SUMMARY:another one|")));
    }

    /// <summary>What a server may trip over must have been shown to come back, each kind by itself.</summary>
    [Theory]
    [InlineData("LOCATION:Hall|")]
    [InlineData("SUMMARY;LANGUAGE=en:a|")]
    [InlineData("SUMMARY:a\\, b|")]
    [InlineData("SUMMARY:a;b|")]
    [InlineData("SUMMARY:\"a\"|")]
    [InlineData("SUMMARY:é|")]
    [InlineData("SUMMARY:a &amp; b|")]
    [InlineData("SUMMARY:a\r\n b|")]
    [InlineData("BEGIN:VALARM|ACTION:DISPLAY|END:VALARM|")]
    public void Version_OfAContentWithALineOfAnotherKind_IsNoProof(string lines)
    {
        for (var index = 0; index < ProvenCountMin; index++)
            Prove("SUMMARY:a|");
        Assert.False(_trust.Covers(Write(lines)));
        Prove(lines);
        Assert.True(_trust.Covers(Write(lines)));
    }

    /// <summary>A server adds what it misses.</summary>
    [Fact]
    public void AContentWithLessThanWasShown_IsOfAnotherKind()
    {
        for (var index = 0; index < ProvenCountMin; index++)
            Prove("SUMMARY:a|X-SERVER:1|");
        Assert.True(_trust.Covers(Write("SUMMARY:a|X-SERVER:1|")));
        Assert.False(_trust.Covers(Write("SUMMARY:a|")));
    }

    [Fact]
    public void ALongValue_IsOfAnotherKind()
    {
        for (var index = 0; index < ProvenCountMin; index++)
            Prove("SUMMARY:a|");
        Assert.False(_trust.Covers(Write($"SUMMARY:{new string('a', 100)}|")));
        Assert.False(_trust.Covers(Write($"SUMMARY:{new string('a', 3000)}|")));
    }

    [Fact]
    public void SomeWrites_AreReadWholeHoweverHonestTheSideWas()
    {
        for (var index = 0; index < ProvenCountMin; index++)
            Prove("SUMMARY:a|");
        Assert.Equal(60, Enumerable.Range(0, 64).Count(_ => _trust.Covers(Write("SUMMARY:a|"))));
    }

    /// <summary>Changed under the same version, another version, nothing there, or no answer.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-4-A")]
    public void AWriteThatComesBackOtherwise_EndsItForTheRun()
    {
        var write = Write("SUMMARY:a|");
        ResourceRead[] others =
        [
            Found(write, write.Version, PairWorld.Event("e", "SUMMARY:a|X-SERVER:1|")),
            Found(write, "\"other\"", write.Sent!),
            new ResourceRead.Gone(),
            new ResourceRead.Failed(new ProviderFault(ProviderReason.TimedOut, null, null, "No answer.")),
        ];
        foreach (var other in others)
        {
            var trust = new WriteTrust(1);
            trust.Learn(write, Found(write, write.Version, write.Sent!));
            Assert.True(trust.Covers(write));
            trust.Learn(write, other);
            trust.Learn(write, Found(write, write.Version, write.Sent!));
            Assert.False(trust.Covers(write));
        }
    }

    [Fact]
    public void AWriteWithoutAVersion_OrNotSentAsGiven_ProvesNothingAndNeedsAReading()
    {
        var trust = new WriteTrust(1);
        var write = Write("SUMMARY:a|");
        trust.Learn(write with { Sent = null }, Found(write, write.Version, write.Sent!));
        trust.Learn(write with { Version = null }, Found(write, null, write.Sent!));
        Assert.False(trust.Covers(write));
        trust.Learn(write, Found(write, write.Version, write.Sent!));
        Assert.True(trust.Covers(write));
        Assert.False(trust.Covers(write with { Version = null }));
        Assert.False(trust.Covers(write with { Sent = null }));
    }

    [Fact]
    public void WithoutAnyWritesToProveIt_NoVersionCounts()
    {
        var trust = new WriteTrust(0);
        var write = Write("SUMMARY:a|");
        trust.Learn(write, Found(write, write.Version, write.Sent!));
        Assert.False(trust.Covers(write));
    }

    private static ResourceRead.Found Found(StoredWrite write, string? version, CalendarDocument content) =>
        new(new RemoteResource(write.Address, version, content));

    private StoredWrite Write(string lines) => new(
        new ResourceAddress($"/c/e{++_count}.ics"), $"\"{_count}\"", PairWorld.Event($"e{_count}", lines));

    private void Prove(string lines)
    {
        var write = Write(lines);
        _trust.Learn(write, Found(write, write.Version, write.Sent!));
    }
}
