using System.Collections.Immutable;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Connections;

/// <summary>A lease on a connection's refresh. Every change under it names its fence.</summary>
/// <param name="ConnectionId">The connection.</param>
/// <param name="Fence">Raised with every lease: a holder that lost it changes nothing.</param>
/// <param name="TokenVersion">The version the refresh was decided on.</param>
/// <param name="CorrelationId">For the journal.</param>
public sealed record RefreshLease(string ConnectionId, long Fence, long TokenVersion, string CorrelationId);

/// <summary>Keeps connections, their tokens sealed, their calendars and the authorizations under
/// way.</summary>
public interface IConnectionStore
{
    /// <summary>Reads the grant with its tokens opened; null when there is no such connection.</summary>
    Task<ConnectionGrant?> LoadAsync(string connectionId, CancellationToken cancellation);

    /// <summary>Takes the lease if the tokens are still those and nobody holds it.</summary>
    /// <returns>Null when somebody was first.</returns>
    Task<RefreshLease?> TryLeaseAsync(
        ConnectionGrant grant, string owner, DateTimeOffset now, DateTimeOffset until,
        CancellationToken cancellation);

    /// <summary>Stores renewed tokens and ends the lease. A null refresh token keeps the stored one
    /// (D-07).</summary>
    /// <returns>False when the lease was lost; nothing was changed then.</returns>
    Task<bool> SaveTokensAsync(
        RefreshLease lease, TokenAnswer.Granted tokens, DateTimeOffset now, CancellationToken cancellation);

    /// <summary>Notes a failed refresh, ends the lease, and says when to try next.</summary>
    /// <param name="lease">Under which it failed.</param>
    /// <param name="reason">Why.</param>
    /// <param name="nextAttemptAt">No refresh before this, UTC.</param>
    /// <param name="opens">Whether the connection's breaker is open until then.</param>
    /// <param name="now">UTC.</param>
    /// <param name="cancellation">Cancelled, nothing is changed.</param>
    /// <returns>False when the lease was lost.</returns>
    Task<bool> SaveFailureAsync(
        RefreshLease lease, string reason, DateTimeOffset nextAttemptAt, bool opens, DateTimeOffset now,
        CancellationToken cancellation);

    /// <summary>Notes a renewal that failed before it could take the lease, such as on a token that does not
    /// open.</summary>
    /// <returns>False when nothing is to be renewed: the owner must consent first, or ended the
    /// connection.</returns>
    Task<bool> SaveFaultAsync(
        string connectionId, string reason, DateTimeOffset nextAttemptAt, DateTimeOffset now,
        CancellationToken cancellation);

    /// <summary>
    /// Marks the connection as needing its owner, parks its mirrors and their operations, and tells the owner
    /// once.
    /// </summary>
    /// <param name="connectionId">The connection.</param>
    /// <param name="tokenVersion">The version found dead; another stored version changes nothing.</param>
    /// <param name="reason">Why.</param>
    /// <param name="now">UTC.</param>
    /// <param name="cancellation">Cancelled, nothing is changed.</param>
    /// <returns>False when the tokens had been replaced meanwhile.</returns>
    Task<bool> SaveConsentNeededAsync(
        string connectionId, long tokenVersion, ConsentReason reason, DateTimeOffset now,
        CancellationToken cancellation);

    /// <summary>Whether operations without a token fail the request (the <c>token-blocking</c>
    /// switch).</summary>
    Task<bool> BlocksAsync(DateTimeOffset now, CancellationToken cancellation);

    /// <summary>Remembers an authorization under way, its verifier sealed.</summary>
    Task BeginAsync(ConnectionAttempt attempt, DateTimeOffset now, CancellationToken cancellation);

    /// <summary>Takes an authorization out, once.</summary>
    /// <returns>Null when unknown, used, expired, or begun by another user than the one named.</returns>
    Task<ConnectionAttempt?> TakeAsync(
        string state, string? userId, DateTimeOffset now, CancellationToken cancellation);

    /// <summary>Stores a consented connection with its calendars and resumes what was parked.</summary>
    /// <returns>The connection's id, or null when it belongs to another account.</returns>
    Task<string?> SaveConnectionAsync(
        NewConnection connection, DateTimeOffset now, CancellationToken cancellation);

    /// <summary>Notes why reconnecting did not help a connection that needs its owner.</summary>
    /// <returns>False when it does not need its owner, or is not this user's; nothing was changed
    /// then.</returns>
    Task<bool> SaveReconnectFailedAsync(
        string connectionId, string userId, ConsentReason reason, DateTimeOffset now,
        CancellationToken cancellation);

    /// <summary>Stores an account with a password and its calendars; the pairs of a renewed one go
    /// on.</summary>
    /// <returns>The connection's id, or null when the one to renew belongs to another account.</returns>
    Task<string?> SaveAccountAsync(NewAccount account, DateTimeOffset now, CancellationToken cancellation);

    /// <summary>Reads an account with its password opened; null when there is no such one.</summary>
    Task<AccountSecret?> LoadAccountAsync(string connectionId, CancellationToken cancellation);

    /// <summary>Every calendar of every account, with what opens it.</summary>
    Task<ImmutableArray<CalendarPlace>> PlacesAsync(CancellationToken cancellation);

    /// <summary>One calendar by our id; null when there is none.</summary>
    Task<CalendarPlace?> PlaceAsync(string calendarId, CancellationToken cancellation);

    /// <summary>Forgets the tokens or the password, and parks the mirrors.</summary>
    /// <returns>False when there is no such connection of this user.</returns>
    Task<bool> DisconnectAsync(
        string connectionId, string userId, DateTimeOffset now, CancellationToken cancellation);

    /// <summary>
    /// Chooses the calendar that new events go to. Events already made stay where they are, except those held
    /// because their calendar was lost: they are made anew in the chosen one.
    /// </summary>
    Task<CalendarChoice> SelectCalendarAsync(
        string connectionId, string userId, string calendarId, DateTimeOffset now,
        CancellationToken cancellation);

    /// <summary>A user's connections, oldest first.</summary>
    Task<ImmutableArray<ConnectionListing>> ListAsync(string userId, CancellationToken cancellation);

    /// <summary>A connection's calendars, primary first.</summary>
    Task<ImmutableArray<CalendarListing>> CalendarsAsync(string connectionId, CancellationToken cancellation);

    /// <summary>Tokens to renew ahead of need, the next to end first.</summary>
    /// <param name="due">Which.</param>
    /// <param name="after">Only what comes after this one; null from the first.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="cancellation">Changes nothing.</param>
    Task<ImmutableArray<ExpiringToken>> ExpiringAsync(
        DueTokens due, ExpiringToken? after, int limit, CancellationToken cancellation);

    /// <summary>Tells each owner once whose grant itself ends before a time.</summary>
    Task TellEndingGrantsAsync(DateTimeOffset before, DateTimeOffset now, CancellationToken cancellation);

    /// <summary>How many tokens there are to renew ahead of need.</summary>
    Task<int> ExpiringCountAsync(DueTokens due, CancellationToken cancellation);
}

/// <summary>Which tokens are to be renewed ahead of need.</summary>
/// <param name="Providers">Of these providers.</param>
/// <param name="Before">That end before this, UTC.</param>
/// <param name="Now">UTC; what waits for a later attempt is left out, and so is what needs its owner.</param>
public sealed record DueTokens(
    IReadOnlyCollection<string> Providers, DateTimeOffset Before, DateTimeOffset Now);

/// <summary>An access token that ends soon.</summary>
public sealed record ExpiringToken
{
    /// <summary>Whose.</summary>
    public required string ConnectionId { get; init; }

    /// <summary>When, UTC.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
}

/// <summary>An OAuth authorization under way.</summary>
/// <param name="State">Unguessable and single use.</param>
/// <param name="TenantId">The user's tenant.</param>
/// <param name="UserId">Who began it; nobody else may finish it.</param>
/// <param name="Provider">At which provider.</param>
/// <param name="CodeVerifier">PKCE, RFC 7636; stored sealed.</param>
/// <param name="RedirectUri">Where the code goes.</param>
/// <param name="ReconnectId">The connection to renew; null for a new one.</param>
/// <param name="ExpiresAt">UTC.</param>
public sealed record ConnectionAttempt(
    string State, string TenantId, string UserId, string Provider, string CodeVerifier, string RedirectUri,
    string? ReconnectId, DateTimeOffset ExpiresAt)
{
    /// <inheritdoc/>
    public override string ToString() => $"ConnectionAttempt {{ UserId = {UserId}, Provider = {Provider} }}";
}

/// <summary>A consented account, ready to be stored.</summary>
/// <param name="TenantId">The user's tenant.</param>
/// <param name="UserId">The owner.</param>
/// <param name="Provider">The provider.</param>
/// <param name="Subject">The provider's stable account id.</param>
/// <param name="Email">The account's address.</param>
/// <param name="Tokens">The tokens.</param>
/// <param name="Calendars">Every calendar of the account.</param>
/// <param name="ReconnectId">The connection to renew; null for a new one.</param>
public sealed record NewConnection(
    string TenantId, string UserId, string Provider, string Subject, string Email, TokenAnswer.Granted Tokens,
    ImmutableArray<ProviderCalendar> Calendars, string? ReconnectId);

/// <summary>A connection as its owner sees it; no tokens.</summary>
public sealed record ConnectionListing
{
    /// <summary>Its id.</summary>
    public required string Id { get; init; }

    /// <summary>One of <see cref="ProviderNames"/>.</summary>
    public required string Provider { get; init; }

    /// <summary>The account's address.</summary>
    public required string AccountEmail { get; init; }

    /// <summary>The schema's word.</summary>
    public required string State { get; init; }

    /// <summary>Why it does not work; null when it does.</summary>
    public string? Reason { get; init; }

    /// <summary>End of the access token; UTC.</summary>
    public DateTimeOffset? AccessExpiresAt { get; init; }

    /// <summary>When the next attempt is due; UTC.</summary>
    public DateTimeOffset? NextAttemptAt { get; init; }

    /// <summary>When the grant itself ends, UTC; null when the provider named no end.</summary>
    public DateTimeOffset? GrantExpiresAt { get; init; }

    /// <summary>Until when somebody may be renewing the token; UTC.</summary>
    public DateTimeOffset? LeaseUntil { get; init; }

    /// <summary>Counted failures since the last success.</summary>
    public int ConsecutiveFailures { get; init; }

    /// <summary>Until when the breaker lets no call pass, UTC; null while it is closed.</summary>
    public DateTimeOffset? OpenUntil { get; init; }
}

/// <summary>A calendar of a connection.</summary>
public sealed record CalendarListing
{
    /// <summary>Our id.</summary>
    public required string Id { get; init; }

    /// <summary>The provider's id.</summary>
    public required string RemoteId { get; init; }

    /// <summary>Its name.</summary>
    public required string Summary { get; init; }

    /// <summary><c>PRIMARY</c> or <c>SECONDARY</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>IANA name.</summary>
    public required string TimeZone { get; init; }

    /// <summary><c>available</c>, <c>unwritable</c> or <c>gone</c>.</summary>
    public required string State { get; init; }

    /// <summary>Whether new events go here.</summary>
    public required bool Selected { get; init; }

    /// <summary>When its changes were last read without a fault, for its classes or for a pair, UTC; null
    /// when they never were.</summary>
    public DateTimeOffset? LastGoodReadAt { get; init; }
}

/// <summary>What choosing a calendar gave.</summary>
public enum CalendarChoice
{
    /// <summary>Chosen.</summary>
    Chosen = 1,

    /// <summary>No such calendar of this user's connection.</summary>
    Unknown = 2,

    /// <summary>It is gone or may not be written.</summary>
    NotWritable = 3,
}
