using System.Buffers.Text;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using CalSync.App.Api.Authentication.Jwt;
using CalSync.App.Configuration;
using CalSync.Remotes;
using CalSync.Remotes.OAuth;
using CalSync.Storage.Identity;
using CalSync.Sync.Connections;
using CalSync.Sync.Providers;

namespace CalSync.App.Api.Authentication;

/// <summary>Where a sign-in through Google begins.</summary>
/// <param name="Page">To send the browser to.</param>
/// <param name="AttemptKey">For the browser to keep until it is back; told this once.</param>
/// <param name="ExpiresAt">Until when it must be back, UTC.</param>
internal sealed record GoogleStart(Uri Page, string AttemptKey, DateTimeOffset ExpiresAt);

/// <summary>How a step of a sign-in through Google ended.</summary>
/// <typeparam name="T">What it gives.</typeparam>
internal abstract record GoogleStep<T>
{
    private GoogleStep()
    {
    }

    /// <summary>As it should.</summary>
    public sealed record Done(T Value) : GoogleStep<T>;

    /// <summary>It is not set up here.</summary>
    public sealed record Off : GoogleStep<T>;

    /// <summary>Not under way in this browser: unknown, used, over, or another's.</summary>
    public sealed record NotUnderWay : GoogleStep<T>;

    /// <summary>The account signs nobody in; why is in the journal only.</summary>
    public sealed record Refused : GoogleStep<T>;

    /// <summary>It signs in people of several organisations.</summary>
    public sealed record Ambiguous : GoogleStep<T>;

    /// <summary>Too many attempts.</summary>
    /// <param name="Until">When the next one may be made, UTC.</param>
    public sealed record TooMany(DateTimeOffset Until) : GoogleStep<T>;

    /// <summary>Google does not answer as it should.</summary>
    /// <param name="RetryAfter">As far as it says so.</param>
    public sealed record Unavailable(TimeSpan? RetryAfter) : GoogleStep<T>;
}

/// <summary>
/// Signing in through Google: OpenID Connect's code flow with PKCE, state and nonce. Thread-safe.
/// </summary>
/// <remarks>
/// A sign-in belongs to the browser that began it: that one keeps a key, and without it neither state nor
/// code is worth anything, so nobody is signed in to somebody else's account by a link. What Google says is
/// believed for its signed ID token alone. No account is ever made here.
/// </remarks>
internal sealed class GoogleSignIn(
    GoogleRemotes remotes, GoogleAccountStore accounts, PasswordStore attempts, Live<SignInOptions> live,
    ConnectionOptions connections, TimeProvider clock)
{
    private readonly IdTokens? _idTokens = remotes.SignIn is { } server ? new IdTokens(server) : null;

    /// <summary>Begins.</summary>
    /// <param name="tenantId">The organisation, for people who are in several.</param>
    /// <param name="loginHint">Address to preselect; null for none.</param>
    /// <param name="address">Where the request comes from.</param>
    /// <param name="correlationId">The request, for the journal.</param>
    /// <param name="cancellation">Cancelled, an unused attempt may stay until it expires.</param>
    public async Task<GoogleStep<GoogleStart>> StartAsync(
        string? tenantId, string? loginHint, string address, string correlationId,
        CancellationToken cancellation)
    {
        if (remotes.SignIn is not { } server)
            return new GoogleStep<GoogleStart>.Off();
        // Beginning costs a row; it is counted by itself, so that going to Google and back is one attempt.
        if (await TryAsync("google-begin", address, correlationId, cancellation) is { } until)
            return new GoogleStep<GoogleStart>.TooMany(until);
        var attempt = new GoogleSignInAttempt(
            Unguessable(), Unguessable(), Unguessable(), Unguessable(), tenantId,
            clock.GetUtcNow() + connections.AttemptLifetime);
        var challenge = Base64Url.EncodeToString(
            SHA256.HashData(Encoding.ASCII.GetBytes(attempt.CodeVerifier)));
        switch (await server.PageAsync(attempt.State, attempt.Nonce, challenge, loginHint, cancellation))
        {
            case SignInPage.At page:
                await accounts.BeginAsync(attempt, cancellation);
                return new GoogleStep<GoogleStart>.Done(
                    new GoogleStart(page.Address, attempt.AttemptKey, attempt.ExpiresAt));
            case SignInPage.Failed failed:
                return new GoogleStep<GoogleStart>.Unavailable(failed.Fault.RetryAfter);
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>Finishes; gives the id of who it is.</summary>
    /// <param name="state">As it came back.</param>
    /// <param name="code">As it came back.</param>
    /// <param name="attemptKey">Of the browser it came back in.</param>
    /// <param name="address">Where the request comes from.</param>
    /// <param name="correlationId">The request, for the journal.</param>
    /// <param name="cancellation">Cancelled, the attempt is used up: the person starts again.</param>
    public async Task<GoogleStep<string>> FinishAsync(
        string state, string code, string attemptKey, string address, string correlationId,
        CancellationToken cancellation)
    {
        if (remotes.SignIn is not { } server)
            return new GoogleStep<string>.Off();
        if (await TryAsync("address", address, correlationId, cancellation) is { } until)
            return new GoogleStep<string>.TooMany(until);
        if (await accounts.TakeAsync(state, attemptKey, cancellation) is not { } attempt)
        {
            await RefusedAsync(null, "attempt-over", address, correlationId, cancellation);
            return new GoogleStep<string>.NotUnderWay();
        }

        switch (await server.ExchangeCodeAsync(code, attempt.CodeVerifier, cancellation))
        {
            case TokenAnswer.Granted { IdToken: { } idToken }:
                return await IdentifyAsync(idToken, attempt, address, correlationId, cancellation);
            case TokenAnswer.Failed failed:
                return await AwayAsync(failed.Fault, address, correlationId, cancellation);
            case TokenAnswer.InvalidGrant:
                await RefusedAsync(null, "code-refused", address, correlationId, cancellation);
                return new GoogleStep<string>.Refused();
            default:
                await RefusedAsync(null, "no-id-token", address, correlationId, cancellation);
                return new GoogleStep<string>.Refused();
        }
    }

    private async Task<GoogleStep<string>> IdentifyAsync(
        string idToken, GoogleSignInReturn attempt, string address, string correlationId,
        CancellationToken cancellation)
    {
        switch (await _idTokens!.VerifyAsync(idToken, attempt.NonceHash, clock.GetUtcNow(), cancellation))
        {
            case IdTokenOutcome.NoKeys away:
                return await AwayAsync(away.Fault, address, correlationId, cancellation);
            case IdTokenOutcome.Refused refused:
                await RefusedAsync(
                    null, refused.Problem.Describe().Code, address, correlationId, cancellation);
                return new GoogleStep<string>.Refused();
            case IdTokenOutcome.Verified account:
                return await FindAsync(account, attempt.TenantId, address, correlationId, cancellation);
            default:
                throw new UnreachableException();
        }
    }

    private async Task<GoogleStep<string>> FindAsync(
        IdTokenOutcome.Verified account, string? tenantId, string address, string correlationId,
        CancellationToken cancellation)
    {
        switch (await accounts.FindAsync(
            remotes.SignIn!.Options.Issuer, account.Subject, account.Email, tenantId, correlationId,
            cancellation))
        {
            case GoogleHolder.Known known:
                return new GoogleStep<string>.Done(known.UserId);
            case GoogleHolder.Ambiguous:
                return new GoogleStep<string>.Ambiguous();
            case GoogleHolder.Nobody nobody:
                await RefusedAsync(
                    nobody.Holder, nobody.Holder is null ? "unknown" : "another-google-account", address,
                    correlationId, cancellation);
                return new GoogleStep<string>.Refused();
            default:
                throw new UnreachableException();
        }
    }

    private async Task<GoogleStep<string>> AwayAsync(
        ProviderFault fault, string address, string correlationId, CancellationToken cancellation)
    {
        await RefusedAsync(null, "google-away", address, correlationId, cancellation);
        return new GoogleStep<string>.Unavailable(fault.RetryAfter);
    }

    private async Task<DateTimeOffset?> TryAsync(
        string kind, string address, string correlationId, CancellationToken cancellation)
    {
        var until = await attempts.TryAsync([Passwords.ByAddress(address, live.Value, kind)], cancellation);
        if (until is not null)
            await RefusedAsync(null, "too-many", address, correlationId, cancellation);
        return until;
    }

    private Task RefusedAsync(
        PasswordHolder? holder, string reason, string address, string correlationId,
        CancellationToken cancellation) => attempts.RefusedAsync(
        holder, reason, Passwords.ByAddress(address, live.Value).Subject, correlationId, cancellation);

    private static string Unguessable() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
}
