using System.Net.Http.Json;

namespace CalSync.Sandbox;

/// <summary>
/// Drives a running sandbox over HTTP: spoils calls, moves the clock, looks at the ground truth.
/// </summary>
/// <remarks>
/// Every method fails with <see cref="HttpRequestException"/> when the sandbox refuses (an unknown calendar,
/// say) or is not there. A cancelled call may have been carried out.
/// </remarks>
/// <param name="client">Its base address is the sandbox's; stays the caller's to dispose.</param>
public sealed class SandboxControl(HttpClient client)
{
    /// <summary>Adds a fault script behind those already there.</summary>
    /// <returns>The script with its id.</returns>
    public Task<FaultReport> AddFaultAsync(FaultScript script, CancellationToken cancellationToken) =>
        PostAsync<FaultReport>("faults", script, cancellationToken);

    /// <summary>The scripts in order, with how often each matched and fired.</summary>
    public Task<IReadOnlyList<FaultReport>> GetFaultsAsync(CancellationToken cancellationToken) =>
        GetAsync<IReadOnlyList<FaultReport>>("faults", cancellationToken);

    /// <summary>Heals everything: removes all fault scripts.</summary>
    public Task ClearFaultsAsync(CancellationToken cancellationToken) =>
        DeleteAsync("faults", cancellationToken);

    /// <summary>What time the sandbox thinks it is.</summary>
    public async Task<DateTimeOffset> GetTimeAsync(CancellationToken cancellationToken) =>
        (await GetAsync<SandboxTime>("clock", cancellationToken)).Now;

    /// <summary>
    /// Sets the sandbox's clock ahead; tokens expire and stale reads end by it, delays do not shorten.
    /// </summary>
    /// <returns>The new time.</returns>
    public async Task<DateTimeOffset> AdvanceClockAsync(TimeSpan by, CancellationToken cancellationToken) =>
        (await PostAsync<SandboxTime>("clock", new ClockRequest(by.TotalSeconds), cancellationToken)).Now;

    /// <summary>Every request received since the start or the last clearing, in order of arrival.</summary>
    public Task<IReadOnlyList<SandboxCall>> GetCallsAsync(CancellationToken cancellationToken) =>
        GetAsync<IReadOnlyList<SandboxCall>>("calls", cancellationToken);

    /// <summary>Empties the call log; numbers start again at 1.</summary>
    public Task ClearCallsAsync(CancellationToken cancellationToken) =>
        DeleteAsync("calls", cancellationToken);

    /// <summary>All calendars and events as really stored.</summary>
    /// <remarks>
    /// <c>calendarId</c>: Only this calendar; null for all.
    /// </remarks>
    public Task<SandboxTruth> GetTruthAsync(string? calendarId, CancellationToken cancellationToken) =>
        GetAsync<SandboxTruth>(
            "truth" + (calendarId is null ? "" : "?calendar=" + Uri.EscapeDataString(
                calendarId)), cancellationToken);

    /// <summary>The mails that would have been sent.</summary>
    /// <remarks>
    /// <c>includeKeptBack</c>: Also those sendUpdates kept back.
    /// </remarks>
    public Task<IReadOnlyList<SandboxMail>> GetMailsAsync(
        bool includeKeptBack, CancellationToken cancellationToken) =>
        GetAsync<IReadOnlyList<SandboxMail>>(
            "mails?all=" + (includeKeptBack ? "true" : "false"), cancellationToken);

    /// <summary>Empties the mail log.</summary>
    public Task ClearMailsAsync(CancellationToken cancellationToken) =>
        DeleteAsync("mails", cancellationToken);

    /// <summary>The request limits in force.</summary>
    public Task<SandboxQuota> GetQuotaAsync(CancellationToken cancellationToken) =>
        GetAsync<SandboxQuota>("quota", cancellationToken);

    /// <summary>Sets the request limits.</summary>
    public Task SetQuotaAsync(SandboxQuota quota, CancellationToken cancellationToken) =>
        PostAsync<SandboxQuota>("quota", quota, cancellationToken);

    /// <summary>The latency of every provider call.</summary>
    public async Task<TimeSpan> GetLatencyAsync(CancellationToken cancellationToken) =>
        TimeSpan.FromMilliseconds(
            (await GetAsync<SandboxLatency>("latency", cancellationToken)).Milliseconds);

    /// <summary>Sets the latency of every provider call, in whole milliseconds.</summary>
    public Task SetLatencyAsync(TimeSpan latency, CancellationToken cancellationToken) =>
        PostAsync<SandboxLatency>(
            "latency", new SandboxLatency((int)latency.TotalMilliseconds), cancellationToken);

    /// <summary>The lasting switches.</summary>
    public Task<SandboxSettings> GetSettingsAsync(CancellationToken cancellationToken) =>
        GetAsync<SandboxSettings>("settings", cancellationToken);

    /// <summary>Sets the lasting switches.</summary>
    public Task SetSettingsAsync(SandboxSettings settings, CancellationToken cancellationToken) =>
        PostAsync<SandboxSettings>("settings", settings, cancellationToken);

    /// <summary>Adds a secondary calendar to an account, as its owner would by hand.</summary>
    /// <returns>The provider's id of the calendar.</returns>
    public async Task<string> AddCalendarAsync(
        string user, string summary, string timeZone, CancellationToken cancellationToken) =>
        (await PostAsync<CalendarRequest>(
            "calendars", new NewCalendarRequest(user, summary, timeZone), cancellationToken)).CalendarId;

    /// <summary>Adds an account; one that is there already stays as it is.</summary>
    public Task AddUserAsync(SandboxUser user, CancellationToken cancellationToken) =>
        PostAsync<SandboxUser>("users", user, cancellationToken);

    /// <summary>The person takes every permission back: tokens of all kinds die.</summary>
    /// <returns>How many grants that ended.</returns>
    public async Task<int> RevokeAsync(string user, CancellationToken cancellationToken) =>
        (await PostAsync<CountAnswer>("revoke", new AccountRequest(user), cancellationToken)).Count;

    /// <summary>The account's access tokens expire now; refreshing still works.</summary>
    /// <returns>How many tokens that ended.</returns>
    public async Task<int> ExpireTokensAsync(string user, CancellationToken cancellationToken) =>
        (await PostAsync<CountAnswer>("expire-tokens", new AccountRequest(user), cancellationToken)).Count;

    /// <summary>Deletes a calendar for everyone, as its owner would by hand.</summary>
    public Task DeleteCalendarAsync(string calendarId, CancellationToken cancellationToken) =>
        SendAsync("delete-calendar", new CalendarRequest(calendarId), cancellationToken);

    /// <summary>Changes what an account may do on a calendar.</summary>
    /// <remarks>
    /// <c>role</c>: owner, writer, reader, freeBusyReader or none.
    /// </remarks>
    public Task SetAccessAsync(
        string calendarId, string user, string role, CancellationToken cancellationToken) =>
        SendAsync("set-access", new AccessRequest(calendarId, user, role), cancellationToken);

    /// <summary>Changes an event past the API, as a person would.</summary>
    public Task<HandEdited> EditEventAsync(HandEdit edit, CancellationToken cancellationToken) =>
        PostAsync<HandEdited>("edit-event", edit, cancellationToken);

    /// <summary>Lets existing sync tokens answer 410 fullSyncRequired.</summary>
    /// <remarks>
    /// <c>calendarId</c>: Event tokens of this calendar; null with a null user means every token there
    /// is.
    /// <c>user</c>: Calendar-list tokens of this account.
    /// </remarks>
    public Task InvalidateSyncTokensAsync(
        string? calendarId, string? user, CancellationToken cancellationToken) =>
        SendAsync("invalidate-sync-tokens", new InvalidateRequest(calendarId, user), cancellationToken);

    /// <summary>Back to the state at the start; only the clock goes on.</summary>
    public Task ResetAsync(CancellationToken cancellationToken) =>
        SendAsync("reset", null, cancellationToken);

    private async Task<T> GetAsync<T>(string path, CancellationToken cancellationToken) =>
        (await client.GetFromJsonAsync<T>("_sandbox/" + path, cancellationToken))!;

    private async Task<T> PostAsync<T>(string path, object body, CancellationToken cancellationToken)
    {
        using var response = await client.PostAsJsonAsync("_sandbox/" + path, body, cancellationToken);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<T>(cancellationToken))!;
    }

    private async Task SendAsync(string path, object? body, CancellationToken cancellationToken)
    {
        using var response = await client.PostAsJsonAsync("_sandbox/" + path, body, cancellationToken);
        response.EnsureSuccessStatusCode();
    }

    private async Task DeleteAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await client.DeleteAsync("_sandbox/" + path, cancellationToken);
        response.EnsureSuccessStatusCode();
    }
}
