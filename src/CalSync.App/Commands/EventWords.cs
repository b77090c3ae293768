using System.CommandLine;
using System.Globalization;
using CalSync.App.Pairs;
using CalSync.Storage.Pairs;
using CalSync.Sync.Pairs;

namespace CalSync.App.Commands;

/// <summary>How the verbs about what happened name events, calendars and moments.</summary>
internal static class EventWords
{
    private const int CandidateCountMax = 50;
    private const int NamedCountMax = 8;

    private static readonly string[] Forms =
    [
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK",
        "yyyy-MM-dd HH:mmK", "yyyy-MM-dd",
    ];

    /// <summary>The option that names one pair.</summary>
    public static Option<string?> Pair() => Words.Option<string?>(
        "--pair", "PAIR", "Only in this pair; for an event or a calendar that is in several.");

    /// <summary>The event a person means by its UID or its title, in every pair that has it.</summary>
    /// <exception cref="CommandException">There is none, or several are called so.</exception>
    public static async Task<IReadOnlyList<EventListing>> FindAsync(
        ProductParts product, string word, string? pairId, CancellationToken cancellation)
    {
        var found = await product.Pairs.FindEventsAsync(word, pairId, CandidateCountMax, cancellation);
        var uids = found.Select(each => each.EventUid).Distinct(StringComparer.Ordinal).ToList();
        return uids switch
        {
            [_] => found,
            [] => throw new CommandException(
                ExitCode.Failed, "No event of a pair has this UID, or this title.", word,
                "calsync quarantine list, for events that were never synced"),
            _ => throw new CommandException(
                ExitCode.Failed,
                $"{(found.Count == CandidateCountMax ? "Many" : $"{uids.Count}")} events are called so; name "
                    + "one by its UID.",
                word,
                string.Join(" or ", found.DistinctBy(each => each.EventUid).Take(NamedCountMax)
                    .Select(each => $"{PairRunner.Quoted(each.EventUid)} ({each.Title})"))),
        };
    }

    /// <summary>The id of the pair a person names; null when they name none.</summary>
    /// <exception cref="CommandException">There is no such pair.</exception>
    public static async Task<string?> PairIdAsync(
        ProductParts product, string? word, CancellationToken cancellation) =>
        word is null ? null : (await PairWords.FindAsync(product, word, cancellation)).Id;

    /// <summary>The pair a person names by itself or by one of its calendars.</summary>
    /// <exception cref="CommandException">There is none, or several.</exception>
    public static async Task<PairListing> PairOfAsync(
        ProductParts product, string word, string? pair, CancellationToken cancellation)
    {
        if (await product.Pairs.FindAsync(word, cancellation) is { } named)
            return named;
        var calendar = PairWords.Calendar(await product.Connections.PlacesAsync(cancellation), word);
        var only = await PairIdAsync(product, pair, cancellation);
        var found = (await product.Pairs.ListAsync(cancellation))
            .Where(each => (each.GoogleCalendar == calendar.Id || each.IcloudCalendar == calendar.Id)
                && (only is null || each.Id == only)).ToList();
        return found switch
        {
            [var one] => one,
            [] => throw new CommandException(
                ExitCode.Failed, "This calendar is in no pair.", word, "calsync pairs list"),
            _ => throw new CommandException(
                ExitCode.Failed, $"This calendar is in {found.Count} pairs.", word,
                string.Join(" or ", found.Select(each => $"--pair {PairRunner.Quoted(each.Name)}"))),
        };
    }

    /// <summary>A moment as a person writes it, UTC: a date and time, or how long ago.</summary>
    /// <param name="text">As written.</param>
    /// <param name="now">UTC.</param>
    /// <param name="options">How far back the history goes.</param>
    /// <exception cref="CommandException">It is none, is to come, or is forgotten.</exception>
    public static DateTimeOffset Moment(string text, DateTimeOffset now, PairOptions options)
    {
        var at = Ago(text, now) ?? Written(text) ?? throw CommandException.Usage(
            $"--at {text} is no moment.", "--at 2027-03-01T18:00Z, --at '2027-03-01 18:00' (UTC) or --at 2h");
        if (at > now)
        {
            throw CommandException.Usage(
                $"--at {text} is to come.", $"it is {now.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z now");
        }

        return at >= now - options.HistoryKept
            ? at
            : throw new CommandException(
                ExitCode.Failed, "The history does not go back so far.", text,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"pair.history_kept: {options.HistoryKept.TotalDays:0} days"));
    }

    private static DateTimeOffset? Ago(string text, DateTimeOffset now)
    {
        if (text.Length < 2
            || !int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            return null;
        }

        return text[^1] switch
        {
            'm' => now - TimeSpan.FromMinutes(count),
            'h' => now - TimeSpan.FromHours(count),
            'd' => now - TimeSpan.FromDays(count),
            _ => null,
        };
    }

    // A whole second means all of it: what the history shows at that second is part of it.
    private static DateTimeOffset? Written(string text) => DateTimeOffset.TryParseExact(
        text, Forms, CultureInfo.InvariantCulture,
        DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at)
        ? at.Ticks % TimeSpan.TicksPerSecond == 0 ? at.AddTicks(TimeSpan.TicksPerSecond - 1) : at
        : null;
}
