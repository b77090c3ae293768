namespace CalSync.Calendar.Document;

/// <summary>The rules a calendar stream can break. Numbers are sent: append only.</summary>
public enum CalendarProblemCode
{
    /// <summary>A limit was reached; the rest was kept and not looked at.</summary>
    LimitReached = 1,

    /// <summary>A line without a name or without a colon. RFC 5545 section 3.1.</summary>
    BadContentLine = 2,

    /// <summary>A component that nothing ends. RFC 5545 section 3.4.</summary>
    MissingEnd = 3,

    /// <summary>An END of something that was not begun. RFC 5545 section 3.4.</summary>
    EndWithoutBegin = 4,

    /// <summary>A property outside every component. RFC 5545 section 3.4.</summary>
    OutsideComponent = 5,

    /// <summary>The stream has no component at all. RFC 5545 section 3.4.</summary>
    NoComponent = 6,

    /// <summary>A quotation mark in the parameters that nothing closes. RFC 5545 section 3.2.</summary>
    OpenQuote = 7,

    /// <summary>A BEGIN or END with blanks or nothing for a name. RFC 5545 section 3.6.</summary>
    BadComponentName = 8,

    /// <summary>Not a DATE. RFC 5545 section 3.3.4.</summary>
    BadDate = 20,

    /// <summary>Not a DATE-TIME. RFC 5545 section 3.3.5.</summary>
    BadDateTime = 21,

    /// <summary>Not a TIME. RFC 5545 section 3.3.12.</summary>
    BadTime = 22,

    /// <summary>Not a DURATION. RFC 5545 section 3.3.6.</summary>
    BadDuration = 23,

    /// <summary>Not a PERIOD. RFC 5545 section 3.3.9.</summary>
    BadPeriod = 24,

    /// <summary>Not a RECUR. RFC 5545 section 3.3.10.</summary>
    BadRecur = 25,

    /// <summary>A rule of RFC 7529, whose instances are not guessed.</summary>
    UnsupportedRecur = 26,

    /// <summary>Not a UTC-OFFSET. RFC 5545 section 3.3.14.</summary>
    BadUtcOffset = 27,

    /// <summary>Not an INTEGER. RFC 5545 section 3.3.8.</summary>
    BadInteger = 28,

    /// <summary>Not a FLOAT. RFC 5545 section 3.3.7.</summary>
    BadFloat = 29,

    /// <summary>Not a BOOLEAN. RFC 5545 section 3.3.2.</summary>
    BadBoolean = 30,

    /// <summary>Not base64. RFC 5545 section 3.3.1.</summary>
    BadBinary = 31,

    /// <summary>Not a URI. RFC 5545 section 3.3.13.</summary>
    BadUri = 32,

    /// <summary>Not a CAL-ADDRESS. RFC 5545 section 3.3.3.</summary>
    BadCalAddress = 33,

    /// <summary>Not a place. RFC 5545 section 3.8.1.6.</summary>
    BadGeo = 34,

    /// <summary>Not a request status. RFC 5545 section 3.8.8.3.</summary>
    BadRequestStatus = 35,

    /// <summary>Not a moment or duration for an alarm. RFC 5545 section 3.8.6.3.</summary>
    BadTrigger = 36,

    /// <summary>Blanks before or after a value. RFC 5545 section 3.1.</summary>
    BlanksAroundValue = 60,

    /// <summary>A duration whose parts are out of the grammar, but clear. RFC 5545 section 3.3.6.</summary>
    LenientDuration = 61,

    /// <summary>A rule out of the grammar, but clear. RFC 5545 section 3.3.10.</summary>
    LenientRecur = 62,

    /// <summary>A UTC offset without its sign. RFC 5545 section 3.3.14.</summary>
    OffsetWithoutSign = 63,

    /// <summary>A time of day without seconds. RFC 5545 section 3.3.12.</summary>
    TimeWithoutSeconds = 64,

    /// <summary>A backslash before what needs none. RFC 5545 section 3.3.11.</summary>
    UnknownEscape = 65,

    /// <summary>A mail address without mailto. RFC 5545 section 3.3.3.</summary>
    AddressWithoutScheme = 66,

    /// <summary>
    /// A date where a date-time is the default, without VALUE=DATE. RFC 5545 section 3.3.4.
    /// </summary>
    DateWithoutValueParameter = 67,

    /// <summary>A value of another type than VALUE says. RFC 5545 section 3.2.20.</summary>
    ValueTypeMismatch = 68,

    /// <summary>TZID on a time in UTC. RFC 5545 section 3.2.19.</summary>
    TzidOnUtc = 69,

    /// <summary>A TZID that nothing explains: the time is not computed. RFC 5545 section 3.2.19.</summary>
    UnknownZone = 120,

    /// <summary>A component to expand that has no usable start. RFC 5545 section 3.8.2.4.</summary>
    MissingStart = 121,

    /// <summary>A time outside the years that are computed, 2 to 9998.</summary>
    YearOutOfRange = 122,
}
