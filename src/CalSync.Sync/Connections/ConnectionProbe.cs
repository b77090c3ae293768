using System.Diagnostics;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Connections;

/// <summary>What asking a provider whether a connection works gave.</summary>
public abstract record ProbeOutcome
{
    private ProbeOutcome()
    {
    }

    /// <summary>The provider took the token and listed the account's calendars.</summary>
    /// <param name="TokenExpiresAt">UTC.</param>
    /// <param name="CalendarCount">How many the account has.</param>
    public sealed record Works(DateTimeOffset TokenExpiresAt, int CalendarCount) : ProbeOutcome;

    /// <summary>There is no token; nothing was sent to the calendar.</summary>
    /// <param name="Why">Never <see cref="TokenOutcome.Fresh"/>.</param>
    public sealed record NoToken(TokenOutcome Why) : ProbeOutcome;

    /// <summary>There is a token, and the provider did not do what was asked.</summary>
    public sealed record Refused(ProviderFault Fault) : ProbeOutcome;
}

/// <summary>Asks a provider whether a connection works: a token that lasts, and one small read with
/// it.</summary>
/// <param name="tokens">The only door to a provider.</param>
/// <param name="providers">Where to ask.</param>
/// <param name="options">How long the token must last.</param>
public sealed class ConnectionProbe(
    ConnectionTokens tokens, ProviderSet providers, ConnectionOptions options)
{
    /// <summary>Asks. A token that is refused is replaced once; a missing permission is noted.</summary>
    /// <param name="connectionId">The connection.</param>
    /// <param name="provider">Its provider, one with tokens that this process can reach.</param>
    /// <param name="correlationId">Recorded with the calls.</param>
    /// <param name="cancellation">Cancelled, a refresh under way goes on for others.</param>
    public async Task<ProbeOutcome> AskAsync(
        string connectionId, string provider, string correlationId, CancellationToken cancellation)
    {
        var outcome = await tokens.GetAsync(connectionId, options.ValidityMin, cancellation);
        for (var isFirst = true; ; isFirst = false)
        {
            if (outcome is not TokenOutcome.Fresh fresh)
                return new ProbeOutcome.NoToken(outcome);
            var call = new ProviderCall(connectionId, fresh.AccessToken, Interactive: true, correlationId);
            var found = await providers[provider].Calendar.ListCalendarsAsync(call, cancellation);
            switch (found)
            {
                case CalendarSearch.Complete complete:
                    return new ProbeOutcome.Works(fresh.ExpiresAt, complete.Calendars.Length);
                case CalendarSearch.Failed { Fault.Reason: ProviderReason.CredentialsRejected } when isFirst:
                    outcome = await tokens.ReplaceAsync(connectionId, fresh.AccessToken, cancellation);
                    break;
                case CalendarSearch.Failed failed:
                    if (failed.Fault.Reason == ProviderReason.InsufficientScope)
                        await tokens.MarkScopeWithheldAsync(connectionId, cancellation);
                    return new ProbeOutcome.Refused(failed.Fault);
                default:
                    throw new UnreachableException();
            }
        }
    }
}
