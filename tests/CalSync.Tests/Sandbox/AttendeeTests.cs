using System.Text.Json.Nodes;
using CalSync.Sandbox;
using Xunit;

namespace CalSync.Tests.Sandbox;

/// <summary>Guests: their copies, their answers, and who would have been mailed (D, section 3.7).</summary>
public sealed class AttendeeTests : SandboxTest
{
    /// <summary>The event is in the guest's calendar too, at the same instant.</summary>
    [Fact]
    [Trait("Rule", "D-ATTENDEES")]
    public async Task Insert_WithAGuestWhoHasAnAccount_ShowsInTheGuestsCalendar()
    {
        var made = await InsertAsync(Class("class1", Sam));
        var copy = await GetAsync("class1", Sam);
        Assert.Equal("2026-01-12T15:00:00Z", Text(copy.Body!["start"]!, "dateTime"));
        Assert.Equal(Text(made, "iCalUID"), Text(copy.Body!, "iCalUID"));
        Assert.True(copy.Body!["attendees"]![0]!["self"]!.GetValue<bool>());
        Assert.Equal(Maya, Text(copy.Body!["organizer"]!, "email"));
        Assert.True(made["organizer"]!["self"]!.GetValue<bool>());
        Assert.False(copy.Body!["organizer"]!.AsObject().ContainsKey("self"));
    }

    [Fact]
    [Trait("Rule", "D-ATTENDEES")]
    public async Task Patch_MoveOrRemoval_FollowsInTheGuestsCalendar()
    {
        await InsertAsync(Class("class1", Sam, Arjun));
        await PatchAsync("class1", new JsonObject
        {
            ["start"] = new JsonObject { ["dateTime"] = "2026-01-12T12:00:00-05:00" },
            ["end"] = new JsonObject { ["dateTime"] = "2026-01-12T13:00:00-05:00" },
        });
        Assert.Equal(
            "2026-01-12T17:00:00Z", Text((await GetAsync("class1", Sam)).Body!["start"]!, "dateTime"));
        await PatchAsync("class1", new JsonObject { ["attendees"] = Guests(Arjun) });
        Assert.Equal("cancelled", Text((await GetAsync("class1", Sam)).Body!, "status"));
        Assert.Equal("confirmed", Text((await GetAsync("class1", Arjun)).Body!, "status"));
        await CallAsync("DELETE", "calendars/primary/events/class1");
        Assert.Equal("cancelled", Text((await GetAsync("class1", Arjun)).Body!, "status"));
    }

    /// <summary>
    /// An answer changes the organizer's event and its ETag, so a write in between meets 412.
    /// </summary>
    [Fact]
    [Trait("Rule", "D-ATTENDEES")]
    public async Task Answer_ByHandOrThroughTheApi_ReachesTheOrganizer()
    {
        var made = await InsertAsync(Class("class1", Sam, Arjun));
        await Control.EditEventAsync(
            new HandEdit(Maya, "class1", "answer") { Attendee = Sam, Answer = "accepted" }, None);
        AssertError(
            await PatchAsync(
                "class1", new JsonObject { ["summary"] = "B" }, Text(made, "etag")), 412, "conditionNotMet");
        var own = new JsonArray(
            new JsonObject { ["email"] = Sam, ["responseStatus"] = "accepted" },
            new JsonObject { ["email"] = Arjun, ["responseStatus"] = "declined" });
        var answered = await CallAsync(
            "PATCH", "calendars/primary/events/class1", new JsonObject { ["attendees"] = own }, Arjun);
        Assert.True(answered.Status == 200, answered.Text);
        var truth = (await Control.GetTruthAsync(Maya, None)).Calendars[0].Events[0];
        Assert.Equal("accepted", truth.Attendees[Sam]);
        Assert.Equal("declined", truth.Attendees[Arjun]);
    }

    [Fact]
    [Trait("Rule", "D-ATTENDEES")]
    public async Task Write_OfSharedFieldsByAGuest_Answers403()
    {
        await InsertAsync(Class("class1", Sam));
        var patch = await CallAsync(
            "PATCH", "calendars/primary/events/class1", new JsonObject { ["summary"] = "Mine" }, Sam);
        AssertError(patch, 403, "forbiddenForNonOrganizer");
        AssertError(
            await CallAsync(
                "PUT", "calendars/primary/events/class1", Class(), Sam), 403, "forbiddenForNonOrganizer");
        var own = new JsonObject { ["colorId"] = "5" };
        Assert.Equal(200, (await CallAsync("PATCH", "calendars/primary/events/class1", own, Sam)).Status);
    }

    [Fact]
    [Trait("Rule", "D-ATTENDEES")]
    public async Task Delete_ByAGuest_DeclinesAndDoesNotComeBack()
    {
        await InsertAsync(Class("class1", Sam));
        Assert.Equal(204, (await CallAsync("DELETE", "calendars/primary/events/class1", user: Sam)).Status);
        Assert.Equal("declined", Text((await GetAsync("class1")).Body!["attendees"]![0]!, "responseStatus"));
        await PatchAsync("class1", new JsonObject { ["summary"] = "B" });
        Assert.Equal("cancelled", Text((await GetAsync("class1", Sam)).Body!, "status"));
    }

    /// <summary>A truncated read says so, and writing it back with attendeesOmitted drops nobody.</summary>
    [Fact]
    [Trait("Rule", "D-ATTENDEES")]
    public async Task Patch_WithAttendeesOmitted_DropsNobody()
    {
        await InsertAsync(Class("class1", Sam, Arjun));
        var read = await CallAsync("GET", "calendars/primary/events/class1?maxAttendees=1", user: Sam);
        Assert.True(read.Body!["attendeesOmitted"]!.GetValue<bool>());
        Assert.Equal(Sam, Text(Assert.Single(read.Body!["attendees"]!.AsArray())!, "email"));
        var patch = new JsonObject { ["attendees"] = new JsonArray(), ["attendeesOmitted"] = true };
        var patched = await PatchAsync("class1", patch);
        Assert.Equal(2, patched.Body!["attendees"]!.AsArray().Count);
    }

    /// <summary>Sending only an address resets that guest's answer.</summary>
    [Fact]
    [Trait("Rule", "D-ATTENDEES")]
    public async Task Patch_WithAddressesOnly_ResetsAnswersAndInvitesAgain()
    {
        await InsertAsync(Class("class1", Sam));
        await Control.EditEventAsync(
            new HandEdit(Maya, "class1", "answer") { Attendee = Sam, Answer = "accepted" }, None);
        var patched = await PatchAsync(
            "class1", new JsonObject { ["attendees"] = Guests(Sam, Arjun) }, query: "?sendUpdates=all");
        Assert.Equal("needsAction", Text(patched.Body!["attendees"]![0]!, "responseStatus"));
        Assert.Equal([("invitation", Sam), ("invitation", Arjun)], await MailsAsync());
    }

    /// <summary>
    /// Adding guest B mails B alone; a new time mails everyone; removal and deletion mail cancellations.
    /// </summary>
    [Fact]
    [Trait("Rule", "D-MAIL")]
    public async Task Writes_WithSendUpdatesAll_MailWhomTheyConcern()
    {
        await InsertAsync(Class("class1", Sam), query: "?sendUpdates=all");
        Assert.Equal([("invitation", Sam)], await MailsAsync());
        await PatchAsync(
            "class1", new JsonObject { ["attendees"] = Guests(Sam, Arjun) }, query: "?sendUpdates=all");
        Assert.Equal([("invitation", Arjun)], await MailsAsync());
        await PatchAsync("class1", new JsonObject { ["location"] = "Room 2" }, query: "?sendUpdates=all");
        Assert.Equal([("update", Sam), ("update", Arjun)], await MailsAsync());
        await PatchAsync(
            "class1", new JsonObject { ["attendees"] = Guests(Arjun) }, query: "?sendUpdates=all");
        Assert.Equal([("cancellation", Sam)], await MailsAsync());
        await CallAsync("DELETE", "calendars/primary/events/class1?sendUpdates=all");
        Assert.Equal([("cancellation", Arjun)], await MailsAsync());
    }

    [Fact]
    [Trait("Rule", "D-MAIL")]
    public async Task Writes_WithoutSendUpdates_MailNobodyAndExternalOnlyMailsStrangers()
    {
        await InsertAsync(Class("class1", Sam));
        Assert.Empty(await Control.GetMailsAsync(false, None));
        var kept = Assert.Single(await Control.GetMailsAsync(true, None));
        Assert.Equal(("invitation", Sam, "none", false), (kept.Kind, kept.To, kept.SendUpdates, kept.Mailed));
        await InsertAsync(Class("class2", Sam, "new@guest.test"), query: "?sendUpdates=externalOnly");
        Assert.Equal([("invitation", "new@guest.test")], await MailsAsync());
        AssertError(
            await CallAsync("POST", "calendars/primary/events?sendUpdates=some", Class()), 400, "invalid");
    }

    /// <summary>
    /// Delete and recreate by hand sends cancellations, which is why a client never does it with guests.
    /// </summary>
    [Fact]
    [Trait("Rule", "D-MAIL")]
    public async Task HandEdits_RecreateAndCopy_KeepTheContentUnderANewId()
    {
        var body = Class("class1", Sam);
        body["extendedProperties"] = new JsonObject { ["private"] = new JsonObject { ["slot"] = "7" } };
        await InsertAsync(body);
        var edited = await Control.EditEventAsync(
            new HandEdit(Maya, "class1", "recreate") { NewId = "class2", SendUpdates = "all" }, None);
        Assert.Equal("class2", edited.EventId);
        Assert.Contains(("cancellation", Sam), await MailsAsync());
        var copy = await Control.EditEventAsync(new HandEdit(Maya, "class2", "copy"), None);
        var both = await ListAsync("?privateExtendedProperty=slot%3D7");
        Assert.Equal(["class2", copy.EventId], Ids(both));
        await Control.EditEventAsync(
            new HandEdit(
                Maya, "class2", "patch")
            { Fields = new JsonObject { ["summary"] = "By hand" } }, None);
        Assert.Equal("By hand", Text((await GetAsync("class2")).Body!, "summary"));
    }

    private async Task<List<(string Kind, string To)>> MailsAsync()
    {
        var mails = await Control.GetMailsAsync(false, None);
        await Control.ClearMailsAsync(None);
        return [.. mails.Select(mail => (mail.Kind, mail.To))];
    }
}
