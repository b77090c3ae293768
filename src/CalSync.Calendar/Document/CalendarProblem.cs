namespace CalSync.Calendar.Document;

/// <summary>Something in a calendar stream that is not as the standard asks, and where.</summary>
/// <param name="Code">Which rule, from the closed list.</param>
/// <param name="Severity">Whether the meaning is lost, doubtful or clear.</param>
/// <param name="Offset">Octets of the stream before the fault.</param>
/// <param name="Line">Physical line, from 1: what an editor shows.</param>
/// <param name="Column">Octet of that line, from 1.</param>
/// <param name="Section">The section that is not followed, for example "RFC 5545 3.3.5".</param>
/// <param name="Expected">What should stand there, for a person.</param>
public sealed record CalendarProblem(
    CalendarProblemCode Code,
    ProblemSeverity Severity,
    int Offset,
    int Line,
    int Column,
    string Section,
    string Expected)
{
    /// <summary>One line for a person: "12:7 Error BadDate: expected a date (RFC 5545 3.3.4)".</summary>
    public override string ToString() =>
        string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"{Line}:{Column} {Severity} {Code}: expected {Expected} ({Section})");
}

/// <summary>How much a problem harms. Numbers are sent: append only.</summary>
public enum ProblemSeverity
{
    /// <summary>The meaning is clear and was read; the form is not what the standard asks.</summary>
    Deviation = 0,

    /// <summary>The meaning was read, but programs may disagree about it.</summary>
    Warning = 1,

    /// <summary>The meaning is lost or contradicts itself. The text is kept.</summary>
    Error = 2,
}
