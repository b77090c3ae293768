using System.CommandLine;
using CalSync.App.Pairs;
using CalSync.Calendar.Comparison;
using CalSync.Storage.Pairs;
using CalSync.Sync.Connections;
using CalSync.Sync.Pairs;

namespace CalSync.App.Commands;

/// <summary><c>calsync pairs</c>: which calendars are kept equal.</summary>
internal static class PairsCommand
{
    private static readonly Column<PairView>[] Columns =
    [
        new("NAME", row => row.Name),
        new("LEFT", row => row.Left),
        new("RIGHT", row => row.Right),
        new("POLICY", row => row.Policy),
        new("SHOWS BUSY", row => row.ShowsBusy),
        new("CANARY", row => row.Canary),
        new("ENABLED", row => row.Enabled),
        new("EVENTS", row => row.Events),
        new("ID", row => row.Id),
    ];

    private static readonly Column<PairCompleteness>[] CompletenessColumns =
    [
        new("NAME", row => row.Name),
        new("EVENTS", row => row.Events),
        new("WITHOUT UID", row => row.WithoutUid),
        new("WITHOUT PLACE", row => row.WithoutAddress),
        new("WITHOUT CONTENT", row => row.WithoutContent),
        new("MISSING TOKENS", row => row.MissingTokens),
        new("COMPLETE", row => row.IsComplete),
    ];

    /// <summary>A pair with the names of its calendars.</summary>
    internal sealed record PairView(
        string Id, string Name, string Left, string Right, ConflictPolicy Policy, string? ShowsBusy,
        bool Canary, bool Enabled, int Events);

    public static Verb Create(GlobalOptions globals, Surroundings around)
    {
        var validate = Words.Option<bool>(
            "--validate", "",
            "Says how complete each pair's records are; exit code 1 when something is missing.");
        var verb = new Verb(
            "pairs", "Pairs calendars, so that both are kept equal.", "calsync pairs --validate",
            isAboutPairs: true)
        {
            validate,
            MakeAdd(globals, around),
            MakeList(globals, around),
            MakeSwitch(globals, around, "pause", "Stops running a pair until it is resumed.", false),
            MakeSwitch(globals, around, "resume", "Runs a paused pair again.", true),
            CanaryVerb.Create(globals, around),
            MakeDetach(globals, around),
        };
        return verb.DoesSync(globals, around, async (call, cancellation) =>
        {
            if (!call.Get(validate))
                throw CommandException.Usage("A verb is missing.", "calsync pairs list");
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            var rows = await product.Pairs.CompletenessAsync(cancellation);
            call.Output.Table(rows, PairWords.None, CompletenessColumns);
            return rows.All(row => row.IsComplete) ? SyncExit.Equal : SyncExit.Differences;
        });
    }

    private static Verb MakeAdd(GlobalOptions globals, Surroundings around)
    {
        var name = new Argument<string>("NAME") { Description = "What the pair is called." };
        var left = new Argument<string>("LEFT")
        {
            Description = "A calendar: its id, its name, or ACCOUNT/NAME, from 'calsync calendars list'.",
        };
        var right = new Argument<string>("RIGHT") { Description = "The calendar to keep equal with it." };
        var policy = Words.Option<ConflictPolicy?>(
            "--policy", "POLICY",
            "Who wins where both sides changed the same field: newest, left, right, or ask. Default: "
                + "newest.");
        policy.AcceptOnlyFromAmong("newest", "left", "right", "ask");
        var busy = Words.Option<string>(
            "--show-busy", "SIDE",
            "The calendar that shows of the other's events only when somebody is busy, as they are named "
                + "here: left or right. Events can be moved and deleted there all the same.");
        busy.AcceptOnlyFromAmong("left", "right");
        var verb = new Verb(
            "add", "Makes a pair; nothing is written until it runs.",
            "calsync pairs add home maya@gmail.com/Home maya@icloud.com/Home")
        {
            name, left, right, policy, busy,
        };
        return verb.DoesSync(globals, around, async (call, cancellation) =>
        {
            var text = call.Get(name)!.Trim();
            if (text.Length is < 1 or > 200 || text.Any(char.IsControl))
                throw CommandException.Usage("The name is empty or too long.", "1 to 200 characters");
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            var places = await product.Connections.PlacesAsync(cancellation);
            var named = PairWords.Calendar(places, call.Get(left)!);
            var (one, other) = Ordered(named, PairWords.Calendar(places, call.Get(right)!));
            await CheckAsync(product, text, one, other, cancellation);
            var pair = new Pair(
                product.Place.Ids.Next("pair"), one.TenantId, text, one.Id, other.Id,
                call.Get(policy) ?? ConflictPolicy.Newest)
            {
                // Sides are said as they are typed, and a Google calendar stands left all the same.
                Busy = MergeSides.Of(call.Get(busy)) is { } side && one != named
                    ? side.Other()
                    : MergeSides.Of(call.Get(busy)),
            };
            await product.Ledger.AddAsync(pair, product.Place.Clock.GetUtcNow(), cancellation);
            var word = PairRunner.Quoted(text);
            call.Output.Value(
                new PairView(
                    pair.Id, text, PairWords.Of(one), PairWords.Of(other), pair.Policy, pair.Busy?.Word(),
                    false, true, 0),
                [
                    $"Paired {PairWords.Of(one)} (left) with {PairWords.Of(other)} (right) as {text}.",
                    .. ShowsBusy(pair, one, other),
                    $"See what a run would do: calsync sync {word} --dry-run",
                    $"Do it: calsync sync {word}, or leave it to calsync serve",
                ]);
            return SyncExit.Equal;
        });
    }

    private static IEnumerable<string> ShowsBusy(Pair pair, CalendarPlace left, CalendarPlace right)
    {
        if (pair.Busy is not { } side)
            yield break;
        yield return $"{PairWords.Of(side == MergeSide.Left ? left : right)} shows only busy of what is "
            + "copied to it. What it has already keeps its words there.";
    }

    private static Verb MakeList(GlobalOptions globals, Surroundings around) =>
        new Verb("list", "Lists the pairs.", "calsync pairs list").DoesSync(
            globals, around, async (call, cancellation) =>
            {
                await using var product = await ProductParts.OpenAsync(call, cancellation);
                var places = (await product.Connections.PlacesAsync(cancellation)).ToDictionary(
                    place => place.Id, PairWords.Of, StringComparer.Ordinal);
                var pairs = await product.Pairs.ListAsync(cancellation);
                call.Output.Table(
                    [.. pairs.Select(pair => new PairView(
                        pair.Id, pair.Name, places[pair.GoogleCalendar], places[pair.IcloudCalendar],
                        pair.Policy, pair.BusySide, pair.Canary, pair.Enabled, pair.Events))],
                    PairWords.None, Columns);
                return SyncExit.Equal;
            });

    private static Verb MakeSwitch(
        GlobalOptions globals, Surroundings around, string name, string description, bool enabled)
    {
        var pair = PairWords.Argument();
        var verb = new Verb(name, description, $"calsync pairs {name} home") { pair };
        return verb.DoesSync(globals, around, async (call, cancellation) =>
        {
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            var found = await PairWords.FindAsync(product, call.Get(pair)!, cancellation);
            await product.Pairs.SetEnabledAsync(
                found, enabled, product.Place.Clock.GetUtcNow(), cancellation);
            call.Output.Value(
                new { found.Id, found.Name, Enabled = enabled },
                enabled ? $"{found.Name} runs again." : $"{found.Name} is paused.");
            return SyncExit.Equal;
        });
    }

    private static Verb MakeDetach(GlobalOptions globals, Surroundings around)
    {
        var pair = PairWords.Argument();
        var verb = new Verb(
            "detach", "Ends a pair; both calendars keep every event they have.", "calsync pairs detach home")
        {
            pair,
        };
        return verb.DoesSync(globals, around, async (call, cancellation) =>
        {
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            var found = await PairWords.FindAsync(product, call.Get(pair)!, cancellation);
            if (!await product.Pairs.DetachAsync(found, product.Place.Clock.GetUtcNow(), cancellation))
            {
                throw new CommandException(
                    ExitCode.Failed, "A run holds the pair.", found.Name,
                    $"calsync pairs pause {PairRunner.Quoted(found.Name)}, then detach it");
            }

            call.Output.Value(
                new { found.Id, found.Name, Detached = true },
                $"{found.Name} is detached; both calendars keep their events.");
            return SyncExit.Equal;
        });
    }

    // A Google calendar stands left, as the columns of the ledger are named.
    private static (CalendarPlace Left, CalendarPlace Right) Ordered(
        CalendarPlace left, CalendarPlace right) =>
        ProviderNames.IsGoogle(right.Provider) && !ProviderNames.IsGoogle(left.Provider)
            ? (right, left)
            : (left, right);

    private static async Task CheckAsync(
        ProductParts product, string name, CalendarPlace left, CalendarPlace right,
        CancellationToken cancellation)
    {
        if (left.Id == right.Id)
            throw CommandException.Usage("Both are the same calendar.", "calsync calendars list");
        if (left.TenantId != right.TenantId)
        {
            throw new CommandException(
                ExitCode.Failed, "The calendars belong to different tenants, so they cannot be paired.",
                $"{PairWords.Of(left)} and {PairWords.Of(right)}",
                "Practice accounts pair with practice accounts, real ones with real ones.");
        }

        if (left.ConnectionId == right.ConnectionId
            && left.Provider is (ProviderNames.ICloud or ProviderNames.ICloudSandbox))
        {
            throw new CommandException(
                ExitCode.Failed,
                "iCloud lets an account have an event in one calendar only, so two of its calendars cannot "
                    + "be kept equal.",
                left.AccountEmail, "Pair it with a calendar of another account.");
        }

        if (left.State == "unwritable" && right.State == "unwritable")
        {
            throw new CommandException(
                ExitCode.Failed, "Neither calendar can be written.", null, "calsync calendars list");
        }

        foreach (var pair in await product.Pairs.ListAsync(cancellation))
        {
            if (pair.Name == name)
            {
                throw new CommandException(
                    ExitCode.Failed, "There is a pair of this name.", name, "calsync pairs list");
            }

            if ((pair.GoogleCalendar == left.Id && pair.IcloudCalendar == right.Id)
                || (pair.GoogleCalendar == right.Id && pair.IcloudCalendar == left.Id))
            {
                throw new CommandException(
                    ExitCode.Failed, "These calendars are paired already.", pair.Name, "calsync pairs list");
            }
        }
    }
}
