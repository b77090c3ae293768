using System.Collections.Immutable;
using CalSync.Calendar;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Calendar.Tests;
using CalSync.Calendar.Values;
using CalSync.Sync.Pairs;
using CalSync.Tests.Remotes.Mapping;

namespace CalSync.Tests.Peers.Pairs;

/// <summary>What the pairs under test hold, and when two sides say the same.</summary>
internal static class PairContent
{
    private const int OccurrenceCountMax = 300;
    private static readonly DateTimeOffset From = new(1990, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Resources of the collection of streams, each UID once, in an order of its own for each
    /// number.</summary>
    /// <param name="count">How many.</param>
    /// <param name="number">Which part of the collection.</param>
    public static ImmutableArray<(string Uid, CalendarDocument Content)> Of(int count, int number)
    {
        var all = Corpus.Files.Where(file => file.Category is "valid" or "edge")
            .SelectMany(file => CorpusResources.Of(file).Take(2))
            .DistinctBy(one => one.Uid)
            .Where(one => !one.Uid.Any(char.IsControl))
            .ToArray();
        var first = number * count % all.Length;
        return [.. all.Skip(first).Concat(all.Take(first)).Take(count)];
    }

    public static string Uid(CalendarDocument content) => PropertyValues.ReadText(
        content.AllComponents.First(each => each.Is("VEVENT"u8)).Property("UID"u8)!.Value).Value ?? "";

    /// <summary>What differs between what two sides say, and is not the doing of servers.</summary>
    public static ImmutableArray<CalendarChange> Differences(CalendarDocument one, CalendarDocument other) =>
        CalendarDiff.Compare(one, other, CalendarNoise.OfServers.WithSequence());

    /// <summary>The first occurrences of a resource, as instants.</summary>
    public static IReadOnlyList<string> Moments(CalendarDocument content) =>
    [
        .. CalendarExpansion.Read(content, CalendarZone.Utc)
            .Occurrences(From, From.AddYears(45)).OfType<ExpansionStep.Found>().Take(OccurrenceCountMax)
            .Select(step => $"{step.Value.Start.InstantIn(CalendarZone.Utc):u} "
                + $"{step.Value.End.InstantIn(CalendarZone.Utc):u} {step.Value.IsCancelled}"),
    ];

    /// <summary>Whether a loss names what differs.</summary>
    public static bool Names(CarryLoss loss, CalendarChange change) =>
        loss.What.Contains(change.Property ?? change.Component.Component, StringComparison.OrdinalIgnoreCase);
}
