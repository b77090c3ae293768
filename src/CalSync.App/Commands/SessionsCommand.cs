using System.CommandLine;
using CalSync.App.Api.Authentication.Jwt;
using CalSync.App.Configuration;
using CalSync.Storage.Identity;
using CalSync.Storage.Secrets;

namespace CalSync.App.Commands;

/// <summary><c>calsync sessions</c>: people's signed tokens, and the keys they are signed with.</summary>
internal static class SessionsCommand
{
    private static readonly Column<SigningKeyListing>[] Columns =
    [
        new("KEY", key => key.Id),
        new("MADE", key => key.CreatedAt),
        new("SIGNS FROM", key => key.SignsFrom),
        new("ACCEPTED UNTIL", key => key.EndsAt),
    ];

    public static Verb Create(GlobalOptions globals, Surroundings around) =>
        new("sessions", "Opens and ends people's sessions; their tokens are JSON web tokens.",
            "calsync sessions open USER --hours 8")
        {
            MakeOpen(globals, around),
            MakeEnd(globals, around),
            new Verb("keys", "Lists the keys that sign tokens, or whose tokens are still accepted.",
                "calsync sessions keys").Does(globals, around, ListKeysAsync),
            MakeRotate(globals, around),
        };

    private static Verb MakeOpen(GlobalOptions globals, Surroundings around)
    {
        var user = UserArgument();
        var hours = Words.Option<int?>("--hours", "N", "How long it lasts, 1 to 24. Default: 8.");
        var verb = new Verb(
            "open", "Opens a session and prints its token, this once.",
            "calsync sessions open USER --hours 8")
        {
            user, hours,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            var count = call.Get(hours) ?? 8;
            if (count < 1 || count > JwtOptions.EnhancedLifetimeMax.TotalHours)
                throw CommandException.Usage("--hours is out of range.", "1 to 24");
            await using var place = await call.OpenAsync(cancellation);
            var sessions = new SessionStore(place.Database, place.Ids, place.Clock);
            var session = await sessions.OpenAsync(
                call.Get(user)!, "cli", TimeSpan.FromHours(count), Workplace.ActorName, place.CorrelationId,
                cancellation) ?? throw NoSuchUser(call.Get(user));
            var issuer = new JwtIssuer(Keys(place), HostConfiguration.WebTokens(place.Settings));
            var token = await issuer.IssueAsync(
                session, Workplace.ActorName, place.CorrelationId, cancellation);
            // Nothing but the token, so that a script can put it into a variable.
            call.Output.Value(new { session.Id, Token = token, session.ExpiresAt }, token);
            return ExitCode.Ok;
        });
    }

    private static Verb MakeEnd(GlobalOptions globals, Surroundings around)
    {
        var user = UserArgument();
        var verb = new Verb(
            "end", "Ends every session of a person; their tokens stop working within five seconds.",
            "calsync sessions end USER")
        {
            user,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            await using var place = await call.OpenAsync(cancellation);
            var ended = await new SessionStore(place.Database, place.Ids, place.Clock).EndAllAsync(
                call.Get(user)!, Workplace.ActorName, place.CorrelationId, cancellation)
                ?? throw NoSuchUser(call.Get(user));
            call.Output.Value(new { Ended = ended }, $"Ended {ended}.");
            return ExitCode.Ok;
        });
    }

    private static async Task<ExitCode> ListKeysAsync(Invocation call, CancellationToken cancellation)
    {
        await using var place = await call.OpenAsync(cancellation);
        call.Output.Table(
            await Keys(place).ListAsync(cancellation), "There is no key; the first session makes one.",
            Columns);
        return ExitCode.Ok;
    }

    private static Verb MakeRotate(GlobalOptions globals, Surroundings around)
    {
        var compromised = Words.Option<bool>(
            "--compromised", "", "Somebody has the old key: end it, and every token it signed, at once.");
        var verb = new Verb(
            "rotate-keys",
            "Makes the next key; it signs in ten minutes, and tokens of the old one live out their time.",
            "calsync sessions rotate-keys")
        {
            compromised,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            await using var place = await call.OpenAsync(cancellation);
            var id = await Keys(place).RotateAsync(
                JwtOptions.EnhancedLifetimeMax, call.Get(compromised), Workplace.ActorName,
                place.CorrelationId, cancellation);
            call.Output.Value(new { Id = id }, $"Made key {id}.");
            return ExitCode.Ok;
        });
    }

    private static Argument<string> UserArgument() => new("USER") { Description = "Id of the person." };

    private static CommandException NoSuchUser(string? user) =>
        new(ExitCode.Failed, "There is no such user.", user, "calsync users list");

    private static SigningKeyStore Keys(Workplace place) => new(
        place.Database,
        new TokenCipher(KeyRing.Load(
            place.Settings.DataDirectory, place.Settings.Text(Configuration.Keys.SecretsKey))),
        place.Clock);
}
