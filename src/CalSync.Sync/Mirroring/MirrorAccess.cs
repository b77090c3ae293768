using System.Diagnostics;
using CalSync.Sync.Connections;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Mirroring;

/// <summary>What a turn needs before it may call a provider: a token that lasts, and a claim that
/// holds.</summary>
/// <param name="store">Lengthens leases.</param>
/// <param name="tokens">The only door to a provider.</param>
/// <param name="options">The length of a lease.</param>
/// <param name="connection">The token validity to ask for.</param>
/// <param name="clock">Now.</param>
internal sealed class MirrorAccess(
    IMirrorStore store, ConnectionTokens tokens, MirrorOptions options, ConnectionOptions connection,
    TimeProvider clock)
{
    /// <summary>Gives the turn a token for all its calls; null when it has one.</summary>
    public async Task<TurnEnd?> OpenAsync(MirrorTurn turn, CancellationToken cancellation) =>
        Take(turn, await tokens.GetAsync(
            turn.Claim.ConnectionId, connection.ValidityMin, cancellation));

    /// <summary>Replaces a token that the provider refused, once a turn; null when there is a new
    /// one.</summary>
    /// <remarks>A refused credential used up no insert and no repair.</remarks>
    public async Task<TurnEnd?> ReplaceTokenAsync(
        MirrorTurn turn, ProviderFault fault, CancellationToken cancellation)
    {
        if (turn.TokenReplaced)
            return new TurnEnd.Retry(fault.Reason.ToString(), fault.Message);
        turn.TokenReplaced = true;
        turn.Stand = turn.Stand with
        {
            Inserts = Math.Max(0, turn.Stand.Inserts - 1),
            Patches = Math.Max(0, turn.Stand.Patches - 1),
        };
        return Take(turn, await tokens.ReplaceAsync(
            turn.Claim.ConnectionId, turn.Call.AccessToken, cancellation));
    }

    /// <summary>The grant lacks a permission: the owner must consent again.</summary>
    public async Task<TurnEnd> ParkWithoutScopeAsync(
        MirrorTurn turn, ProviderFault fault, CancellationToken cancellation)
    {
        await tokens.MarkScopeWithheldAsync(turn.Claim.ConnectionId, cancellation);
        return new TurnEnd.Park(MirrorReasons.NeedsConsent, fault.Message);
    }

    /// <summary>Lengthens the lease when less than half of it would be left after a wait.</summary>
    /// <returns>False when the claim was lost: the turn goes no further.</returns>
    public async Task<bool> HoldsAsync(MirrorTurn turn, TimeSpan wait, CancellationToken cancellation)
    {
        var after = clock.GetUtcNow() + wait;
        if (turn.LeaseUntil - after >= options.Lease / 2)
            return true;
        if (!await store.RenewAsync(turn.Claim, after + options.Lease, cancellation))
            return false;
        turn.LeaseUntil = after + options.Lease;
        return true;
    }

    private static TurnEnd? Take(MirrorTurn turn, TokenOutcome outcome)
    {
        switch (outcome)
        {
            case TokenOutcome.Fresh fresh:
                turn.Call = new ProviderCall(
                    turn.Claim.ConnectionId, fresh.AccessToken, Interactive: true, turn.Claim.CorrelationId,
                    turn.CallTimeout);
                return null;
            case TokenOutcome.NeedsConsent consent:
                return new TurnEnd.Park(MirrorReasons.NeedsConsent, consent.Reason.ToString());
            case TokenOutcome.TryLater later:
                return new TurnEnd.Retry(
                    MirrorReasons.TokenUnavailable, later.Reason.ToString(), At: later.At);
            default:
                throw new UnreachableException();
        }
    }
}
