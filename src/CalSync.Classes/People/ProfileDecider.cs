using System.Collections.Immutable;
using System.Diagnostics;
using CalSync.Calendar;

namespace CalSync.Classes.People;

/// <summary>What was decided about a change of a profile.</summary>
public abstract record ProfileDecision
{
    private ProfileDecision()
    {
    }

    /// <summary>It is to be stored; equal to the old one when nothing changes.</summary>
    /// <param name="Profile">The whole profile afterwards.</param>
    /// <param name="Warnings">What the person should look at once more.</param>
    public sealed record Accepted(Profile Profile, ImmutableArray<FieldWarning> Warnings) : ProfileDecision;

    /// <summary>Nothing is to be changed.</summary>
    /// <param name="Errors">Everything that is wrong, in the order of the members; 1 or more.</param>
    public sealed record Refused(ImmutableArray<FieldError> Errors) : ProfileDecision;
}

/// <summary>Decides about profiles: normalises generously, refuses precisely, all at once. Pure.</summary>
public sealed class ProfileDecider
{
    private const int NameLengthMax = 200;
    private readonly ProfileContext _context;
    private readonly string? _region;
    private readonly List<FieldError> _errors = [];
    private readonly List<FieldWarning> _warnings = [];

    private ProfileDecider(ProfileEdit edit, ProfileContext context)
    {
        _context = context;
        _region = edit.PhoneRegion is { IsGiven: true, Text: { } text } && !string.IsNullOrWhiteSpace(text)
            ? text.Trim()
            : LanguageRegion.Of(context.LanguageTag);
    }

    /// <summary>Decides.</summary>
    /// <param name="now">The profile as it is.</param>
    /// <param name="edit">What is wanted.</param>
    /// <param name="context">What else is known.</param>
    public static ProfileDecision Decide(Profile now, ProfileEdit edit, ProfileContext context)
    {
        var decider = new ProfileDecider(edit, context);
        var profile = decider.Apply(now, edit);
        return decider._errors.Count == 0
            ? new ProfileDecision.Accepted(profile, [.. decider._warnings])
            : new ProfileDecision.Refused([.. decider._errors]);
    }

    private Profile Apply(Profile now, ProfileEdit edit) => now with
    {
        Name = Line("name", edit.Name, now.Name) ?? Required("name", "Ana Lima", now.Name),
        TimeZone = Zone(edit.TimeZone, now.TimeZone),
        CalendarEmail = Email("calendarEmail", edit.CalendarEmail, now.CalendarEmail)
            ?? _context.AccountEmail,
        WorkEmail = Email("workEmail", edit.WorkEmail, now.WorkEmail),
        Phone = Phone("phone", edit.Phone, now.Phone),
        EmergencyContactName = Line(
            "emergencyContactName", edit.EmergencyContactName, now.EmergencyContactName),
        EmergencyContactEmail = Email(
            "emergencyContactEmail", edit.EmergencyContactEmail, now.EmergencyContactEmail),
        EmergencyContactPhone = Phone(
            "emergencyContactPhone", edit.EmergencyContactPhone, now.EmergencyContactPhone),
        DateOfBirth = edit.DateOfBirth.IsGiven
            ? IsBlank(edit.DateOfBirth) ? null : Date(edit.DateOfBirth.Text!, now.DateOfBirth)
            : now.DateOfBirth,
        Website = Web("website", WebPlace.Website, edit.Website, now.Website),
        LinkedIn = Web("linkedin", WebPlace.LinkedIn, edit.LinkedIn, now.LinkedIn),
        Twitter = Web("twitter", WebPlace.Twitter, edit.Twitter, now.Twitter),
        GitHub = Web("github", WebPlace.GitHub, edit.GitHub, now.GitHub),
    };

    private string? Line(string field, FieldEdit edit, string? now)
    {
        if (!edit.IsGiven)
            return now;
        if (IsBlank(edit))
            return null;
        var text = edit.Text!.Trim();
        if (text.Length > NameLengthMax)
            Add(field, "too_long", "A name has at most 200 characters.", "Ana Lima");
        else if (text.Any(char.IsControl))
            Add(field, "invalid_text", "A name has no control characters.", "Ana Lima");
        return text;
    }

    private string Required(string field, string example, string now)
    {
        Add(field, "required", $"The field {field} cannot be cleared.", example);
        return now;
    }

    private string Zone(FieldEdit edit, string now)
    {
        if (!edit.IsGiven)
            return now;
        if (IsBlank(edit))
            return Required("timeZone", "Europe/Lisbon", now);
        switch (CalendarZone.Resolve(edit.Text))
        {
            case ZoneResolution.Found found:
                return found.Zone.Id;
            case ZoneResolution.Unknown { Suggestions: [var nearest, ..] }:
                Add("timeZone", "invalid_time_zone", "This is no IANA time zone.", nearest);
                return now;
            default:
                Add("timeZone", "invalid_time_zone", "This is no IANA time zone.", "Europe/Lisbon");
                return now;
        }
    }

    private string? Email(string field, FieldEdit edit, string? now)
    {
        if (!edit.IsGiven)
            return now;
        if (IsBlank(edit))
            return null;
        var address = Take(field, EmailAddress.Read(edit.Text!)) ?? now;
        if (address is not null && EmailAddress.Suggest(address) is { } meant)
        {
            _warnings.Add(new FieldWarning(
                field, "probable_typo", $"Did you mean {meant}?", meant));
        }

        return address;
    }

    private PhoneNumber? Phone(string field, FieldEdit edit, PhoneNumber? now)
    {
        if (!edit.IsGiven)
            return now;
        return IsBlank(edit) ? null : Take(field, PhoneNumbers.Read(edit.Text!, _region)) ?? now;
    }

    private DateOnly? Date(string text, DateOnly? now)
    {
        var order = BirthDate.OrderOf(_context.LanguageTag);
        var reading = BirthDate.Read(text, order, _context.Strict, _context.Today);
        return Took("dateOfBirth", reading, out var date) ? date : now;
    }

    private string? Web(string field, WebPlace place, FieldEdit edit, string? now)
    {
        if (!edit.IsGiven)
            return now;
        return IsBlank(edit) ? null : Take(field, WebAddress.Read(place, edit.Text!)) ?? now;
    }

    private T? Take<T>(string field, FieldReading<T> reading)
        where T : class => Took(field, reading, out var value) ? value : null;

    private bool Took<T>(string field, FieldReading<T> reading, out T? value)
    {
        switch (reading)
        {
            case FieldReading<T>.Read read:
                _warnings.AddRange(read.Warnings.Select(warning => warning with { Field = field }));
                value = read.Value;
                return true;
            case FieldReading<T>.Refused refused:
                Add(field, refused.Code, refused.Message, refused.Example);
                value = default;
                return false;
            default:
                throw new UnreachableException($"Unknown reading {reading.GetType().Name}.");
        }
    }

    private void Add(string field, string code, string message, string example) =>
        _errors.Add(new FieldError(field, code, message, example));

    private static bool IsBlank(FieldEdit edit) => string.IsNullOrWhiteSpace(edit.Text);
}
