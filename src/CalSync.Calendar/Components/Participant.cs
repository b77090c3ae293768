using CalSync.Calendar.Document;
using CalSync.Calendar.Values;

namespace CalSync.Calendar.Components;

/// <summary>An ATTENDEE or ORGANIZER with its parameters. RFC 5545 sections 3.8.4.1 and 3.8.4.3.</summary>
/// <param name="Property">The property it reads.</param>
public readonly record struct Participant(CalendarProperty Property)
{
    /// <summary>Who.</summary>
    public PropertyReading<CalAddress> Address => Property.ReadAddress();

    /// <summary>CN, the name to show; null when absent. Section 3.2.2.</summary>
    public string? CommonName => Property.ParameterValue("CN"u8);

    /// <summary>PARTSTAT in upper case. Absent means NEEDS-ACTION. Section 3.2.12.</summary>
    public string ParticipationStatus => Keyword("PARTSTAT"u8, "NEEDS-ACTION");

    /// <summary>ROLE in upper case. Absent means REQ-PARTICIPANT. Section 3.2.16.</summary>
    public string Role => Keyword("ROLE"u8, "REQ-PARTICIPANT");

    /// <summary>CUTYPE in upper case. Absent means INDIVIDUAL. Section 3.2.3.</summary>
    public string UserType => Keyword("CUTYPE"u8, "INDIVIDUAL");

    /// <summary>RSVP: whether an answer is asked for. Absent means false. Section 3.2.17.</summary>
    public bool IsAnswerExpected => Keyword("RSVP"u8, "FALSE") == "TRUE";

    /// <summary>SENT-BY: who acts for them; null when absent. Section 3.2.18.</summary>
    public string? SentBy => Property.ParameterValue("SENT-BY"u8);

    private string Keyword(ReadOnlySpan<byte> name, string absent) =>
        Property.ParameterValue(name)?.ToUpperInvariant() ?? absent;
}
