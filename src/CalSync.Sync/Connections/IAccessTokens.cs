namespace CalSync.Sync.Connections;

/// <summary>Gives the tokens of one connection to whoever calls its provider.</summary>
public interface IAccessTokens
{
    /// <summary>The connection, whose breaker and quota the calls use.</summary>
    string ConnectionId { get; }

    /// <summary>A token that stays valid for at least <see cref="ConnectionOptions.ValidityMin"/>.</summary>
    /// <param name="cancellation">Stops the wait.</param>
    Task<TokenOutcome> GetAsync(CancellationToken cancellation);

    /// <summary>Another token, after the provider refused one with 401.</summary>
    /// <param name="rejected">The refused one.</param>
    /// <param name="cancellation">Stops the wait.</param>
    Task<TokenOutcome> ReplaceAsync(string rejected, CancellationToken cancellation);
}

/// <summary>The tokens of one connection, kept fresh by <see cref="ConnectionTokens"/>.</summary>
/// <param name="tokens">All connections.</param>
/// <param name="options">How long a token must stay valid.</param>
/// <param name="connectionId">This connection.</param>
public sealed class ConnectionAccess(
    ConnectionTokens tokens, ConnectionOptions options, string connectionId) : IAccessTokens
{
    /// <inheritdoc/>
    public string ConnectionId => connectionId;

    /// <inheritdoc/>
    public Task<TokenOutcome> GetAsync(CancellationToken cancellation) =>
        tokens.GetAsync(connectionId, options.ValidityMin, cancellation);

    /// <inheritdoc/>
    public Task<TokenOutcome> ReplaceAsync(string rejected, CancellationToken cancellation) =>
        tokens.ReplaceAsync(connectionId, rejected, cancellation);
}
