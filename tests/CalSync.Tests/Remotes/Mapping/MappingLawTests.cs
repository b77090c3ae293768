using System.Text;
using System.Text.Json.Nodes;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Calendar.Tests;
using CalSync.Remotes.Google.Mapping;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CalSync.Tests.Remotes.Mapping;

/// <summary>
/// Goal: there and back gives the same, or what was announced; nothing anybody wrote makes it throw. By
/// random events (a failure prints the seed) and by the collections.
/// </summary>
public sealed class MappingLawTests
{
    private static readonly Config Config = FsCheck.Config.QuickThrowOnFailure.WithMaxTest(500);

    /// <summary>What Google can hold comes back whole, and saying it again changes nothing.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-5-B")]
    [Trait("Requirement", "R-SYNC-6-C")]
    public void WhatGoogleCanHold_ComesBackWhole() => ForAll(random =>
    {
        var content = new RandomEvent(random).Document();
        var draft = GoogleSamples.Draft(content);
        Assert.Empty(draft.Losses(content));
        var back = draft.Read().Content!;
        Assert.Empty(CalendarDiff.Compare(content, back, GoogleSamples.Noise));
        var again = GoogleSamples.Draft(back);
        Assert.Empty(again.Master!.PatchOf(draft.Master));
        Assert.Equal(draft.ToImport().ToJsonString(), again.ToImport().ToJsonString());
        Assert.Equal(draft.Instances.Keys, again.Instances.Keys);
        foreach (var (key, instance) in draft.Instances)
            Assert.Empty(again.Instances[key].PatchOf(instance));
        Assert.Equal(back.ToString(), again.Read().Content!.ToString());
    });

    /// <summary>What Google cannot hold is announced, and only that.</summary>
    [Fact]
    public void WhatGoogleCannotHold_IsAnnouncedAndOnlyThat() => ForAll(random =>
    {
        string[] lossy =
        [
            "CATEGORIES:Yoga", "STATUS:CONFIRMED", "GEO:1;2", "PRIORITY:1", "X-OTHER:1", "CONTACT:Me",
            "ATTACH:https://x.test/1", "RELATED-TO:other", "COMMENT:c", "RESOURCES:Mat",
        ];
        var line = lossy[random.Next(lossy.Length)];
        var whole = new RandomEvent(random).Document();
        var master = whole.AllComponents.First(each => each.Is("VEVENT"u8));
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        if (master.PropertiesNamed(line[..colon]).Any())
            return;
        var content = whole.Edit().Add(master, new PropertyContent(line[..colon], line[(colon + 1)..]))
            .Apply();
        Assert.Equal(
            [line[..colon]],
            GoogleSamples.Draft(content).Losses(content).Select(loss => loss.What).Distinct());
    });

    /// <summary>Every payload anybody recorded is read or is a problem with its place.</summary>
    [Fact]
    public void EveryPayload_IsReadOrIsAProblem()
    {
        var (read, problems) = (0, 0);
        foreach (var (name, json) in GoogleCorpus.Objects())
        {
            foreach (var variant in Variants(json))
            {
                if (GoogleEventOf(variant) is not { } found)
                    continue;
                var series = found.MasterId is null
                    ? GoogleSeries.Of(found, [])
                    : GoogleSeries.Of(null, [found]);
                var reading = SeriesReading.Read(series, GoogleSamples.Berlin);
                Assert.True(reading.Content is null != reading.Problem is null, name);
                if (reading.Content is not null)
                    read++;
                else
                    problems++;
            }
        }

        Assert.InRange(read, 40, int.MaxValue);
        Assert.InRange(problems, 10, int.MaxValue);
    }

    /// <summary>JSON to iCalendar to JSON changes no field.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-6-C")]
    public void EveryEventRead_SaidAgain_ChangesNothing()
    {
        var checkedCount = 0;
        foreach (var (name, json) in GoogleCorpus.Events())
        {
            var whole = WithUid(json);
            if (GoogleEventOf(whole) is not { IsCancelled: false, MasterId: null } found)
                continue;
            var series = GoogleSeries.Of(found, []);
            if (SeriesReading.Read(series, GoogleSamples.Berlin).Content is not { } content)
                continue;

            var uid = whole["iCalUID"]!.GetValue<string>();
            var (draft, problem) = DraftWriting.Write(uid, content, GoogleSamples.Berlin);
            Assert.True(draft is not null, $"{name}: {problem}");
            AssertSame(name, whole, draft.ToImport());
            string[] known = ["ATTACH", "CLASS", "X-GOOGLE-CONFERENCE", "ORGANIZER", "VALARM"];
            Assert.DoesNotContain(draft.Losses(content), loss => !known.Contains(loss.What));
            checkedCount++;
        }

        Assert.InRange(checkedCount, 40, int.MaxValue);
    }

    /// <summary>Every calendar anybody wrote is a draft that says what it loses, or is refused.</summary>
    [Fact]
    public void EveryCalendar_IsADraftOrIsRefused()
    {
        var drafts = 0;
        foreach (var file in Corpus.Files)
        {
            foreach (var (uid, content) in CorpusResources.Of(file))
            {
                var (draft, problem) = DraftWriting.Write(uid, content, GoogleSamples.Berlin);
                Assert.True(draft is null != problem is null, file.Name);
                if (draft is null)
                    continue;
                var lost = draft.Losses(content);
                if (draft.Read() is { Content: { } back })
                {
                    Assert.Empty(GoogleSamples.Unannounced(content, back, lost));
                    var again = DraftWriting.Write(uid, back, GoogleSamples.Berlin).Draft;
                    Assert.True(again is not null, file.Name);
                    Assert.Equal(back.ToString(), again.Read().Content?.ToString());
                }

                drafts++;
            }
        }

        Assert.InRange(drafts, 20, int.MaxValue);
    }

    /// <summary>The event, with a UID, and with one field broken after the other.</summary>
    private static IEnumerable<JsonObject> Variants(JsonObject json)
    {
        yield return json;
        yield return WithUid(json);
        foreach (var name in json.Select(pair => pair.Key).ToList())
        {
            foreach (var junk in (JsonNode?[])[null, 7, "junk", true, new JsonArray(1), new JsonObject()])
            {
                var broken = WithUid(json);
                broken[name] = junk?.DeepClone();
                yield return broken;
            }
        }
    }

    private static JsonObject WithUid(JsonObject json)
    {
        var copy = json.DeepClone().AsObject();
        copy["iCalUID"] ??= $"{copy["id"]}@google.com";
        return copy;
    }

    private static GoogleEvent? GoogleEventOf(JsonObject json) => GoogleSamples.Event(json);

    private static void AssertSame(string name, JsonObject was, JsonObject now)
    {
        foreach (var field in (string[])["summary", "description", "location", "colorId", "iCalUID"])
            Assert.True(Text(was[field]) == Text(now[field]), $"{name}: {field} is {now[field]}");
        Assert.Equal(Text(was["status"]) ?? "confirmed", Text(now["status"]));
        Assert.Equal(Text(was["transparency"]) == "transparent", now.ContainsKey("transparency"));
        Assert.Equal(Moment(was, "start"), Moment(now, "start"));
        Assert.Equal(Moment(was, "end"), Moment(now, "end"));
        Assert.Equal(Rules(was), Rules(now));
        Assert.Equal(
            (was["attendees"] as JsonArray ?? []).Count, (now["attendees"] as JsonArray ?? []).Count);
        if (was["reminders"] is { } reminders)
            Assert.Equal(Text(reminders["useDefault"]), Text(now["reminders"]!["useDefault"]));
    }

    private static int Rules(JsonObject json) => (json["recurrence"] as JsonArray ?? [])
        .Count(line => line!.ToString().StartsWith("RRULE", StringComparison.Ordinal));

    private static string? Text(JsonNode? node) =>
        node?.ToString().ReplaceLineEndings("\n") is { Length: > 0 } text ? text : null;

    /// <summary>Instant and zone.</summary>
    private static string? Moment(JsonObject json, string field) =>
        GoogleTime.Read(Fields(json), field, GoogleSamples.Berlin)?.ToCalendar(isSeries: true).ToString();

    private static CalSync.Remotes.Google.Fields Fields(JsonObject json) =>
        new(GoogleSamples.Event(new JsonObject
        {
            ["id"] = "x",
            ["start"] = json["start"]!.DeepClone(),
            ["end"] = json["end"]!.DeepClone(),
        }).Json);

    private static void ForAll(Action<Random> law) => Check.One(
        Config,
        Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed => law(new Random(seed))));
}

/// <summary>One random resource that Google can hold whole.</summary>
internal sealed class RandomEvent(Random random)
{
    private static readonly string[] Words =
        ["Yoga", "Grüße", "日本語", "a\\, b\\; c", "line\\nbreak", "50 % \\\\", "<no tag", "\U0001F469"];

    private static readonly string[] Zones = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"];

    private readonly StringBuilder _text = new();
    private readonly bool _hasGuests = random.Next(3) == 0;

    public CalendarDocument Document()
    {
        var isDay = random.Next(4) == 0;
        var zone = Zones[random.Next(Zones.Length)];
        var start = new DateTime(2026, 1 + random.Next(12), 1 + random.Next(28), 4 + random.Next(16), 0, 0);
        var recurs = random.Next(2) == 0;
        var length = 1 + random.Next(5);
        Begin();
        Line($"DTSTART{Time(start, isDay, zone)}");
        if (isDay || random.Next(4) > 0)
            Line($"DTEND{Time(isDay ? start.AddDays(length) : start.AddHours(length), isDay, zone)}");
        if (recurs)
        {
            Line($"RRULE:FREQ=DAILY;COUNT=20{(random.Next(2) == 0 ? ";INTERVAL=2" : "")}");
            if (random.Next(2) == 0)
                Line($"EXDATE{Time(start.AddDays(2), isDay, zone)}");
        }

        Content();
        End();
        if (recurs && random.Next(2) == 0)
        {
            var original = start.AddDays(4);
            Begin();
            Line($"RECURRENCE-ID{Time(original, isDay, zone)}");
            Line($"DTSTART{Time(original.AddHours(isDay ? 24 : 1), isDay, zone)}");
            Line($"DTEND{Time(original.AddHours(isDay ? 48 : 3), isDay, zone)}");
            Content();
            End();
        }

        return CalendarDocument.Parse(
            $"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//t//EN\r\n{_text}END:VCALENDAR\r\n");
    }

    private void Content()
    {
        foreach (var name in (string[])["SUMMARY", "DESCRIPTION", "LOCATION"])
            Maybe($"{name}:{Words[random.Next(Words.Length)]}");
        Maybe("STATUS:TENTATIVE");
        Maybe("TRANSP:TRANSPARENT");
        Maybe(random.Next(2) == 0 ? "CLASS:PRIVATE" : "CLASS:CONFIDENTIAL");
        Maybe("COLOR:royalblue");
        Maybe("URL:https://example.test/1");
        if (_hasGuests)
        {
            Line("ORGANIZER;CN=Me:mailto:me@example.test");
            Line("ATTENDEE;CN=\"Ann, A.\";PARTSTAT=ACCEPTED:mailto:ann@example.test");
            Maybe("ATTENDEE;CUTYPE=RESOURCE;ROLE=OPT-PARTICIPANT:mailto:room@example.test");
        }

        switch (random.Next(3))
        {
            case 0:
                Line("X-GOOGLE-REMINDERS:DEFAULT");
                break;
            case 1:
                Line("BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:This is an event reminder");
                Line($"TRIGGER:-PT{10 + random.Next(40)}M\r\nEND:VALARM");
                break;
            default:
                break;
        }
    }

    private static string Time(DateTime time, bool isDay, string zone) => isDay
        ? $";VALUE=DATE:{time:yyyyMMdd}"
        : zone == "UTC" ? $":{time:yyyyMMdd'T'HHmmss'Z'}" : $";TZID={zone}:{time:yyyyMMdd'T'HHmmss}";

    private void Begin() => Line("BEGIN:VEVENT\r\nUID:u1\r\nDTSTAMP:20260101T000000Z");

    private void End() => Line("END:VEVENT");

    private void Maybe(string line)
    {
        if (random.Next(2) == 0)
            Line(line);
    }

    private void Line(string line) => _text.Append(line).Append("\r\n");
}

/// <summary>The resources of a stream: per UID its components, with the zones they name.</summary>
internal static class CorpusResources
{
    public static IEnumerable<(string Uid, CalendarDocument Content)> Of(CorpusFile file)
    {
        var document = CalendarDocument.Parse(file.Bytes);
        foreach (var root in document.Components.Where(root => root.Is("VCALENDAR"u8)))
        {
            var groups = root.Components.Where(each => each.Is("VEVENT"u8))
                .GroupBy(each => each.Property("UID"u8)?.ReadUid() ?? "", StringComparer.Ordinal)
                .Where(group => group.Key.Length > 0);
            foreach (var group in groups)
                yield return (group.Key, Resource(root, group));
        }
    }

    private static CalendarDocument Resource(
        CalendarComponent root, IEnumerable<CalendarComponent> events)
    {
        var empty = CalendarDocument.Parse(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//t//EN\r\nEND:VCALENDAR\r\n");
        var edit = empty.Edit();
        var calendar = empty.Components.First();
        foreach (var zone in root.Components.Where(each => each.Is("VTIMEZONE"u8)))
            edit.AddAsItStands(calendar, zone);
        foreach (var one in events)
            edit.AddAsItStands(calendar, one);
        return edit.Apply();
    }

    private static string? ReadUid(this CalendarProperty property) =>
        CalSync.Calendar.Values.PropertyValues.ReadText(property).Value;
}
