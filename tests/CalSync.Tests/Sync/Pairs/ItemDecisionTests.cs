using CalSync.Calendar.Document;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Planning;
using Xunit;

namespace CalSync.Tests.Sync.Pairs;

/// <summary>
/// What is done about one event, for every combination of what became of it on both sides. Method: a table,
/// and every row mirrored.
/// </summary>
public sealed class ItemDecisionTests
{
    private const string Base = "SUMMARY:a|LOCATION:a|";

    /// <summary>What became of an event on one side.</summary>
    public enum Fate
    {
        Unchanged,
        Title,
        Room,
        Gone,
    }

    [Theory]
    [InlineData(Fate.Unchanged, Fate.Unchanged, SyncRule.Equal, "Keep", "Keep")]
    [InlineData(Fate.Title, Fate.Unchanged, SyncRule.Edited, "Keep", "Update")]
    [InlineData(Fate.Title, Fate.Title, SyncRule.SameEdit, "Keep", "Keep")]
    [InlineData(Fate.Title, Fate.Room, SyncRule.MergedEdits, "Update", "Update")]
    [InlineData(Fate.Gone, Fate.Unchanged, SyncRule.Deleted, "None", "Delete")]
    [InlineData(Fate.Gone, Fate.Room, SyncRule.EditBeatsDelete, "Create", "Keep")]
    [InlineData(Fate.Gone, Fate.Gone, SyncRule.DeletedOnBoth, "None", "None")]
    [Trait("Requirement", "R-SYNC-6-A")]
    public void Decide_ByWhatBecameOfBothSides(
        Fate left, Fate right, SyncRule rule, string leftAct, string rightAct)
    {
        foreach (var isMirrored in new[] { false, true })
        {
            var facts = isMirrored
                ? new ItemFacts("u", Mapping(), Fact(right, "r"), Fact(left, "l"))
                : new ItemFacts("u", Mapping(), Fact(left, "l"), Fact(right, "r"));
            var plan = ItemDecision.Decide(facts, ConflictPolicy.Newest);
            Assert.Equal(rule, plan.Rule);
            Assert.Equal(
                (leftAct, rightAct),
                isMirrored
                    ? (plan.Right.GetType().Name, plan.Left.GetType().Name)
                    : (plan.Left.GetType().Name, plan.Right.GetType().Name));
            Assert.Equal(
                rule is SyncRule.Deleted or SyncRule.DeletedOnBoth
                    ? MappingStatus.Deleted
                    : MappingStatus.Active,
                plan.Status);
            Assert.Empty(plan.Conflicts);
        }
    }

    /// <summary>
    /// Both gave the event another title. SEQUENCE counts by how far a side raised it since both agreed, for
    /// programs count by rules of their own; what neither says, the left decides.
    /// </summary>
    [Theory]
    [InlineData(0, 1, 0, 0, "left", SyncRule.HigherSequence)]
    [InlineData(0, 1, 0, 2, "right", SyncRule.HigherSequence)]
    [InlineData(7, 7, 0, 1, "right", SyncRule.HigherSequence)]
    [InlineData(7, 8, 0, 1, "left", SyncRule.LeftByDefault)]
    [InlineData(7, 7, 0, 0, "left", SyncRule.LeftByDefault)]
    [Trait("Requirement", "R-SYNC-6-A")]
    public void Decide_OneFieldOnBothSides_AsksHowFarSequenceWasRaised(
        int leftSeen, int leftNow, int rightSeen, int rightNow, string winner, SyncRule rule)
    {
        var mapping = new EventMapping(
            "map", "u", MappingStatus.Active, Content(Base),
            Place("l", $"SEQUENCE:{leftSeen}|" + Base), Place("r", $"SEQUENCE:{rightSeen}|" + Base));
        var plan = ItemDecision.Decide(
            new ItemFacts(
                "u", mapping,
                new SideFact.Present(Place("l", $"SEQUENCE:{leftNow}|SUMMARY:left|LOCATION:a|")),
                new SideFact.Present(Place("r", $"SEQUENCE:{rightNow}|SUMMARY:right|LOCATION:a|"))),
            ConflictPolicy.Newest);
        Assert.Equal((winner, rule), (Title(plan), plan.Rule));
        Assert.Equal(("left", "right"), (plan.Conflicts[0].Left, plan.Conflicts[0].Right));
    }

    [Theory]
    [InlineData("20260102T000000Z", "20260101T000000Z", "left", SyncRule.LaterModified)]
    [InlineData("20260101T000000Z", "20260102T000000Z", "right", SyncRule.LaterModified)]
    [InlineData("20260101T000000Z", "20260101T000000Z", "left", SyncRule.LeftByDefault)]
    [InlineData("20260101T000000Z", null, "left", SyncRule.LeftByDefault)]
    [InlineData(null, "20260101T000000Z", "left", SyncRule.LeftByDefault)]
    [Trait("Requirement", "R-SYNC-6-A")]
    public void Decide_OneFieldOnBothSidesAndNoSequence_AsksWhoWasLater(
        string? left, string? right, string winner, SyncRule rule)
    {
        static string Line(string? at) => at is null ? "" : $"LAST-MODIFIED:{at}|";
        var plan = ItemDecision.Decide(
            new ItemFacts(
                "u", Mapping(), new SideFact.Present(Place("l", Line(left) + "SUMMARY:left|LOCATION:a|")),
                new SideFact.Present(Place("r", Line(right) + "SUMMARY:right|LOCATION:a|"))),
            ConflictPolicy.Newest);
        Assert.Equal((winner, rule), (Title(plan), plan.Rule));
    }

    /// <summary>The higher SEQUENCE wins the field both edited, and nothing else.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-6-A")]
    public void Decide_AConflictInOneField_KeepsTheLosersOtherFields()
    {
        var plan = ItemDecision.Decide(
            new ItemFacts(
                "u", Mapping(),
                new SideFact.Present(Place("l", "SEQUENCE:9|SUMMARY:left|LOCATION:a|")),
                new SideFact.Present(Place("r", "SUMMARY:right|LOCATION:b|DESCRIPTION:d|"))),
            ConflictPolicy.Newest);
        var merged = plan.Base!.ToString();
        Assert.Contains("SUMMARY:left", merged, StringComparison.Ordinal);
        Assert.Contains("LOCATION:b", merged, StringComparison.Ordinal);
        Assert.Contains("DESCRIPTION:d", merged, StringComparison.Ordinal);
        Assert.Equal("SUMMARY", Assert.Single(plan.Conflicts).Property);
    }

    /// <summary>What a side never held is not deleted there, and not an edit.</summary>
    [Fact]
    public void Decide_WhatASideCannotCarry_StaysInTheBase()
    {
        var mapping = Mapping() with { Base = Content(Base + "CONTACT:Ann|") };
        var plan = ItemDecision.Decide(
            new ItemFacts(
                "u", mapping, new SideFact.Unchanged(),
                new SideFact.Present(Place("r", "SUMMARY:new|LOCATION:a|"))),
            ConflictPolicy.Newest);
        var update = Assert.IsType<SideAct.Update>(plan.Left);
        Assert.Contains("SUMMARY:new", update.Content.ToString(), StringComparison.Ordinal);
        Assert.Contains("CONTACT:Ann", plan.Base!.ToString(), StringComparison.Ordinal);
        Assert.IsType<SideAct.Keep>(plan.Right);
    }

    private static EventMapping Mapping() => new(
        "map", "u", MappingStatus.Active, Content(Base), Place("l", Base), Place("r", Base));

    private static SideFact Fact(Fate fate, string address) => fate switch
    {
        Fate.Unchanged => new SideFact.Unchanged(),
        Fate.Title => new SideFact.Present(Place(address, "SUMMARY:b|LOCATION:a|")),
        Fate.Room => new SideFact.Present(Place(address, "SUMMARY:a|LOCATION:b|")),
        Fate.Gone => new SideFact.Gone(DeletionProof.Tombstone),
    };

    private static SidePlace Place(string address, string lines) =>
        new(new ResourceAddress(address), "\"1\"", "u", Content(lines));

    private static CalendarDocument Content(string lines) => PairWorld.Event("u", lines);

    private static string Title(ItemPlan plan) => ResourceContent.Title(plan.Base);
}
