using CalSync.Classes;
using CalSync.Storage.Classes;

namespace CalSync.App.Commands;

/// <summary><c>calsync idempotency</c>: the stored answers of repeated requests.</summary>
internal static class IdempotencyCommand
{
    public static Verb Create(GlobalOptions globals, Surroundings around)
    {
        var user = Words.Option<string>("--user", "USER", "Whose keys.", required: true);
        var clear = new Verb(
            "clear",
            "Forgets a person's idempotency keys; what the database keeps unique stays unique.",
            "calsync idempotency clear --user USER")
        {
            user,
        };
        return new Verb("idempotency", "Manages idempotency keys.", "calsync idempotency clear --user USER")
        {
            clear.Does(globals, around, async (call, cancellation) =>
            {
                await using var place = await call.OpenAsync(cancellation);
                var known = await place.Identity.FindUserAsync(call.Get(user)!, cancellation)
                    ?? throw new CommandException(
                        ExitCode.Failed, "There is no such user.", call.Get(user), "calsync users list");
                var count = await new IdempotencyStore(place.Database).ClearAsync(
                    new Actor(known.TenantId, Workplace.ActorName, Role.System), known.Id,
                        place.Clock.GetUtcNow(),
                    place.CorrelationId, cancellation);
                call.Output.Value(new { Forgotten = count }, $"Forgot {count} keys of {known.Email}.");
                return ExitCode.Ok;
            }),
        };
    }
}
