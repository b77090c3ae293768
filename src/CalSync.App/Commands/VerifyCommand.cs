using System.Collections.Immutable;
using CalSync.App.Pairs;
using CalSync.Calendar.Comparison;
using CalSync.Storage.Pairs;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Verification;
using CalSync.Sync.Providers;

namespace CalSync.App.Commands;

/// <summary><c>calsync verify</c>: reads both sides completely and compares them.</summary>
internal static class VerifyCommand
{
    private static readonly Column<Difference>[] Columns =
    [
        new("CLASS", each => each.Class),
        new("EVENT", each => each.Title.Length > 0 ? each.Title : each.Uid),
        new("UID", each => each.Uid),
        new("DIFFERS IN", each => each.Why ?? string.Join(
            ", ", each.Changes.Select(change => change.Property ?? "an occurrence").Distinct())),
    ];

    public static Verb Create(GlobalOptions globals, Surroundings around)
    {
        var pairs = PairWords.Arguments();
        var verb = new Verb(
            "verify",
            "Reads both sides of pairs completely and compares them by meaning; changes nothing.",
            "calsync verify home", isAboutPairs: true)
        {
            pairs,
        };
        return verb.DoesSync(globals, around, async (call, cancellation) =>
        {
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            var results = new List<Result>();
            foreach (var pair in await PairWords.FindAsync(product, call.Get(pairs), cancellation))
            {
                var bar = new RunBar(call.Around, call.Output.IsJson, pair.Name);
                var result = await bar.WatchAsync(
                    CompareAsync(product, pair, cancellation), cancellation);
                results.Add(result);
                if (!call.Output.IsJson)
                    Print(call, result);
            }

            if (call.Output.IsJson)
                call.Output.Value(results.ConvertAll(View));
            return SyncExits.Worst(results.Select(ExitOf));
        });
    }

    private static async Task<Result> CompareAsync(
        ProductParts product, PairListing pair, CancellationToken cancellation)
    {
        var opening = await product.Calendars.OpenAsync(pair.ToPair(), cancellation);
        if (opening is PairOpening.Blocked { Side: var blocked, Reason: var reason })
        {
            return new Result(
                pair, null, new RunTrouble(blocked, reason.Why, reason.Advice, reason.NeedsConsent));
        }

        var opened = (PairOpening.Opened)opening;
        var reads = await Task.WhenAll(new[] { opened.Left, opened.Right }.Select(side =>
            side.Calendar.ReadChangesAsync(
                null, ImmutableDictionary<ResourceAddress, string>.Empty, cancellation)));
        for (var index = 0; index < reads.Length; index++)
        {
            var side = index == 0 ? MergeSide.Left : MergeSide.Right;
            if (await TroubleAsync(product, opened.On(side), side, reads[index], cancellation) is { } trouble)
                return new Result(pair, null, trouble);
        }

        var entries = await product.Ledger.EntriesAsync(pair.Id, null, cancellation);
        var mappings = await product.Ledger.LoadAsync(
            pair.Id, [.. entries.Select(entry => entry.Id)], cancellation);
        var waiting = await product.Ledger.WaitingAsync(pair.Id, cancellation);
        var sets = reads.Select(read => ((ChangeRead.Done)read).Changes.Upserts).ToArray();
        return new Result(pair, PairComparison.Of(
            sets[0], sets[1], mappings, waiting, pair.ToPair().Busy), null);
    }

    private static async Task<RunTrouble?> TroubleAsync(
        ProductParts product, CalendarOpening.Opened opened, MergeSide side, ChangeRead read,
        CancellationToken cancellation)
    {
        var fault = read switch
        {
            ChangeRead.Done { Changes.Certificate: Certificate.Partial partial } => new ProviderFault(
                ProviderReason.OutsideProtocol, null, null,
                $"The listing is not complete, so nothing can be said: {partial.Why}"),
            ChangeRead.Done => null,
            ChangeRead.Failed failed => failed.Fault,
            ChangeRead.CalendarGone gone => gone.Fault,
            ChangeRead.CursorInvalid invalid => new ProviderFault(
                ProviderReason.OutsideProtocol, null, null, invalid.Why),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        if (fault is null)
            return null;
        var needsConsent = fault.Reason
            is ProviderReason.CredentialsRejected or ProviderReason.InsufficientScope;
        if (needsConsent)
            await product.Calendars.MarkRefusedAsync(opened.Place, fault.Reason, cancellation);
        return new RunTrouble(
            side, $"{PairWords.Of(opened.Place)}: {fault.Message}",
            needsConsent ? PairCalendars.ConnectAgain(opened.Place) : "calsync status", needsConsent);
    }

    private static void Print(Invocation call, Result result)
    {
        var output = call.Around.Out;
        if (result.Comparison is not { } found)
        {
            output.WriteLine($"{result.Pair.Name}: could not be compared.");
            call.Around.Error.WriteLine($"calsync: {result.Trouble!.Why}");
            call.Around.Error.WriteLine($"  do:    {result.Trouble.Advice}");
            return;
        }

        var classes = string.Join(", ", found.Differences.GroupBy(each => each.Class)
            .Select(group => $"{group.Count()} {Output.Cell(group.Key)}"));
        output.WriteLine(
            $"{result.Pair.Name}: {found.Left} events on the left, {found.Right} on the right, "
            + $"{found.Equal} equal{(classes.Length > 0 ? ", " + classes : "")}.");
        if (!found.Differences.IsEmpty)
            call.Output.Table(found.Differences, "", Columns);
    }

    private static object View(Result result) => new
    {
        Pair = result.Pair.Name,
        Equal = result.Comparison?.IsEqual,
        result.Comparison?.Left,
        result.Comparison?.Right,
        Same = result.Comparison?.Equal,
        Differences = result.Comparison?.Differences.Select(each => new
        {
            each.Uid,
            each.Title,
            Class = Output.Cell(each.Class),
            each.Why,
            Changes = each.Changes.Select(change => new
            {
                Component = $"{change.Component}",
                change.Property,
                Left = change.Before,
                Right = change.After,
            }),
        }),
        Trouble = result.Trouble is null ? null : new { result.Trouble.Why, Do = result.Trouble.Advice },
    };

    private static SyncExit ExitOf(Result result) => result switch
    {
        { Comparison.IsEqual: true } => SyncExit.Equal,
        { Comparison: not null } => SyncExit.Differences,
        { Trouble.NeedsConsent: true } => SyncExit.NeedsConsent,
        _ => SyncExit.Failed,
    };

    private sealed record Result(PairListing Pair, PairComparison? Comparison, RunTrouble? Trouble);
}
