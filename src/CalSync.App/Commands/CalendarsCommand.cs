using System.CommandLine;
using CalSync.Sync.Connections;
using CalSync.Sync.Mirroring;

namespace CalSync.App.Commands;

/// <summary><c>calsync calendars</c>: the calendars of all connections, and where the events of new classes
/// go.</summary>
internal static class CalendarsCommand
{
    /// <summary>A calendar and whose it is.</summary>
    /// <param name="Owner">Address of the person.</param>
    /// <param name="ConnectionId">The connection it was found through.</param>
    /// <param name="Calendar">The calendar.</param>
    /// <param name="Provider">Where it is.</param>
    /// <param name="Account">The account it is of.</param>
    internal sealed record Found(
        string Owner, string ConnectionId, string Provider, string Account, CalendarListing Calendar);

    public static Verb Create(GlobalOptions globals, Surroundings around) =>
        new("calendars", "Shows calendars and chooses where new events go.", "calsync calendars list")
        {
            MakeList(globals, around),
            MakeSelect(globals, around),
            MakeMigrate(globals, around),
        };

    private static Verb MakeList(GlobalOptions globals, Surroundings around)
    {
        var user = Words.Option<string?>("--user", "USER", "Only this person's.");
        var verb = new Verb(
            "list", "Lists the calendars of every connection.", "calsync calendars list") { user };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            call.Output.Table(
                await ListAsync(product, call.Get(user), cancellation),
                "There is no calendar. Connect an account: calsync connect google, icloud or caldav",
                new("ID", row => row.Calendar.Id),
                new("NAME", row => row.Calendar.Summary),
                new("ACCOUNT", row => row.Account),
                new("PROVIDER", row => row.Provider),
                new("KIND", row => row.Calendar.Kind),
                new("ZONE", row => row.Calendar.TimeZone),
                new("STATE", row => row.Calendar.State),
                new("SELECTED", row => row.Calendar.Selected),
                new("LAST GOOD READ", row => row.Calendar.LastGoodReadAt),
                new("CONNECTION", row => row.ConnectionId));
            return ExitCode.Ok;
        });
    }

    private static Verb MakeSelect(GlobalOptions globals, Surroundings around)
    {
        var id = new Argument<string>("CALENDAR")
        {
            Description =
            "Id of the calendar, from 'calsync calendars list'."
        };
        var verb = new Verb(
            "select", "Chooses where the events of new classes go; those already made stay where they are.",
            "calsync calendars select CALENDAR")
        {
            id,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            foreach (var (owner, connection, _) in await product.ConnectionsAsync(null, cancellation))
            {
                switch (await product.Flow.SelectCalendarAsync(
                    connection.Id, owner.Id, call.Get(id)!, cancellation))
                {
                    case CalendarChoice.Chosen:
                        call.Output.Value(
                            new { Selected = call.Get(id) },
                            $"New events of {owner.Email} go to {call.Get(id)}.");
                        return ExitCode.Ok;
                    case CalendarChoice.NotWritable:
                        throw new CommandException(
                            ExitCode.Failed, "The calendar is gone or may not be written.", call.Get(id),
                            "calsync calendars list");
                    case CalendarChoice.Unknown:
                        break;
                }
            }

            throw new CommandException(
                ExitCode.Failed, "There is no such calendar.", call.Get(id), "calsync calendars list");
        });
    }

    private static Verb MakeMigrate(GlobalOptions globals, Surroundings around)
    {
        var from = Words.Option<string>("--from", "CALENDAR", "Id of the calendar to leave.", required: true);
        var to = Words.Option<string>(
            "--to", "CALENDAR", "Id of the calendar to go to, of the same account.", required: true);
        var dry = Words.Option<bool>("--dry-run", "", "Only counts the events to be moved.");
        var verb = new Verb(
            "migrate",
            "Chooses another calendar and moves the events still to come there, with their guests, answers "
                + "and links; run it again where it stopped; exit code 3 while some are left.",
            "calsync calendars migrate --from CALENDAR --to CALENDAR --dry-run")
        {
            from, to, dry,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            await using var product = await ProductParts.OpenAsync(call, cancellation);
            var route = await product.Migrations.RouteAsync(call.Get(from)!, call.Get(to)!, cancellation)
                ?? throw new CommandException(
                    ExitCode.Failed, "These are not two calendars of one account.",
                    $"{call.Get(from)} {call.Get(to)}", "calsync calendars list");
            if (call.Get(dry))
            {
                var count = await product.Migrations.LeftAsync(
                    route, product.Place.Clock.GetUtcNow(), cancellation);
                call.Output.Value(new { EventCount = count }, $"{count} events would be moved.");
                return ExitCode.Ok;
            }

            return await MigrateAsync(call, product, route, cancellation);
        });
    }

    private static async Task<ExitCode> MigrateAsync(
        Invocation call, ProductParts product, MigrationRoute route, CancellationToken cancellation)
    {
        // First, so that no new event goes where the others come from.
        var choice = await product.Flow.SelectCalendarAsync(
            route.ConnectionId, route.UserId, route.ToId, cancellation);
        if (choice != CalendarChoice.Chosen)
        {
            throw new CommandException(
                ExitCode.Failed, "The calendar is gone or may not be written.", route.ToId,
                "calsync calendars list");
        }

        var report = await product.Migration.RunAsync(
            route, Workplace.ActorName, product.Place.CorrelationId, cancellation);
        call.Output.Value(
            report,
            [
                $"{report.MovedCount} events moved, {report.LeftCount} left.",
                .. report.StoppedBy is { } why
                    ? [$"Stopped: {why}. Run it again to go on."]
                    : Array.Empty<string>(),
                .. report.Failed.Select(failure => $"  {failure.EventId}: {failure.Reason}"),
            ]);
        return report.LeftCount == 0 ? ExitCode.Ok : ExitCode.Unhealthy;
    }

    private static async Task<List<Found>> ListAsync(
        ProductParts product, string? userId, CancellationToken cancellation)
    {
        var found = new List<Found>();
        foreach (var (owner, connection, _) in await product.ConnectionsAsync(userId, cancellation))
        {
            found.AddRange((await product.Connections.CalendarsAsync(connection.Id, cancellation))
                .Select(calendar => new Found(
                    owner.Email, connection.Id, connection.Provider, connection.AccountEmail, calendar)));
        }

        return found;
    }
}
