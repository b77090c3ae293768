using System.Globalization;
using CalSync.Classes.People;

namespace CalSync.Storage.Identity;

/// <summary>A user and their profile in one row.</summary>
internal sealed record ProfileRow
{
    /// <summary>Takes <c>@userId</c> and <c>@tenantId</c>.</summary>
    public const string Select =
        """
        SELECT u.id, u.email, u.name, u.time_zone, u.calendar_email, u.calendar_email_verified_at, u.version,
            p.work_email, p.phone, p.phone_original, p.phone_region, p.emergency_contact_name,
            p.emergency_contact_email, p.emergency_contact_phone, p.emergency_contact_phone_original,
            p.emergency_contact_phone_region, p.date_of_birth, p.website, p.linkedin, p.twitter, p.github
        FROM users u LEFT JOIN profiles p ON p.user_id = u.id
        WHERE u.id = @userId AND u.tenant_id = @tenantId
        """;

    public string Id { get; init; } = "";

    public string Email { get; init; } = "";

    public string Name { get; init; } = "";

    public string TimeZone { get; init; } = "";

    public string CalendarEmail { get; init; } = "";

    public DateTimeOffset? CalendarEmailVerifiedAt { get; init; }

    public long Version { get; init; }

    public string? WorkEmail { get; init; }

    public string? Phone { get; init; }

    public string? PhoneOriginal { get; init; }

    public string? PhoneRegion { get; init; }

    public string? EmergencyContactName { get; init; }

    public string? EmergencyContactEmail { get; init; }

    public string? EmergencyContactPhone { get; init; }

    public string? EmergencyContactPhoneOriginal { get; init; }

    public string? EmergencyContactPhoneRegion { get; init; }

    public string? DateOfBirth { get; init; }

    public string? Website { get; init; }

    public string? LinkedIn { get; init; }

    public string? Twitter { get; init; }

    public string? GitHub { get; init; }

    public StoredProfile ToProfile() => new(
        Id, Email, CalendarEmail == Email || CalendarEmailVerifiedAt is not null, Version,
        new Profile
        {
            Name = Name,
            TimeZone = TimeZone,
            CalendarEmail = CalendarEmail,
            WorkEmail = WorkEmail,
            Phone = Number(Phone, PhoneOriginal, PhoneRegion),
            EmergencyContactName = EmergencyContactName,
            EmergencyContactEmail = EmergencyContactEmail,
            EmergencyContactPhone = Number(
                EmergencyContactPhone, EmergencyContactPhoneOriginal, EmergencyContactPhoneRegion),
            DateOfBirth = DateOfBirth is null
                ? null
                : DateOnly.ParseExact(DateOfBirth, "yyyy-MM-dd", CultureInfo.InvariantCulture),
            Website = Website,
            LinkedIn = LinkedIn,
            Twitter = Twitter,
            GitHub = GitHub,
        });

    private static PhoneNumber? Number(string? number, string? original, string? region) =>
        number is null ? null : new PhoneNumber(number, original ?? number, region);
}
