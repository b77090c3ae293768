using System.Diagnostics;
using CalSync.App.Api.Authentication;
using CalSync.App.Api.Authentication.Jwt;
using CalSync.App.Api.Bodies;
using CalSync.App.Api.Problems;
using CalSync.Classes;
using CalSync.Storage.Identity;
using static CalSync.App.Api.Problems.ProblemCatalogue;

namespace CalSync.App.Api;

/// <summary>Where to send the browser of somebody who signs in through Google.</summary>
/// <param name="AuthorizationUrl">Google's page.</param>
/// <param name="AttemptKey">
/// For the browser to keep, in its session storage for example, until it is back; told this once.
/// </param>
/// <param name="ExpiresAt">Until when it must be back, UTC.</param>
internal sealed record GoogleAttemptView(
    string AuthorizationUrl, string AttemptKey, DateTimeOffset ExpiresAt);

/// <summary>Signing in through Google; the sessions are those of <see cref="SignInApi"/>.</summary>
internal static class GoogleSignInApi
{
    private const int TextLengthMax = 256;
    private const int CodeLengthMax = 2_048;
    private static readonly TimeSpan AwayFor = TimeSpan.FromSeconds(30);

    /// <summary>Adds the routes.</summary>
    public static void MapGoogleSignIn(this IEndpointRouteBuilder api)
    {
        api.MapPost("/api/v1/auth/google/attempts", StartAsync).Open().Unkeyed()
            .Takes<GoogleAttemptRequest>().Gives<GoogleAttemptView>(201)
            .Fails(NotFound, TooManyAttempts, ValidationFailed, SignInUnavailable)
            .Says(
                "startGoogleSignIn", "Start signing in through Google",
                "Send the browser to authorizationUrl and let it keep attemptKey; Google sends it back to "
                    + "sign_in.google_return_url with state and code.");
        api.MapPost("/api/v1/auth/google/sessions", FinishAsync).Open().Unkeyed()
            .Takes<GoogleSignInRequest>().Gives<SignedInView>(201)
            .Fails(
                NotFound, GoogleSignInRefused, SignInAttemptOver, TooManyAttempts, ValidationFailed,
                SignInUnavailable)
            .Says(
                "finishGoogleSignIn", "Sign in through Google",
                "With state and code as Google sent them and the attemptKey of this browser, once. The first "
                    + "time, the account with the same verified address is linked; none is made.");
    }

    private static async Task<Answer> StartAsync(
        Body<GoogleAttemptRequest> body, HttpContext context, RequestScope scope, GoogleSignIn google,
        CancellationToken cancellation)
    {
        var asked = body.Value;
        FieldError?[] wrong =
        [
            Problem(asked.TenantId, "tenantId", "ten_01", TextLengthMax, isRequired: false),
            Problem(asked.LoginHint, "loginHint", "ada@example.org", TextLengthMax, isRequired: false),
        ];
        if (wrong.OfType<FieldError>().ToArray() is { Length: > 0 } errors)
            return scope.Refuse(new Refusal.ValidationFailed([.. errors]).ToProblem());
        var step = await google.StartAsync(
            asked.TenantId, asked.LoginHint, SignInApi.AddressOf(context), scope.CorrelationId, cancellation);
        return step is GoogleStep<GoogleStart>.Done { Value: var start }
            ? Answer.Json(
                201, new GoogleAttemptView(start.Page.AbsoluteUri, start.AttemptKey, start.ExpiresAt),
                ApiJson.Default.GoogleAttemptView).With("Cache-Control", "no-store")
            : Refuse(scope, step);
    }

    private static async Task<Answer> FinishAsync(
        Body<GoogleSignInRequest> body, HttpContext context, RequestScope scope, GoogleSignIn google,
        SessionStore sessions, JwtIssuer issuer, CancellationToken cancellation)
    {
        var asked = body.Value;
        FieldError?[] wrong =
        [
            Problem(asked.State, "state", "as Google sent it", TextLengthMax, isRequired: true),
            Problem(asked.Code, "code", "as Google sent it", CodeLengthMax, isRequired: true),
            Problem(asked.AttemptKey, "attemptKey", "as it was answered", TextLengthMax, isRequired: true),
        ];
        if (wrong.OfType<FieldError>().ToArray() is { Length: > 0 } errors)
            return scope.Refuse(new Refusal.ValidationFailed([.. errors]).ToProblem());
        var step = await google.FinishAsync(
            asked.State!, asked.Code!, asked.AttemptKey!, SignInApi.AddressOf(context), scope.CorrelationId,
            cancellation);
        return step is GoogleStep<string>.Done { Value: var userId }
            ? await SignInApi.OpenAsync(userId, "google", scope, sessions, issuer)
                ?? Refuse(scope, new GoogleStep<string>.Refused())
            : Refuse(scope, step);
    }

    private static Answer Refuse<T>(RequestScope scope, GoogleStep<T> step) => scope.Refuse(step switch
    {
        GoogleStep<T>.Off => NotFound.With("Nobody signs in through Google here."),
        GoogleStep<T>.NotUnderWay => SignInAttemptOver.With(
            "It is unknown, finished, over, or was begun in another browser.") with
        {
            Headers = Challenge,
        },
        GoogleStep<T>.Refused => GoogleSignInRefused.With("No account here is signed in by it.") with
        {
            Headers = Challenge,
        },
        GoogleStep<T>.Ambiguous => new Refusal.ValidationFailed(
        [
            new FieldError(
                "tenantId", "required", "You are in several organisations: start again and say which one.",
                null),
        ]).ToProblem(),
        GoogleStep<T>.TooMany tooMany => TooManyAttempts.With("Too many attempts to sign in.") with
        {
            RetryAfter = tooMany.Until - scope.Now,
        },
        GoogleStep<T>.Unavailable away => SignInUnavailable.With("Google did not answer as it should.") with
        {
            RetryAfter = away.RetryAfter ?? AwayFor,
        },
        _ => throw new UnreachableException($"Unknown step {step.GetType().Name}."),
    });

    private static System.Collections.Immutable.ImmutableArray<(string Name, string Value)> Challenge =>
        [("WWW-Authenticate", "Bearer realm=\"calsync\"")];

    private static FieldError? Problem(
        string? text, string member, string example, int lengthMax, bool isRequired) =>
        string.IsNullOrEmpty(text)
            ? isRequired ? new FieldError(member, "required", "Must be given.", example) : null
            : text.Length > lengthMax
                ? new FieldError(member, "too_long", $"At most {lengthMax} characters.", example)
            : text.Any(letter => letter is <= ' ' or > '~')
                ? new FieldError(member, "invalid", "Visible ASCII characters only.", example)
            : null;
}
