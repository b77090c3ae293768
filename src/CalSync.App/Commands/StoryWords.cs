using System.Globalization;
using CalSync.Calendar.Comparison;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.History;
using CalSync.Sync.Pairs.Planning;

namespace CalSync.App.Commands;

/// <summary>What happened to events, in words of people who never read a standard.</summary>
internal static class StoryWords
{
    private const int ValueLengthMax = 100;

    /// <summary>A field of an event.</summary>
    public static string Field(CalendarChange change)
    {
        var name = change.Property is { } property
            ? Field(property) + (change.Member is { } member ? $" {member}" : "")
            : "the whole occurrence";
        return change.Component.RecurrenceId.Length > 0
            ? $"{name} of the occurrence of {change.Component.RecurrenceId}"
            : name;
    }

    /// <summary>A property of an event.</summary>
    public static string Field(string property) => property switch
    {
        "SUMMARY" => "title",
        "DTSTART" => "start",
        "DTEND" or "DURATION" => "end",
        "LOCATION" => "place",
        "DESCRIPTION" => "description",
        "RRULE" => "repetition",
        "EXDATE" => "left-out date",
        "RDATE" => "extra date",
        "ATTENDEE" => "guest",
        "ORGANIZER" => "organizer",
        "VALARM" => "reminder",
        "STATUS" => "status",
        "TRANSP" => "free or busy",
        "CLASS" => "who may see it",
        "URL" => "link",
        "CATEGORIES" => "category",
        "COLOR" => "colour",
        _ => property,
    };

    /// <summary>Something that happened on one side, in a few words.</summary>
    public static string Short(SideChange change, string made) => change.Kind switch
    {
        StepKind.Create => $"{made} on the {change.Side.Word()}",
        StepKind.Update => $"{Fields(change)} changed on the {change.Side.Word()}",
        StepKind.Delete => $"deleted on the {change.Side.Word()}",
    };

    /// <summary>The fields that changed.</summary>
    public static string Fields(SideChange change) =>
        string.Join(", ", InOrder(change).Select(Field).Distinct(StringComparer.Ordinal));

    /// <summary>Before and after of each field that changed.</summary>
    public static IEnumerable<string> Lines(SideChange change) => InOrder(change).Select(each =>
        $"{Field(each)}: {Value(each.Before)} -> {Value(each.After)}");

    // An event is said to begin before it is said to end.
    private static IEnumerable<CalendarChange> InOrder(SideChange change) =>
        change.Changes.OrderBy(each => each.Property == "DTEND");

    /// <summary>Which rule decided, as a sentence.</summary>
    public static string Decided(SyncRule rule) => rule switch
    {
        SyncRule.Equal => "both sides agree, nothing is to be done",
        SyncRule.CopiedNew => "it was new on one side, so it is copied to the other",
        SyncRule.LinkedByUid =>
            "both sides had it already, under one UID: they are linked, nothing is copied",
        SyncRule.LinkedByContent =>
            "both sides had one event with this start and title: they are linked, nothing is copied",
        SyncRule.Edited => "one side was edited, so the other one follows",
        SyncRule.MergedEdits => "both sides were edited, in different fields: both edits stay",
        SyncRule.SameEdit => "both sides were edited in the same way",
        SyncRule.HigherSequence =>
            "both sides edited one field: the one whose program counted more revisions wins",
        SyncRule.LaterModified => "both sides edited one field: the later edit wins",
        SyncRule.LeftByDefault =>
            "both sides edited one field and nothing says which was later: the left wins",
        SyncRule.Chosen => "both sides edited one field: the pair's policy, or a person, named the winner",
        SyncRule.Deleted =>
            "one side deleted it and nobody had edited the other, so it is deleted there too",
        SyncRule.DeletedOnBoth => "both sides deleted it",
        SyncRule.EditBeatsDelete => "one side deleted it and the other edited it: the edit stays",
        SyncRule.Restored => "somebody asked for what was there at an earlier time",
        SyncRule.Undone => "somebody asked to take back what a run had written",
        SyncRule.PutBack =>
            "somebody wrote words on the side that shows only busy: they are put back, not carried over",
    };

    /// <summary>How an event stands.</summary>
    public static string Stands(MappingStatus status) => status switch
    {
        MappingStatus.Active => "It is on both sides.",
        MappingStatus.Deleted => "It was deleted on both sides.",
        MappingStatus.Orphaned => "It is on one side only, because it was taken back on the other.",
    };

    /// <summary>A moment, with what tells two runs apart.</summary>
    public static string At(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>A value on one line.</summary>
    public static string Value(string? text)
    {
        if (text is null)
            return "nothing";
        var line = text.ReplaceLineEndings(" ");
        return line.Length <= ValueLengthMax ? line : line[..(ValueLengthMax - 1)] + "…";
    }
}
