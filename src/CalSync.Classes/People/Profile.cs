namespace CalSync.Classes.People;

/// <summary>What a person says of themselves. Every text is in its one stored form; null is unset.</summary>
public sealed record Profile
{
    /// <summary>1 to 200 characters, as people call them.</summary>
    public required string Name { get; init; }

    /// <summary>IANA name of the zone this person reads times in.</summary>
    public required string TimeZone { get; init; }

    /// <summary>Where invitations go, lower case.</summary>
    public required string CalendarEmail { get; init; }

    /// <summary>Address at work, lower case; nobody else in the tenant has it.</summary>
    public string? WorkEmail { get; init; }

    /// <summary>Telephone number.</summary>
    public PhoneNumber? Phone { get; init; }

    /// <summary>Whom to call when something happened.</summary>
    public string? EmergencyContactName { get; init; }

    /// <summary>Their address, lower case.</summary>
    public string? EmergencyContactEmail { get; init; }

    /// <summary>Their telephone number.</summary>
    public PhoneNumber? EmergencyContactPhone { get; init; }

    /// <summary>Day of birth.</summary>
    public DateOnly? DateOfBirth { get; init; }

    /// <summary>A page of their own; https.</summary>
    public string? Website { get; init; }

    /// <summary><c>https://www.linkedin.com/in/…</c>.</summary>
    public string? LinkedIn { get; init; }

    /// <summary><c>https://x.com/…</c>.</summary>
    public string? Twitter { get; init; }

    /// <summary><c>https://github.com/…</c>.</summary>
    public string? GitHub { get; init; }
}

/// <summary>One member of a change: left alone, cleared, or set.</summary>
/// <param name="IsGiven">False leaves the member as it is.</param>
/// <param name="Text">As typed; null or blank clears it.</param>
public readonly record struct FieldEdit(bool IsGiven, string? Text)
{
    /// <summary>Sets the member.</summary>
    public static FieldEdit To(string? text) => new(true, text);
}

/// <summary>What a person wants to be changed. Members that are not set stay.</summary>
public sealed record ProfileEdit
{
    /// <summary>Cannot be cleared.</summary>
    public FieldEdit Name { get; init; }

    /// <summary>Cannot be cleared.</summary>
    public FieldEdit TimeZone { get; init; }

    /// <summary>Cleared, it becomes the account's address.</summary>
    public FieldEdit CalendarEmail { get; init; }

    /// <summary>See <see cref="EmailAddress"/>.</summary>
    public FieldEdit WorkEmail { get; init; }

    /// <summary>See <see cref="PhoneNumbers"/>.</summary>
    public FieldEdit Phone { get; init; }

    /// <summary>Where numbers without country code are dialled; wins over the language. Not stored.</summary>
    public FieldEdit PhoneRegion { get; init; }

    /// <summary>1 to 200 characters.</summary>
    public FieldEdit EmergencyContactName { get; init; }

    /// <summary>See <see cref="EmailAddress"/>.</summary>
    public FieldEdit EmergencyContactEmail { get; init; }

    /// <summary>See <see cref="PhoneNumbers"/>.</summary>
    public FieldEdit EmergencyContactPhone { get; init; }

    /// <summary>See <see cref="BirthDate"/>.</summary>
    public FieldEdit DateOfBirth { get; init; }

    /// <summary>See <see cref="WebAddress"/>.</summary>
    public FieldEdit Website { get; init; }

    /// <summary>See <see cref="WebAddress"/>.</summary>
    public FieldEdit LinkedIn { get; init; }

    /// <summary>See <see cref="WebAddress"/>.</summary>
    public FieldEdit Twitter { get; init; }

    /// <summary>See <see cref="WebAddress"/>.</summary>
    public FieldEdit GitHub { get; init; }
}

/// <summary>What is known about a change besides the change.</summary>
/// <param name="AccountEmail">The account's address.</param>
/// <param name="LanguageTag">
/// Of whoever typed it, RFC 5646; null when unknown. Gives the order of dates and the region of numbers.
/// </param>
/// <param name="Strict">True refuses what can be read in two ways.</param>
/// <param name="Today">For dates of birth.</param>
public sealed record ProfileContext(string AccountEmail, string? LanguageTag, bool Strict, DateOnly Today);
