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

    /// <summary>A URI without its scheme. RFC 5545 section 3.3.13.</summary>
    UriWithoutScheme = 70,

    /// <summary>A line that does not end with CRLF. RFC 5545 section 3.1.</summary>
    LineEndNotCrLf = 80,

    /// <summary>A line of more than 75 octets. RFC 5545 section 3.1.</summary>
    LineTooLong = 81,

    /// <summary>A line without content. RFC 5545 section 3.1.</summary>
    BlankLine = 82,

    /// <summary>A mark before the first line. RFC 5545 section 3.1.4.</summary>
    ByteOrderMark = 83,

    /// <summary>A control character other than tab. RFC 5545 section 3.1.</summary>
    ControlCharacter = 84,

    /// <summary>Octets that are not UTF-8. RFC 5545 section 3.1.4.</summary>
    NotUtf8 = 85,

    /// <summary>A fold between the octets of one character. RFC 5545 section 3.1.</summary>
    FoldInsideCharacter = 86,

    /// <summary>A name with underscores or dots. RFC 5545 section 3.1.</summary>
    BadPropertyName = 87,

    /// <summary>A parameter without a proper name. RFC 5545 section 3.2.</summary>
    BadParameterName = 88,

    /// <summary>A quotation mark inside a parameter value. RFC 5545 section 3.2.</summary>
    BadParameterValue = 89,

    /// <summary>A parameter without equals sign. RFC 5545 section 3.2.</summary>
    ParameterWithoutValue = 90,

    /// <summary>A parameter that stands twice. RFC 5545 section 3.2.</summary>
    DuplicateParameter = 91,

    /// <summary>A bare comma or semicolon in a text. RFC 5545 section 3.3.11.</summary>
    UnescapedText = 92,

    /// <summary>A value that is none of those allowed. RFC 5545 section 3.8.</summary>
    ValueOutOfRange = 93,

    /// <summary>A property that must be there. RFC 5545 section 3.6.</summary>
    PropertyMissing = 110,

    /// <summary>A property that may be there once. RFC 5545 section 3.6.</summary>
    PropertyRepeated = 111,

    /// <summary>Two properties that exclude each other. RFC 5545 section 3.6.</summary>
    PropertiesExclude = 112,

    /// <summary>More than one RRULE. RFC 5545 section 3.8.5.3.</summary>
    SeveralRules = 113,

    /// <summary>A component in no calendar. RFC 5545 section 3.4.</summary>
    OutsideCalendar = 114,

    /// <summary>A component inside one that cannot hold it. RFC 5545 section 3.6.</summary>
    MisplacedComponent = 115,

    /// <summary>A VTIMEZONE that says nothing. RFC 5545 section 3.6.5.</summary>
    IncompleteTimeZone = 116,

    /// <summary>Times of different types that must agree. RFC 5545 section 3.8.2.</summary>
    TimeTypesDiffer = 117,

    /// <summary>An end before the start. RFC 5545 section 3.8.2.2.</summary>
    EndBeforeStart = 118,

    /// <summary>An end at the start. RFC 5545 section 3.8.2.2.</summary>
    EndAtStart = 119,

    /// <summary>A TZID that nothing explains: the time is not computed. RFC 5545 section 3.2.19.</summary>
    UnknownZone = 120,

    /// <summary>A component to expand that has no usable start. RFC 5545 section 3.8.2.4.</summary>
    MissingStart = 121,

    /// <summary>A time outside the years that are computed, 2 to 9998.</summary>
    YearOutOfRange = 122,

    /// <summary>UNTIL of another type than DTSTART asks for. RFC 5545 section 3.3.10.</summary>
    UntilTypeDiffers = 123,

    /// <summary>
    /// A DTSTART that its rule does not produce: it counts as the first instance. RFC 5545 section 3.8.5.3.
    /// </summary>
    StartOutsideRule = 124,

    /// <summary>A TZID without VTIMEZONE whose name is known. RFC 5545 section 3.2.19.</summary>
    TimeZoneMissing = 125,

    /// <summary>Two components with one identity. RFC 5545 section 3.8.4.7.</summary>
    DuplicateUid = 126,

    /// <summary>A property that METHOD asks for. RFC 5546 section 3.2.</summary>
    MethodNeedsProperty = 127,

    /// <summary>A property that METHOD does not allow. RFC 5546 section 3.2.</summary>
    MethodForbidsProperty = 128,
}
