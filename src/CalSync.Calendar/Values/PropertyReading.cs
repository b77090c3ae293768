using System.Diagnostics.CodeAnalysis;
using CalSync.Calendar.Document;

namespace CalSync.Calendar.Values;

/// <summary>What reading a property as a value gave.</summary>
public enum ReadingState
{
    /// <summary>There is no such property.</summary>
    Absent = 0,

    /// <summary>There is, and its value was read, maybe past a deviation.</summary>
    Read = 1,

    /// <summary>There is, and its value is not what it should be. The text is in the document.</summary>
    Malformed = 2,
}

/// <summary>A property's value, or why there is none.</summary>
/// <param name="State">Whether there is one.</param>
/// <param name="Value">The value when it was read; the default otherwise.</param>
/// <param name="Problem">The fault when it is malformed, or the deviation that was read past.</param>
public readonly record struct PropertyReading<T>(ReadingState State, T? Value, CalendarProblem? Problem)
{
    /// <summary>Whether a value was read.</summary>
    public bool TryGet([MaybeNullWhen(false)] out T value)
    {
        value = Value;
        return State == ReadingState.Read;
    }

    /// <summary>The value, or another when none was read.</summary>
    public T Or(T other) => State == ReadingState.Read ? Value! : other;
}
