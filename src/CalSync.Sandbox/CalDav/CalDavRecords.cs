namespace CalSync.Sandbox;

/// <summary>An account of the practice iCloud, with the calendars <c>home</c> and <c>work</c> and the task
/// list <c>tasks</c>.</summary>
/// <param name="Email">The Apple ID; also its calendar user address.</param>
/// <param name="Name">Shown as the principal's name.</param>
/// <param name="Password">The account's own password.</param>
/// <param name="AppPasswords">App-specific passwords to begin with.</param>
public sealed record CalDavUser(
    string Email, string Name, string Password, IReadOnlyList<string> AppPasswords);

/// <summary>A change made by a person at a device of their own, past the server's interface.</summary>
/// <param name="User">Whose calendar.</param>
/// <param name="CalendarId">The last segment of the calendar's address: <c>home</c>.</param>
/// <param name="Resource">The resource's name in it: <c>1A2B.ics</c>.</param>
/// <param name="Action">
/// <c>put</c> (stores <see cref="Content"/> as it is), <c>delete</c>, or <c>touch</c> (a new ETag for the
/// same content).
/// </param>
public sealed record CalDavHandEdit(string User, string CalendarId, string Resource, string Action)
{
    /// <summary>put: the iCalendar text, stored without any check.</summary>
    public string? Content { get; init; }
}

/// <summary>Everything the practice iCloud holds.</summary>
/// <param name="Calendars">Every calendar of every account, deleted ones included.</param>
public sealed record CalDavTruth(IReadOnlyList<CalDavTruthCalendar> Calendars);

/// <summary>One calendar as it really is.</summary>
/// <param name="User">The owner's Apple ID.</param>
/// <param name="Id">The last segment of its address.</param>
/// <param name="Href">Its path, with a slash at the end.</param>
/// <param name="Name">Its display name.</param>
/// <param name="Component">VEVENT or VTODO.</param>
/// <param name="ReadOnly">True when it is shared to be looked at only.</param>
/// <param name="Deleted">True when it was deleted; what it held is kept to look at.</param>
/// <param name="Resources">In the order of their latest change.</param>
public sealed record CalDavTruthCalendar(
    string User, string Id, string Href, string Name, string Component, bool ReadOnly, bool Deleted,
    IReadOnlyList<CalDavTruthResource> Resources);

/// <summary>One resource as it is really stored, delays of reading aside.</summary>
/// <param name="Name">The last segment of its address, decoded.</param>
/// <param name="Href">Its path, percent-encoded.</param>
/// <param name="Uid">UID of its components; empty when it has none.</param>
/// <param name="ETag">The strong form, quotation marks included.</param>
/// <param name="Content">The octets as UTF-8 text.</param>
public sealed record CalDavTruthResource(string Name, string Href, string Uid, string ETag, string Content);

internal sealed record NewCalDavCalendar(
    string User, string CalendarId, string Name, string Component = "VEVENT", bool ReadOnly = false);

internal sealed record CalDavCalendarRequest(string User, string CalendarId);

internal sealed record CalDavAccessRequest(string User, string CalendarId, bool ReadOnly);

internal sealed record CalDavTokensRequest(string? User, string? CalendarId);

internal sealed record AppPasswordRequest(string User, string Password);
