using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using CalSync.Calendar;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Mirroring;

/// <summary>One field that differs in meaning.</summary>
/// <param name="Field">The provider's name of the field, such as <c>start</c> or <c>attendees</c>.</param>
/// <param name="Expected">What we want; null for absent.</param>
/// <param name="Actual">What was read; null for absent.</param>
public sealed record FieldMismatch(string Field, string? Expected, string? Actual);

/// <summary>Compares an event with what we want it to say, by meaning and never as strings (R-FIX-1-B,
/// D-02).</summary>
/// <remarks>
/// Times are equal when the instants and the canonical zones are. Texts are equal when they read the same: a
/// provider may change line ends, trailing blanks, markup and entities. Guests are compared as a set without
/// letter case: guests somebody else added do not count, and neither do answers.
/// </remarks>
public static partial class EventComparison
{
    /// <summary>Lists what differs, in the provider's field order. Empty means verified.</summary>
    /// <param name="desired">What we want.</param>
    /// <param name="actual">What was read, not cancelled.</param>
    public static ImmutableArray<FieldMismatch> Mismatches(DesiredEvent desired, ProviderEvent actual)
    {
        var content = desired.Content;
        var found = ImmutableArray.CreateBuilder<FieldMismatch>();
        Text(found, "summary", content.Summary, actual.Summary);
        Text(found, "description", content.Description, actual.Description);
        Text(found, "location", content.Location, actual.Location);
        Time(found, "start", content.Start, actual.Start);
        Time(found, "end", content.End, actual.End);
        Guests(found, desired, actual);
        foreach (var (key, value) in content.Mark)
        {
            var shown = actual.Mark.GetValueOrDefault(key);
            if (!string.Equals(value, shown, StringComparison.Ordinal))
                found.Add(new FieldMismatch("extendedProperties.private." + key, value, shown));
        }

        // A pending conference is on its way; a failed one comes back with a write that asks again.
        var asked = content.ConferenceRequestId is not null;
        if (asked && actual.ConferenceLink is null && actual.ConferenceStatus != "pending")
            found.Add(new FieldMismatch("conferenceData", "requested", actual.ConferenceStatus));
        return found.ToImmutable();
    }

    /// <summary>Which fields a patch must send to end these mismatches.</summary>
    public static ImmutableHashSet<EventField> FieldsOf(IEnumerable<FieldMismatch> mismatches) =>
        mismatches.Select(mismatch => mismatch.Field switch
        {
            "summary" => EventField.Summary,
            "description" => EventField.Description,
            "location" => EventField.Location,
            "start" or "end" => EventField.Time,
            "attendees" => EventField.Attendees,
            "conferenceData" => EventField.Conference,
            _ => EventField.Mark,
        }).ToImmutableHashSet();

    /// <summary>Whether two texts read the same. Null and empty are one.</summary>
    public static bool SameText(string? left, string? right) =>
        string.Equals(left ?? "", right ?? "", StringComparison.Ordinal)
        || string.Equals(Readable(left), Readable(right), StringComparison.Ordinal);

    private static void Text(
        ImmutableArray<FieldMismatch>.Builder found, string field, string? expected, string? actual)
    {
        if (!SameText(expected, actual))
            found.Add(new FieldMismatch(field, expected, actual));
    }

    private static void Time(
        ImmutableArray<FieldMismatch>.Builder found, string field, ZonedTime expected, ZonedTime? actual)
    {
        if (actual is null || expected.Instant != actual.Instant || expected.Zone != actual.Zone)
            found.Add(new FieldMismatch(field, expected.ToString(), actual?.ToString()));
    }

    private static void Guests(
        ImmutableArray<FieldMismatch>.Builder found, DesiredEvent desired, ProviderEvent actual)
    {
        if (actual.AttendeesOmitted)
        {
            found.Add(new FieldMismatch("attendees", "the whole list", "a truncated list"));
            return;
        }

        var wanted = Addresses(desired.Content.Attendees);
        var shown = Addresses(actual.Attendees);
        var missing = wanted.Except(shown);
        var removable = Addresses([.. actual.Attendees.Where(guest => !guest.Organizer)]);
        var leftOver = removable.Intersect(desired.EverOurs.Select(Fold)).Except(wanted);
        if (missing.Count > 0 || leftOver.Count > 0)
        {
            var text = string.Create(CultureInfo.InvariantCulture, $"{shown.Count} shown");
            if (missing.Count > 0)
                text += "; missing " + string.Join(' ', missing);
            if (leftOver.Count > 0)
                text += "; not wanted " + string.Join(' ', leftOver);
            found.Add(new FieldMismatch("attendees", string.Join(' ', wanted), text));
        }
    }

    private static ImmutableSortedSet<string> Addresses(ImmutableArray<Attendee> guests) =>
        guests.Select(guest => Fold(guest.Email)).ToImmutableSortedSet(StringComparer.Ordinal);

    private static string Fold(string address) => address.ToLowerInvariant();

    /// <summary>The words a person sees: no markup, no entities, one blank between words, one line end
    /// between lines.</summary>
    private static string Readable(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return "";
        var lines = LineBreakTag().Replace(text.ReplaceLineEndings("\n"), "\n");
        var plain = WebUtility.HtmlDecode(FormatTag().Replace(lines, "")).Replace('\u00a0', ' ');
        var kept = plain.Split('\n').Select(line => Blanks().Replace(line, " ").Trim())
            .Where(line => line.Length > 0);
        return string.Join('\n', kept);
    }

    [GeneratedRegex(
        @"<\s*br\s*/?\s*>|<\s*/\s*(p|div|li)\s*>", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex LineBreakTag();

    [GeneratedRegex(
        @"<\s*/?\s*(html-blob|p|div|span|a|b|i|u|strong|em|ul|ol|li)(\s[^<>]*)?>",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex FormatTag();

    [GeneratedRegex(@"[ \t]+", RegexOptions.CultureInvariant)]
    private static partial Regex Blanks();
}
