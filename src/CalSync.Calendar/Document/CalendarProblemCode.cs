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
}
