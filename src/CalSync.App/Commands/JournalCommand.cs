using System.CommandLine;
using System.Collections.Immutable;
using System.Text.Json;
using CalSync.Storage.Journal;
using CalSync.Sync.Journal;

namespace CalSync.App.Commands;

/// <summary><c>calsync journal</c> and <c>events</c>: the journal as a whole, and of one thing.</summary>
internal static class JournalCommand
{
    private const int PageCount = 1000;

    public static Verb Create(GlobalOptions globals, Surroundings around) =>
        new("journal", "Checks the journal.", "calsync journal verify")
        {
            new Verb("verify", "Recomputes the hash chain; exit code 3 when an entry was changed or removed.",
                "calsync journal verify").Does(globals, around, VerifyAsync),
        };

    /// <summary>Prints entries, all pages.</summary>
    internal static async Task<ExitCode> PrintAsync(
        Invocation call, JournalQuery query, string whenEmpty, CancellationToken cancellation)
    {
        await using var place = await call.OpenAsync(cancellation);
        var all = ImmutableArray.CreateBuilder<JournalRecord>();
        while (true)
        {
            var page = await place.Journal.ReadAsync(query with { CountMax = PageCount }, cancellation);
            all.AddRange(page);
            if (page.Length < PageCount)
                break;
            query = query with { After = page[^1].Seq };
        }

        call.Output.Table(
            all.ToImmutable(),
            whenEmpty,
            new("SEQ", record => record.Seq),
            new("AT", record => record.Entry.At),
            new("WHO", record => record.Entry.Actor),
            new("WHY", record => record.Entry.Cause),
            new("WHAT", record => record.Entry.Kind),
            new("SUBJECT", record => record.Entry.SubjectId),
            new("EVENT", record => EventId(record.Entry.After) ?? EventId(record.Entry.Before)),
            new("BEFORE", record => Short(record.Entry.Before)),
            new("AFTER", record => Short(record.Entry.After)));
        return all.Count > 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    private static async Task<ExitCode> VerifyAsync(Invocation call, CancellationToken cancellation)
    {
        await using var place = await call.OpenAsync(cancellation);
        switch (await place.Journal.VerifyChainAsync(cancellation))
        {
            case ChainCheck.Intact intact:
                call.Output.Value(
                    new { Intact = true, intact.Count, intact.Hash },
                    $"The journal is intact: {intact.Count} entries, last hash {intact.Hash}.");
                return ExitCode.Ok;
            case ChainCheck.Broken broken:
                call.Output.Value(
                    new { Intact = false, broken.Seq, broken.Problem },
                    $"The journal is broken at entry {broken.Seq}: {broken.Problem}",
                    "Somebody changed the database behind the product: find out who and why.");
                return ExitCode.Unhealthy;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    // The event's id at the provider, on what concerns one.
    private static string? EventId(string? json)
    {
        if (json is null)
            return null;
        using var document = JsonDocument.Parse(json);
        return document.RootElement.ValueKind == JsonValueKind.Object
            && document.RootElement.TryGetProperty("eventId", out var id) ? id.GetString() : null;
    }

    private static string? Short(string? json) => json is { Length: > 60 } ? json[..59] + "…" : json;
}

/// <summary><c>calsync events history</c>: everything that ever happened to one thing.</summary>
internal static class EventsCommand
{
    public static Verb Create(GlobalOptions globals, Surroundings around)
    {
        var id = new Argument<string>("ID")
        {
            Description = "Id of a class, slot, enrolment, mirror, connection, user or operation, or of the "
                + "event at the provider. The history of a slot holds that of its event.",
        };
        var history = new Verb(
            "history", "Prints who changed it, when, why, from what and to what.",
                "calsync events history ID") { id };
        return new Verb("events", "Reads the history of one thing.", "calsync events history ID")
        {
            history.Does(globals, around, (call, cancellation) => JournalCommand.PrintAsync(
                call,
                call.Get(id)!.StartsWith("cls_", StringComparison.Ordinal)
                    ? new JournalQuery { ClassId = call.Get(id) }
                    : new JournalQuery { PartOf = call.Get(id) },
                "Nothing is known under this id.",
                cancellation)),
        };
    }
}
