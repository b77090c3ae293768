namespace CalSync.Calendar.Document;

/// <summary>What a content line is for the structure of a stream.</summary>
internal enum LineKind : byte
{
    /// <summary>A name, maybe parameters, a colon and a value.</summary>
    Property,

    /// <summary>BEGIN: opens a component.</summary>
    Begin,

    /// <summary>END: closes a component, or stands alone when nothing was open under its name.</summary>
    End,

    /// <summary>Nothing but blanks.</summary>
    Blank,

    /// <summary>No name or no colon.</summary>
    Malformed,

    /// <summary>Everything after the last line that is read, when a limit was reached.</summary>
    Unread,
}

/// <summary>What a reader of a line must take care of. None on most lines.</summary>
[Flags]
internal enum LineTraits : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The line has several physical lines. RFC 5545 section 3.1.</summary>
    Folded = 1,

    /// <summary>A UTF-8 byte order mark stands before the name.</summary>
    Marked = 2,

    /// <summary>A fold stands inside the name.</summary>
    FoldedName = 4,

    /// <summary>A quotation mark of the parameters is not closed.</summary>
    OpenQuote = 8,
}

/// <summary>One content line: where it begins, where its parts are. It ends where the next begins.</summary>
/// <param name="Start">Octets of the stream before the line.</param>
/// <param name="ValueStart">Octets of the stream before the value; 0 when the line has none.</param>
/// <param name="Number">The physical line it begins on, from 1.</param>
/// <param name="NameLength">Octets of the name as it stands there, folds included.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Traits">What to take care of.</param>
internal readonly record struct LineEntry(
    int Start, int ValueStart, int Number, ushort NameLength, LineKind Kind, LineTraits Traits);

/// <summary>One component over the list of lines. Descendants follow their ancestor in the list.</summary>
internal struct ComponentEntry
{
    /// <summary>Index of the BEGIN line.</summary>
    public int BeginLine { get; init; }

    /// <summary>Index of the component it stands in; -1 for none.</summary>
    public int Parent { get; init; }

    /// <summary>Index of the first line that is no longer part of it; its END line is part of it.</summary>
    public int EndLine { get; set; }

    /// <summary>Index of the first later component that does not stand in it.</summary>
    public int SubtreeEnd { get; set; }

    /// <summary>Whether its own END line closes it.</summary>
    public bool IsClosed { get; set; }
}
