using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CalSync.Calendar.Tests.Comparison;

/// <summary>
/// The laws of comparing and merging. Method: random resources, each written in many ways that mean the
/// same, against a merge slot by slot; and every file of the collection. A failure prints its seed.
/// </summary>
public sealed class ComparisonLawTests
{
    private static readonly CalendarNoise Noise = CalendarNoise.OfServers;

    [Fact]
    public void Compare_OfOneMeaningWrittenTwice_IsEmpty() => ForAll(random =>
    {
        var model = ResourceModel.Random(random);
        return Compare(model.Write(random), model.Write(random)).Length == 0;
    });

    [Fact]
    public void Compare_OfTwoMeanings_FindsADifference() => ForAll(random =>
    {
        var model = ResourceModel.Random(random);
        var edited = model.Edited(random);
        var isSame = edited.ToString() == model.ToString();
        return isSame == (Compare(model.Write(random), edited.Write(random)).Length == 0);
    });

    [Fact]
    public void Compare_OfSidesSwapped_IsReversed() => ForAll(random =>
    {
        var model = ResourceModel.Random(random);
        var (a, b) = (model.Write(random), model.Edited(random).Write(random));
        return CalendarDiff.Compare(a, b).Select(change => change.Reversed())
            .SequenceEqual(CalendarDiff.Compare(b, a));
    });

    [Fact]
    public void Merge_OfRandomEdits_IsTheMergeOfTheirMeaning() => ForAll(random =>
    {
        var @base = ResourceModel.Random(random);
        var (left, right) = (@base.Edited(random), @base.Edited(random));
        var (expected, conflicts) = ResourceModel.Merge(@base, left, right);
        var merge = CalendarMerge.Merge(
            @base.Write(random), left.Write(random), right.Write(random), MergePreference.Left);
        Assert.Equal(conflicts, merge.Conflicts.Length);
        Assert.All(merge.Conflicts, conflict => Assert.Equal(MergeSide.Left, conflict.Chosen));
        Assert.Empty(merge.Document.Problems);
        Assert.Empty(Compare(expected.Write(random), merge.Document));
        return true;
    });

    [Fact]
    public void Merge_WithSidesSwapped_MeansTheSame() => ForAll(random =>
    {
        var model = ResourceModel.Random(random);
        var @base = model.Write(random);
        var (left, right) = (model.Edited(random).Write(random), model.Edited(random).Write(random));
        var one = CalendarMerge.Merge(@base, left, right, MergePreference.Left);
        var other = CalendarMerge.Merge(@base, right, left, MergePreference.Right);
        Assert.Equal(
            one.Conflicts, other.Conflicts.Select(conflict => conflict with
            {
                Left = conflict.Right,
                Right = conflict.Left,
                Chosen = 1 - conflict.Chosen,
            }));
        return Compare(one.Document, other.Document).Length == 0;
    });

    [Fact]
    public void Merge_OfTheSameEditOnBothSides_IsThatEdit() => ForAll(random =>
    {
        var model = ResourceModel.Random(random);
        var edited = model.Edited(random);
        var left = edited.Write(random);
        var merge = CalendarMerge.Merge(
            model.Write(random), left, edited.Write(random), MergePreference.Newest);
        return merge.Conflicts.IsEmpty && Compare(left, merge.Document).Length == 0;
    });

    [Fact]
    public void Merge_WhenOneSideIsTheBase_IsTheOtherSide() => ForAll(random =>
    {
        var model = ResourceModel.Random(random);
        var (@base, edited) = (model.Write(random), model.Edited(random).Write(random));
        var same = CalendarDocument.Parse(@base.Bytes);
        var left = CalendarMerge.Merge(@base, edited, same, MergePreference.Right);
        var right = CalendarMerge.Merge(@base, same, edited, MergePreference.Left);
        return left.Conflicts.IsEmpty && right.Conflicts.IsEmpty
            && left.Document.ToString() == edited.ToString()
            && (right.Document.ToString() == edited.ToString()
                || CalendarDiff.Compare(@base, edited).IsEmpty);
    });

    [Fact]
    public void Remove_OfNoiseTwice_IsOnce() => ForAll(random =>
    {
        var document = ResourceModel.Random(random).Write(random);
        var once = Noise.Remove(document);
        return Noise.Remove(once).ToString() == once.ToString()
            && CalendarDiff.Compare(once, document, Noise).IsEmpty
            && !CalendarDiff.Compare(once, document).IsEmpty;
    });

    [Fact]
    public void EveryFile_ComparedAndMergedWithItself_IsItself()
    {
        foreach (var file in Corpus.Files)
        {
            var (a, b) = (CalendarDocument.Parse(file.Bytes), CalendarDocument.Parse(file.Bytes));
            Assert.True(CalendarDiff.Compare(a, b).IsEmpty, file.Name);
            var merge = CalendarMerge.Merge(a, b, CalendarDocument.Parse(file.Bytes), MergePreference.Right);
            Assert.True(merge.Document.Bytes.Span.SequenceEqual(file.Bytes), file.Name);
            var quiet = Noise.Remove(a);
            Assert.True(Noise.Remove(quiet).Bytes.Span.SequenceEqual(quiet.Bytes.Span), file.Name);
            Assert.True(CalendarDiff.Compare(a, quiet, Noise).IsEmpty, file.Name);
        }
    }

    /// <summary>In every file an event changed on both sides: neither change is lost.</summary>
    [Fact]
    public void EveryFile_ChangedOnBothSides_KeepsBothChanges()
    {
        foreach (var file in Corpus.Files)
        {
            var @base = CalendarDocument.Parse(file.Bytes);
            var events = @base.Components.Where(root => root.Is("VCALENDAR"u8))
                .SelectMany(root => root.Components).Where(component => component.Is("VEVENT"u8)).ToList();
            if (events.Count == 0)
                continue;
            var (first, last) = (events[0], events[^1]);
            var left = @base.Edit().Set(first, new PropertyContent("X-LEFT", "l")).Apply();
            var right = @base.Edit().Set(last, new PropertyContent("X-RIGHT", "r")).Apply();
            var both = @base.Edit().Set(first, new PropertyContent("X-LEFT", "l"))
                .Set(last, new PropertyContent("X-RIGHT", "r")).Apply();
            var merge = CalendarMerge.Merge(@base, left, right, MergePreference.Left);
            Assert.True(merge.Conflicts.IsEmpty, file.Name);
            Assert.True(CalendarDiff.Compare(both, merge.Document).IsEmpty, file.Name);
        }
    }

    private static System.Collections.Immutable.ImmutableArray<CalendarChange> Compare(
        CalendarDocument before, CalendarDocument after) => CalendarDiff.Compare(before, after, Noise);

    private static void ForAll(Func<Random, bool> law) => Check.One(
        Properties.Config,
        Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed => law(new Random(seed))));
}
