using System.CommandLine;
using CalSync.App.Api.Authentication;
using CalSync.App.Configuration;
using CalSync.Calendar;
using CalSync.Classes;
using CalSync.Classes.People;
using CalSync.Storage.Identity;
using CalSync.Storage.Secrets;

namespace CalSync.App.Commands;

/// <summary><c>calsync users</c>: people and their API tokens.</summary>
internal static class UsersCommand
{
    private static readonly Column<User>[] Columns =
    [
        new("ID", user => user.Id),
        new("TENANT", user => user.TenantId),
        new("E-MAIL", user => user.Email),
        new("NAME", user => user.Name),
        new("ROLE", user => user.Role),
        new("ZONE", user => user.TimeZone),
    ];

    public static Verb Create(GlobalOptions globals, Surroundings around) =>
        new("users", "Makes and lists people and their API tokens.", "calsync users list")
        {
            MakeCreate(globals, around),
            MakeToken(globals, around),
            MakePassword(globals, around),
            MakeUnlink(globals, around),
            MakeList(globals, around),
        };

    private static Verb MakeCreate(GlobalOptions globals, Surroundings around)
    {
        var email = new Argument<string>("EMAIL") { Description = "Address of the account." };
        var tenant = TenantOption(required: true);
        var role = Words.Option<Role>(
            "--role", "ROLE", "admin, operator, instructor or student.", required: true);
        role.AcceptOnlyFromAmong("admin", "operator", "instructor", "student");
        var name = Words.Option<string?>("--name", "NAME", "Default: the address.");
        var zone = Words.Option<string>("--zone", "ZONE", "IANA time zone of the person.", required: true);
        var invited = Words.Option<string?>(
            "--calendar-email", "EMAIL", "Where invitations go. Default: the address of the account.");
        var verb = new Verb(
            "create",
            "Makes a person.",
            "calsync users create ada@example.com --tenant TENANT --role instructor --zone Europe/London")
        {
            email, tenant, role, name, zone, invited,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            var user = new NewUser(
                call.Get(tenant)!, call.Get(name)
                    ?? call.Get(email)!, Address(call.Get(email)!), call.Get(role),
                Zone(call.Get(zone)!), call.Get(invited) is { } other ? Address(other) : null);
            await using var place = await call.OpenAsync(cancellation);
            var made = await place.Identity.CreateUserAsync(
                user, Workplace.ActorName, place.CorrelationId, cancellation) switch
            {
                UserCreation.Created created => created.User,
                UserCreation.EmailTaken taken => throw new CommandException(
                    ExitCode.Failed, "Somebody in the tenant has this address.", taken.Existing.Id, null),
                UserCreation.NoSuchTenant => throw new CommandException(
                    ExitCode.Failed, "There is no such tenant.", user.TenantId, "calsync tenants list"),
                _ => throw new System.Diagnostics.UnreachableException(),
            };
            call.Output.Value(made, $"Made user {made.Id}, {made.Email}, {made.Role}.");
            return ExitCode.Ok;
        });
    }

    private static Verb MakeToken(GlobalOptions globals, Surroundings around)
    {
        var user = new Argument<string>("USER") { Description = "Id of the person." };
        var label = Words.Option<string>("--label", "TEXT", "What the token is called. Default: cli.");
        var days = Words.Option<int?>("--days", "N", "Ends after so many days. Default: never.");
        var verb = new Verb(
            "token", "Makes an API token and prints it, this once.", "calsync users token USER --days 30")
        {
            user, label, days,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            if (call.Get(days) is < 1 or > 3650)
                throw CommandException.Usage("--days is out of range.", "1 to 3650");
            TimeSpan? lifetime = call.Get(days) is { } count ? TimeSpan.FromDays(count) : null;
            await using var place = await call.OpenAsync(cancellation);
            var token = await place.Identity.CreateTokenAsync(
                call.Get(user)!, call.Get(label)
                    ?? "cli", lifetime, Workplace.ActorName, place.CorrelationId, cancellation)
                ?? throw new CommandException(
                    ExitCode.Failed, "There is no such user.", call.Get(user), "calsync users list");
            // Nothing but the token, so that a script can put it into a variable.
            call.Output.Value(token, token.Secret);
            return ExitCode.Ok;
        });
    }

    private static Verb MakePassword(GlobalOptions globals, Surroundings around)
    {
        var user = new Argument<string>("USER") { Description = "Id of the person." };
        var source = new PasswordSource();
        var verb = new Verb(
            "password", "Gives a person a password to sign in with, and ends their sessions.",
            "calsync users password USER --password-file new-password")
        {
            user,
        };
        source.AddTo(verb);
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            await using var place = await call.OpenAsync(cancellation);
            var store = new PasswordStore(place.Database, place.Clock);
            var holder = await store.FindAsync(call.Get(user)!, cancellation)
                ?? throw new CommandException(
                    ExitCode.Failed, "There is no such user.", call.Get(user), "calsync users list");
            var password = await source.ReadAsync(
                call, $"New password of {holder.Email}: ", null, cancellation);
            if (Passwords.Problem(password, holder.Email, "password") is { } problem)
            {
                throw CommandException.Usage(
                    $"The password cannot be used. {problem.Message}", problem.Example ?? "another one");
            }

            using var passwords = new Passwords(
                store, new Live<SignInOptions>(place.Settings.Options<SignInOptions>()));
            var hash = await passwords.HashAsync(password, cancellation);
            await store.SetAsync(
                holder.UserId, hash, null, null, Workplace.ActorName, place.CorrelationId, cancellation);
            call.Output.Value(new { holder.UserId }, $"{holder.Email} can sign in with the new password.");
            return ExitCode.Ok;
        });
    }

    private static Verb MakeUnlink(GlobalOptions globals, Surroundings around)
    {
        var user = new Argument<string>("USER") { Description = "Id of the person." };
        var verb = new Verb(
            "unlink-google",
            "Takes the Google account a person signs in with from them, and ends their sessions.",
            "calsync users unlink-google USER")
        {
            user,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            await using var place = await call.OpenAsync(cancellation);
            var store = new GoogleAccountStore(
                place.Database,
                new TokenCipher(KeyRing.Load(
                    place.Settings.DataDirectory, place.Settings.Text(Keys.SecretsKey))),
                place.Clock);
            if (!await store.UnlinkAsync(
                call.Get(user)!, Workplace.ActorName, place.CorrelationId, cancellation))
            {
                throw new CommandException(
                    ExitCode.Failed, "This person signs in with no Google account.", call.Get(user),
                    "calsync users list");
            }

            call.Output.Value(
                new { UserId = call.Get(user) }, "Unlinked. The next sign-in through Google links anew.");
            return ExitCode.Ok;
        });
    }

    private static Verb MakeList(GlobalOptions globals, Surroundings around)
    {
        var tenant = TenantOption(required: false);
        var verb = new Verb("list", "Lists the people.", "calsync users list --tenant TENANT") { tenant };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            await using var place = await call.OpenAsync(cancellation);
            var users = await place.Identity.ListUsersAsync(call.Get(tenant), cancellation);
            call.Output.Table(users, "There is nobody. Make somebody: calsync users create", Columns);
            return ExitCode.Ok;
        });
    }

    private static Option<string?> TenantOption(bool required) => Words.Option<string?>(
        "--tenant", "TENANT", required ? "Id of the tenant." : "Only this tenant's.", required);

    private static string Address(string text) => EmailAddress.Read(text) switch
    {
        FieldReading<string>.Read read => read.Value,
        FieldReading<string>.Refused refused =>
            throw CommandException.Usage($"{text} is not an e-mail address.", refused.Example),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static string Zone(string text) => CalendarZone.Resolve(text) switch
    {
        ZoneResolution.Found found => found.Zone.Id,
        ZoneResolution.Unknown { Suggestions: [var nearest, ..] } =>
            throw CommandException.Usage($"{text} is not a time zone.", $"--zone {nearest}"),
        _ => throw CommandException.Usage($"{text} is not a time zone.", "--zone Europe/London"),
    };
}
