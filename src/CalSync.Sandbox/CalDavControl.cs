using System.Net.Http.Json;

namespace CalSync.Sandbox;

/// <summary>
/// Drives the practice iCloud of a running sandbox; faults, clock, calls, mails and reset are
/// <see cref="SandboxControl"/>'s.
/// </summary>
/// <remarks>
/// Every method fails with <see cref="HttpRequestException"/> when the sandbox refuses (an unknown calendar,
/// say) or is not there. A cancelled call may have been carried out.
/// </remarks>
/// <param name="client">
/// Its base address is the sandbox's, not that of CalDAV; stays the caller's to dispose.
/// </param>
public sealed class CalDavControl(HttpClient client)
{
    /// <summary>The habits in force.</summary>
    public async Task<CalDavQuirks> GetQuirksAsync(CancellationToken cancellationToken) =>
        (await client.GetFromJsonAsync<CalDavQuirks>(Path("quirks"), cancellationToken))!;

    /// <summary>Sets all habits at once; <c>CalDavQuirks.ICloud with { ... }</c> changes one.</summary>
    public Task SetQuirksAsync(CalDavQuirks quirks, CancellationToken cancellationToken) =>
        PostAsync("quirks", quirks, cancellationToken);

    /// <summary>Everything as really stored.</summary>
    public async Task<CalDavTruth> GetTruthAsync(CancellationToken cancellationToken) =>
        (await client.GetFromJsonAsync<CalDavTruth>(Path("truth"), cancellationToken))!;

    /// <summary>Adds an account; one that is there already stays as it is.</summary>
    public Task AddUserAsync(CalDavUser user, CancellationToken cancellationToken) =>
        PostAsync("users", user, cancellationToken);

    /// <summary>The person makes another app-specific password.</summary>
    public Task AddAppPasswordAsync(string user, string password, CancellationToken cancellationToken) =>
        PostAsync("app-passwords", new AppPasswordRequest(user, password), cancellationToken);

    /// <summary>The person takes all app-specific passwords back, as a changed password does.</summary>
    public Task RevokeAsync(string user, CancellationToken cancellationToken) =>
        PostAsync("revoke", new AccountRequest(user), cancellationToken);

    /// <summary>Adds a calendar by hand.</summary>
    /// <param name="user">Whose.</param>
    /// <param name="calendarId">The last segment of its address.</param>
    /// <param name="name">Its display name.</param>
    /// <param name="readOnly">True for a calendar somebody shares to be looked at.</param>
    /// <param name="cancellationToken">A cancelled call may have been carried out.</param>
    public Task AddCalendarAsync(
        string user, string calendarId, string name, bool readOnly, CancellationToken cancellationToken) =>
        PostAsync(
            "calendars", new NewCalDavCalendar(user, calendarId, name, ReadOnly: readOnly),
            cancellationToken);

    /// <summary>Deletes a calendar by hand.</summary>
    public Task DeleteCalendarAsync(string user, string calendarId, CancellationToken cancellationToken) =>
        PostAsync("delete-calendar", new CalDavCalendarRequest(user, calendarId), cancellationToken);

    /// <summary>Makes a calendar one that may only be read, or one that may be written again.</summary>
    public Task SetReadOnlyAsync(
        string user, string calendarId, bool readOnly, CancellationToken cancellationToken) =>
        PostAsync("access", new CalDavAccessRequest(user, calendarId, readOnly), cancellationToken);

    /// <summary>Lets existing sync tokens be dead.</summary>
    /// <param name="user">Only this account's; null means everybody's.</param>
    /// <param name="calendarId">Only this calendar's; null means any.</param>
    /// <param name="cancellationToken">A cancelled call may have been carried out.</param>
    public Task InvalidateSyncTokensAsync(
        string? user, string? calendarId, CancellationToken cancellationToken) =>
        PostAsync("invalidate-sync-tokens", new CalDavTokensRequest(user, calendarId), cancellationToken);

    /// <summary>A person changes something at a device of their own.</summary>
    /// <returns>The resource as stored; for a deletion as it was.</returns>
    public async Task<CalDavTruthResource> EditAsync(
        CalDavHandEdit edit, CancellationToken cancellationToken)
    {
        using var response = await client.PostAsJsonAsync(Path("edit"), edit, cancellationToken);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<CalDavTruthResource>(cancellationToken))!;
    }

    private static string Path(string name) => "_sandbox/caldav/" + name;

    private async Task PostAsync(string path, object body, CancellationToken cancellationToken)
    {
        using var response = await client.PostAsJsonAsync(Path(path), body, cancellationToken);
        response.EnsureSuccessStatusCode();
    }
}
