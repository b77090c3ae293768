using CalSync.Calendar;
using CalSync.Sync.Mirroring;
using CalSync.Sync.Providers;
using Xunit;
using static CalSync.Tests.Sync.Mirroring.MirrorSamples;

namespace CalSync.Tests.Sync.Mirroring;

/// <summary>Goal: equal means equal to a person, and every difference is named. Method: change one field at a
/// time.</summary>
public sealed class EventComparisonTests
{
    [Fact]
    public void Mismatches_EqualEvent_IsEmpty() =>
        Assert.Empty(EventComparison.Mismatches(Desired("a@example.com"), Shown("a@example.com")));

    /// <summary>R-FIX-1-A: each mutated field is listed with what was expected and what was read.</summary>
    [Theory, Trait("Requirement", "R-FIX-1-A")]
    [InlineData("summary")]
    [InlineData("description")]
    [InlineData("location")]
    [InlineData("start")]
    [InlineData("end")]
    [InlineData("attendees")]
    [InlineData("extendedProperties.private.calsyncMirror")]
    public void Mismatches_OneFieldChanged_NamesExactlyThatField(string field)
    {
        var shown = Shown("a@example.com");
        var changed = field switch
        {
            "summary" => shown with { Summary = "Evening yoga" },
            "description" => shown with { Description = null },
            "location" => shown with { Location = "Hall 3" },
            "start" => shown with { Start = Time(9) },
            "end" => shown with { End = null },
            "attendees" => shown with { Attendees = [] },
            _ => shown with { Mark = shown.Mark.SetItem(EventIdentity.MirrorKey, "mir_other") },
        };
        var mismatch = Assert.Single(EventComparison.Mismatches(Desired("a@example.com"), changed));
        Assert.Equal(field, mismatch.Field);
        Assert.NotEqual(mismatch.Expected, mismatch.Actual);
    }

    /// <summary>R-FIX-1-B: the same instant and zone under other spellings is the same time.</summary>
    [Fact, Trait("Requirement", "R-FIX-1-B")]
    public void Mismatches_SameInstantAndRenamedZone_IsEmpty()
    {
        Assert.True(Rfc3339.TryParse("2026-03-09T04:30:00Z", out var utc));
        var start = ZonedTime.FromInstant(utc, Zone("Asia/Calcutta"));
        Assert.Empty(EventComparison.Mismatches(Desired(), Shown() with { Start = start }));
    }

    /// <summary>R-FIX-1-B: another zone is another meaning, even at the same instant.</summary>
    [Fact, Trait("Requirement", "R-FIX-1-B")]
    public void Mismatches_SameInstantOtherZone_NamesTheTime()
    {
        var start = Time(10).InZone(Zone("Europe/Oslo"));
        Assert.Equal(
            "start",
            Assert.Single(EventComparison.Mismatches(Desired(), Shown() with { Start = start })).Field);
    }

    [Theory]
    [InlineData(null, "", true)]
    [InlineData("a\r\nb", "a\nb", true)]
    [InlineData("a  b ", "a b", true)]
    [InlineData("a\nb", "a<br>b", true)]
    [InlineData("a & b", "a &amp; b", true)]
    [InlineData("see https://x.example", "<a href=\"https://x.example\">see</a> https://x.example", true)]
    [InlineData("x < y", "x &lt; y", true)]
    [InlineData("a", "b", false)]
    [InlineData("a", null, false)]
    [InlineData("ab", "a b", false)]
    [InlineData("1 < 2 and 3 > 2", "1  2", false)]
    [InlineData("Bring a mat", "BRING A MAT", false)]
    public void SameText_ReadsTheSameOrNot(string? left, string? right, bool same)
    {
        Assert.Equal(same, EventComparison.SameText(left, right));
        Assert.Equal(same, EventComparison.SameText(right, left));
    }

    [Fact]
    public void Mismatches_GuestInOtherLetterCase_IsEmpty() =>
        Assert.Empty(EventComparison.Mismatches(Desired("a@example.com"), Shown("A@Example.com")));

    [Fact]
    public void Mismatches_GuestAddedByHand_IsEmpty() =>
        Assert.Empty(
            EventComparison.Mismatches(
            Desired("a@example.com"), Shown("a@example.com", "friend@example.com")));

    [Fact]
    public void Mismatches_SeatGivenBackStillInvited_NamesAttendees()
    {
        var mismatch = Assert.Single(EventComparison.Mismatches(Desired(), Shown("left@example.com")));
        Assert.Contains("not wanted left@example.com", mismatch.Actual, StringComparison.Ordinal);
    }

    [Fact]
    public void Mismatches_TruncatedGuestList_NeverCountsAsEqual() =>
        Assert.Equal("attendees", Assert.Single(EventComparison.Mismatches(
            Desired(), Shown() with { AttendeesOmitted = true })).Field);

    /// <summary>R-FIX-1-G: a wanted link that is missing is a mismatch; one under way is not.</summary>
    [Theory, Trait("Requirement", "R-FIX-1-G")]
    [InlineData(null, null, true)]
    [InlineData(null, "failure", true)]
    [InlineData(null, "pending", false)]
    [InlineData("https://meet.example/x", "success", false)]
    public void Mismatches_ConferenceWanted_LooksAtLinkAndStatus(string? link, string? status, bool differs)
    {
        var desired = Desired();
        desired = desired with { Content = desired.Content with { ConferenceRequestId = "mir_1-1" } };
        var shown = Shown() with { ConferenceLink = link, ConferenceStatus = status };
        Assert.Equal(
            differs, EventComparison.Mismatches(desired, shown).Any(m => m.Field == "conferenceData"));
    }

    [Fact]
    public void Read_WhatWriteWrote_IsTheSameEvent()
    {
        var shown = Shown("a@example.com") with { ConferenceLink = "https://meet.example/x" };
        var copy = ObservedEvent.Read(ObservedEvent.Write(shown))!;
        Assert.Equal(shown.Attendees.AsEnumerable(), copy.Attendees);
        Assert.Equal(shown.Mark, copy.Mark);
        Assert.Equal(
            shown with { Attendees = [], Mark = NoMark }, copy with { Attendees = [], Mark = NoMark });
        Assert.Null(ObservedEvent.Read("{\"CalendarId\":1}"));
        Assert.Null(ObservedEvent.Read(null));
    }

    [Fact]
    public void EventId_SameThree_IsLegalAndStable()
    {
        var id = EventIdentity.EventId("con_1", "slt_1", 1);
        Assert.Equal(id, EventIdentity.EventId("con_1", "slt_1", 1));
        Assert.Matches("^cs[0-9a-v]{32}$", id);
        string[] others =
        [
            EventIdentity.EventId("con_2", "slt_1", 1), EventIdentity.EventId("con_1", "slt_2", 1),
            EventIdentity.EventId("con_1", "slt_1", 2),
        ];
        Assert.Equal(4, others.Append(id).Distinct().Count());
    }

    /// <summary>Guests keep their whole entry; only ours that lost their seat go.</summary>
    [Fact]
    public void Merge_KeepsAnswersAndHandAddedGuests_TakesOffOnlyOurs()
    {
        var accepted = new Attendee("a@example.com", "accepted", Raw: "{\"comment\":\"late\"}");
        var friend = new Attendee("friend@example.com", "declined", Raw: "{}");
        var owner = new Attendee("left@example.com", Organizer: true);
        var merged = GuestList.Merge(
            [new Attendee("A@example.com"), new Attendee("new@example.com")],
            ["a@example.com", "gone@example.com", "left@example.com"],
            [accepted, friend, new Attendee("gone@example.com"), owner]);
        Assert.Equal([accepted, friend, owner, new Attendee("new@example.com")], merged.AsEnumerable());
    }
}
