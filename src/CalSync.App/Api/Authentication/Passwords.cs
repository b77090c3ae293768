using System.Security.Cryptography;
using System.Text;
using CalSync.App.Configuration;
using CalSync.Classes;
using CalSync.Storage.Identity;
using CalSync.Sync;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace CalSync.App.Api.Authentication;

/// <summary>How a sign-in ended.</summary>
internal abstract record SignIn
{
    private SignIn()
    {
    }

    /// <summary>The person is who they say.</summary>
    public sealed record Proved(PasswordHolder Holder) : SignIn;

    /// <summary>Nobody has this address and password together; which of both is wrong is not told.</summary>
    public sealed record Refused : SignIn;

    /// <summary>The address and password belong to people of several organisations.</summary>
    public sealed record Ambiguous : SignIn;

    /// <summary>Too many attempts.</summary>
    /// <param name="Until">When the next one may be made, UTC.</param>
    public sealed record TooMany(DateTimeOffset Until) : SignIn;
}

/// <summary>Limits of guessing.</summary>
internal sealed record SignInOptions
{
    /// <summary>Attempts at one account from one address within the window. Default 5.</summary>
    [Limit("attempts", 1, 1_000)]
    public int PerPairMax { get; init; } = 5;

    /// <summary>Attempts from one address within the window. Default 50.</summary>
    [Limit("attempts", 1, 100_000)]
    public int PerAddressMax { get; init; } = 50;

    /// <summary>Attempts at one account within the window, from wherever. Default 100.</summary>
    [Limit("attempts", 1, 100_000)]
    public int PerAccountMax { get; init; } = 100;

    /// <summary>The window, from its first attempt. Default 15 min.</summary>
    [Limit("s", 1, 86_400)]
    public TimeSpan Window { get; init; } = TimeSpan.FromMinutes(15);
}

/// <summary>Checks and sets passwords. Thread-safe.</summary>
/// <remarks>
/// PBKDF2 with HMAC-SHA-512 and a salt of its own for each. An address nobody has costs the same time as a
/// wrong password, and gets the same answer. Attempts are counted in the database, so that all processes
/// count together and a restart forgives nothing.
/// </remarks>
internal sealed class Passwords(PasswordStore store, Live<SignInOptions> live) : IDisposable
{
    /// <summary>Shortest password.</summary>
    public const int LengthMin = 12;

    /// <summary>Longest password.</summary>
    public const int LengthMax = 256;

    private const int DistinctMin = 5;

    // OWASP's figure for PBKDF2-HMAC-SHA512.
    private const int IterationCount = 210_000;

    private readonly PasswordHasher<string> _hasher = new(Options.Create(
        new PasswordHasherOptions { IterationCount = IterationCount }));

    // A hash costs a processor a good part of a second's tenth: the other requests must go on.
    private readonly SemaphoreSlim _places = new(Math.Max(1, Environment.ProcessorCount / 2));
    private string? _nobody;

    /// <summary>Checks who somebody is.</summary>
    /// <param name="email">As typed.</param>
    /// <param name="password">As typed.</param>
    /// <param name="tenantId">Their organisation, when they are in several.</param>
    /// <param name="address">Where the request comes from.</param>
    /// <param name="correlationId">The request, for the journal.</param>
    /// <param name="cancellation">The attempt counts all the same.</param>
    public async Task<SignIn> CheckAsync(
        string email, string password, string? tenantId, string address, string correlationId,
        CancellationToken cancellation)
    {
        var name = email.Trim().ToLowerInvariant();
        var limits = Limits(name, address);
        if (await store.TryAsync(limits, cancellation) is { } until)
        {
            await store.RefusedAsync(null, "too-many", limits[0].Subject, correlationId, cancellation);
            return new SignIn.TooMany(until);
        }

        var holders = await store.FindAsync(name, tenantId, cancellation);
        var proved = new List<PasswordHolder>();
        foreach (var holder in holders)
        {
            if (await VerifyAsync(holder, password, cancellation))
                proved.Add(holder);
        }

        if (holders.All(holder => holder.Hash is null))
            await WasteAsync(password, cancellation);
        if (proved.Count == 0)
        {
            await store.RefusedAsync(
                holders.Count == 1 ? holders[0] : null, holders.Count == 0 ? "unknown" : "wrong-password",
                limits[0].Subject, correlationId, cancellation);
            return new SignIn.Refused();
        }

        await store.ForgetAsync([limits[0].Subject], cancellation);
        return proved.Count == 1 ? new SignIn.Proved(proved[0]) : new SignIn.Ambiguous();
    }

    /// <summary>The hash of a new password.</summary>
    public async Task<string> HashAsync(string password, CancellationToken cancellation) =>
        await InPlaceAsync(() => _hasher.HashPassword("", Form(password)), cancellation);

    /// <summary>What is wrong with a new password; null when it may be used.</summary>
    /// <param name="password">As typed.</param>
    /// <param name="email">The person's address: it is guessed first.</param>
    /// <param name="member">What the member is called.</param>
    public static FieldError? Problem(string? password, string email, string member)
    {
        var text = Form(password ?? "");
        var own = email.Split('@')[0];
        return text.Length < LengthMin ? Wrong("too_short", $"At least {LengthMin} characters.")
            : text.Length > LengthMax ? Wrong("too_long", $"At most {LengthMax} characters.")
            : text.Distinct().Count() < DistinctMin
                || (own.Length >= 4 && text.Contains(own, StringComparison.OrdinalIgnoreCase))
                ? Wrong("too_easy", "Neither a few characters repeated nor your own address.")
            : null;

        FieldError Wrong(string code, string message) =>
            new(member, code, message, "four words that do not belong together");
    }

    /// <inheritdoc/>
    public void Dispose() => _places.Dispose();

    // The same password, however the keyboard composes its letters (RFC 8265 section 4.2).
    private static string Form(string password) => password.Normalize(NormalizationForm.FormC);

    private AttemptLimit[] Limits(string name, string address)
    {
        var options = live.Value;
        return
        [
            new(Subject("pair", name, address), options.PerPairMax, options.Window),
            ByAddress(address, options),
            new(Subject("account", name, ""), options.PerAccountMax, options.Window),
        ];
    }

    /// <summary>Attempts from one address of the network, whichever way people sign in.</summary>
    /// <param name="address">Where the request comes from.</param>
    /// <param name="options">The limits in force.</param>
    /// <param name="kind">What is counted by itself.</param>
    public static AttemptLimit ByAddress(string address, SignInOptions options, string kind = "address") =>
        new(Subject(kind, "", address), options.PerAddressMax, options.Window);

    private static string Subject(string kind, string name, string address) => Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes($"{kind}\n{name}\n{address}")));

    private async Task<bool> VerifyAsync(
        PasswordHolder holder, string password, CancellationToken cancellation)
    {
        if (holder.Hash is not { } hash)
            return false;
        var result = await InPlaceAsync(
            () => _hasher.VerifyHashedPassword("", hash, Form(password)), cancellation);
        if (result == PasswordVerificationResult.SuccessRehashNeeded)
        {
            await store.RenewAsync(
                holder.UserId, hash, await HashAsync(password, cancellation), cancellation);
        }

        return result != PasswordVerificationResult.Failed;
    }

    private async Task WasteAsync(string password, CancellationToken cancellation)
    {
        _nobody ??= await HashAsync("nobody has this password", cancellation);
        await InPlaceAsync(() => _hasher.VerifyHashedPassword("", _nobody, Form(password)), cancellation);
    }

    private async Task<T> InPlaceAsync<T>(Func<T> work, CancellationToken cancellation)
    {
        await _places.WaitAsync(cancellation);
        try
        {
            return await Task.Run(work, cancellation);
        }
        finally
        {
            _places.Release();
        }
    }
}
