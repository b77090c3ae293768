using System.Collections.Immutable;
using System.CommandLine;
using CalSync.App.Pairs;
using CalSync.Storage.Pairs;
using CalSync.Sync.Connections;
using CalSync.Sync.Pairs.Execution;

namespace CalSync.App.Commands;

/// <summary>How the verbs about pairs name pairs, calendars and outcomes.</summary>
internal static class PairWords
{
    /// <summary>Said when there is no pair.</summary>
    public const string None = "There is no pair. Make one: calsync pairs add NAME LEFT RIGHT";

    /// <summary>The argument that names one pair.</summary>
    public static Argument<string> Argument() => new("PAIR") { Description = "Name or id of the pair." };

    /// <summary>The argument that names pairs; none means all that are not paused.</summary>
    public static Argument<string[]> Arguments()
    {
        var pairs = new Argument<string[]>("PAIR")
        {
            Description = "Names or ids of pairs. Default: all that are not paused.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        // The parser takes a mistyped option for one more name.
        pairs.Validators.Add(found =>
        {
            foreach (var word in found.Tokens.Where(word => word.Value.StartsWith('-')))
                found.AddError($"There is no option '{word.Value}' here.");
        });
        return pairs;
    }

    /// <summary>One pair.</summary>
    /// <exception cref="CommandException">There is none, or several.</exception>
    public static async Task<PairListing> FindAsync(
        ProductParts product, string word, CancellationToken cancellation) =>
        await product.Pairs.FindAsync(word, cancellation) ?? throw new CommandException(
            ExitCode.Failed, "There is no such pair.", word, "calsync pairs list");

    /// <summary>The pairs that were named, or all that are not paused.</summary>
    /// <exception cref="CommandException">There is none.</exception>
    public static async Task<List<PairListing>> FindAsync(
        ProductParts product, string[]? words, CancellationToken cancellation)
    {
        var found = new List<PairListing>();
        foreach (var word in words ?? [])
            found.Add(await FindAsync(product, word, cancellation));
        if (found.Count == 0)
            found.AddRange((await product.Pairs.ListAsync(cancellation)).Where(pair => pair.Enabled));
        return found.Count > 0
            ? found
            : throw new CommandException(
                ExitCode.Failed, "There is no pair to run.", null, "calsync pairs add NAME LEFT RIGHT");
    }

    /// <summary>A calendar in words: <c>maya@icloud.com/Home</c>.</summary>
    public static string Of(CalendarPlace place) => $"{place.AccountEmail}/{place.Summary}";

    /// <summary>The calendar a person names by id, by name, or by account and name.</summary>
    /// <exception cref="CommandException">There is none, or several.</exception>
    public static CalendarPlace Calendar(ImmutableArray<CalendarPlace> places, string word)
    {
        bool Is(string text) => string.Equals(text, word, StringComparison.OrdinalIgnoreCase);
        var alive = places.Where(place => place.State != "gone" && place.ConnectionState != "disconnected");
        var found = alive.Where(place => place.Id == word || Is(Of(place)) || Is(place.Summary)
            || place.RemoteId == word || Is(Folder(place)) || Is($"{place.AccountEmail}/{Folder(place)}"))
            .ToList();
        return found switch
        {
            [var one] => one,
            [] => throw new CommandException(
                ExitCode.Failed, "There is no such calendar.", word, "calsync calendars list"),
            _ => throw new CommandException(
                ExitCode.Failed, $"{found.Count} calendars are called so.", word,
                string.Join(" or ", found.Select(place => PairRunner.Quoted(place.Id)).Take(4))),
        };
    }

    /// <summary>The last part of a calendar's URL; some servers give an unnamed calendar no better
    /// name.</summary>
    private static string Folder(CalendarPlace place) =>
        Uri.UnescapeDataString(place.RemoteId.TrimEnd('/').Split('/')[^1]);

    /// <summary>The exit code of an outcome.</summary>
    public static SyncExit ExitOf(PairRun run) => run.Outcome switch
    {
        RunOutcome.Equal or RunOutcome.Synced => SyncExit.Equal,
        RunOutcome.Planned =>
            run.Report!.Plan is { Steps.IsEmpty: true, Waiting.IsEmpty: true, Untouched.IsEmpty: true }
            ? SyncExit.Equal
            : SyncExit.Differences,
        RunOutcome.Partly => SyncExit.Differences,
        RunOutcome.Held => SyncExit.Held,
        RunOutcome.NeedsConsent => SyncExit.NeedsConsent,
        RunOutcome.PlanMoved or RunOutcome.Busy or RunOutcome.Failed or RunOutcome.LeaseLost =>
            SyncExit.Failed,
    };
}
