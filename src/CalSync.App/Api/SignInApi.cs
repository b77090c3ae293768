using System.Diagnostics;
using CalSync.App.Api.Authentication;
using CalSync.App.Api.Authentication.Jwt;
using CalSync.App.Api.Bodies;
using CalSync.App.Api.Idempotency;
using CalSync.App.Api.Problems;
using CalSync.Classes;
using CalSync.Storage.Identity;
using static CalSync.App.Api.Problems.ProblemCatalogue;

namespace CalSync.App.Api;

/// <summary>Who has signed in.</summary>
/// <param name="Token">For <c>Authorization: Bearer</c>; told this once.</param>
/// <param name="TokenType"><c>Bearer</c> (RFC 6750).</param>
/// <param name="ExpiresAt">When it ends by itself, UTC.</param>
/// <param name="UserId">The person.</param>
/// <param name="TenantId">Their organisation.</param>
/// <param name="Role">Their role now.</param>
internal sealed record SignedInView(
    string Token, string TokenType, DateTimeOffset ExpiresAt, string UserId, string TenantId, string Role);

/// <summary>Signing in with a password, and out again.</summary>
internal static class SignInApi
{
    private const string NotKept =
        "An idempotency key is not needed, and neither password nor token is kept under one.";

    /// <summary>How long somebody who has signed in stays so.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(8);

    /// <summary>Adds the routes.</summary>
    public static void MapSignIn(this IEndpointRouteBuilder api)
    {
        api.MapPost("/api/v1/auth/sessions", SignInAsync).Open().Unkeyed()
            .Takes<SignInRequest>().Gives<SignedInView>(201)
            .Fails(SignInRefused, TooManyAttempts, ValidationFailed)
            .Says("signIn", "Sign in", "With address and password, for eight hours. " + NotKept);
        api.MapDelete("/api/v1/auth/sessions/current", SignOutAsync).Allow(Roles.Any).KeyedHere()
            .Fails(NotPossibleNow)
            .Says("signOut", "Sign out", "The token it is asked with stops working within five seconds.");
        api.MapDelete("/api/v1/auth/sessions", SignOutEverywhereAsync).Allow(Roles.Any).KeyedHere()
            .Says("signOutEverywhere", "Sign out everywhere", "Ends every session of mine.");
        api.MapPut("/api/v1/me/password", ChangeAsync).Allow(Roles.Any).Unkeyed()
            .Takes<ChangePasswordRequest>().Fails(SignInRefused, TooManyAttempts, ValidationFailed)
            .Says(
                "changeMyPassword", "Change my password",
                "Ends every other session of mine. " + NotKept);
    }

    private static async Task<Answer> SignInAsync(
        Body<SignInRequest> body, HttpContext context, RequestScope scope, Passwords passwords,
        SessionStore sessions, JwtIssuer issuer, CancellationToken cancellation)
    {
        var asked = body.Value;
        FieldError?[] missing =
        [
            Required(asked.Email, "email", "ada@example.org"),
            Required(asked.Password, "password", "four words that do not belong together"),
        ];
        if (missing.OfType<FieldError>().ToArray() is { Length: > 0 } errors)
            return scope.Refuse(new Refusal.ValidationFailed([.. errors]).ToProblem());
        var outcome = await passwords.CheckAsync(
            asked.Email!, asked.Password!, asked.TenantId, AddressOf(context), scope.CorrelationId,
            cancellation);
        if (outcome is not SignIn.Proved { Holder: var holder })
            return Refuse(scope, outcome);
        return await OpenAsync(holder.UserId, "password", scope, sessions, issuer)
            ?? Refuse(scope, new SignIn.Refused());
    }

    /// <summary>Opens a session for somebody who has proved who they are.</summary>
    /// <param name="userId">Who.</param>
    /// <param name="method">How they proved it, for the journal.</param>
    /// <param name="scope">The request.</param>
    /// <param name="sessions">Where sessions are.</param>
    /// <param name="issuer">Signs the token.</param>
    /// <returns>Null when the person is gone meanwhile.</returns>
    public static async Task<Answer?> OpenAsync(
        string userId, string method, RequestScope scope, SessionStore sessions, JwtIssuer issuer)
    {
        // From here on it is done, whoever still listens: what is opened is in the journal.
        var session = await sessions.OpenAsync(
            userId, method, Lifetime, userId, scope.CorrelationId, CancellationToken.None);
        if (session is null)
            return null;
        var token = await issuer.IssueAsync(session, userId, scope.CorrelationId, CancellationToken.None);
        return Answer.Json(
            201,
            new SignedInView(
                token, "Bearer", session.ExpiresAt, session.UserId, session.TenantId,
                JwtBearers.Word(session.Role)),
            ApiJson.Default.SignedInView).With("Cache-Control", "no-store");
    }

    private static async Task<Answer> SignOutAsync(
        RequestKey _, RequestScope scope, SessionStore sessions, CancellationToken cancellation)
    {
        if (scope.Who.SessionId is not { } session)
        {
            return scope.Refuse(NotPossibleNow.With(
                "This token is of no session: it was made with calsync users token."));
        }

        await sessions.EndAsync(session, scope.Who.UserId, scope.CorrelationId, cancellation);
        return Answer.NoContent;
    }

    private static async Task<Answer> SignOutEverywhereAsync(
        RequestKey _, RequestScope scope, SessionStore sessions, CancellationToken cancellation)
    {
        await sessions.EndAllAsync(
            scope.Who.UserId, scope.Who.UserId, scope.CorrelationId, cancellation);
        return Answer.NoContent;
    }

    private static async Task<Answer> ChangeAsync(
        Body<ChangePasswordRequest> body, HttpContext context, RequestScope scope, Passwords passwords,
        PasswordStore store, CancellationToken cancellation)
    {
        var me = await store.FindAsync(scope.Who.UserId, cancellation)
            ?? throw new InvalidOperationException("The caller is no user.");
        FieldError?[] wrong =
        [
            Required(body.Value.Current, "current", "the password you have"),
            Passwords.Problem(body.Value.New, me.Email, "new"),
        ];
        if (wrong.OfType<FieldError>().ToArray() is { Length: > 0 } errors)
            return scope.Refuse(new Refusal.ValidationFailed([.. errors]).ToProblem());
        var outcome = await passwords.CheckAsync(
            me.Email, body.Value.Current!, me.TenantId, AddressOf(context), scope.CorrelationId,
            cancellation);
        if (outcome is not SignIn.Proved { Holder: var holder })
            return Refuse(scope, outcome);
        var hash = await passwords.HashAsync(body.Value.New!, cancellation);
        return await store.SetAsync(
            holder.UserId, hash, holder.Hash, scope.Who.SessionId, holder.UserId, scope.CorrelationId,
            CancellationToken.None)
            ? Answer.NoContent
            : scope.Refuse(NotPossibleNow.With("The password was changed by another request meanwhile."));
    }

    private static Answer Refuse(RequestScope scope, SignIn outcome) => scope.Refuse(outcome switch
    {
        SignIn.TooMany tooMany => TooManyAttempts.With("Too many attempts to sign in.") with
        {
            RetryAfter = tooMany.Until - scope.Now,
        },
        SignIn.Ambiguous => new Refusal.ValidationFailed(
        [
            new FieldError(
                "tenantId", "required", "You are in several organisations: say which one.", null),
        ]).ToProblem(),
        SignIn.Refused => SignInRefused.With("Address and password do not belong together.") with
        {
            Headers = [("WWW-Authenticate", "Bearer realm=\"calsync\"")],
        },
        _ => throw new UnreachableException($"Unknown outcome {outcome.GetType().Name}."),
    });

    private static FieldError? Required(string? text, string member, string example) =>
        string.IsNullOrWhiteSpace(text) ? new FieldError(member, "required", "Must be given.", example)
            : text.Length > Passwords.LengthMax
                ? new FieldError(member, "too_long", $"At most {Passwords.LengthMax} characters.", example)
            : null;

    /// <summary>Under which address of the network attempts are counted.</summary>
    /// <remarks>Behind a proxy that is not named it is the proxy's: then the limit for one account is what
    /// holds.</remarks>
    public static string AddressOf(HttpContext context) =>
        context.Connection.RemoteIpAddress?.ToString() ?? "local";
}
