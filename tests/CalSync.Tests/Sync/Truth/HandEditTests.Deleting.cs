using System.Text.Json.Nodes;
using CalSync.Sync.HandEdits;
using Xunit;
using HandEdit = CalSync.Sandbox.HandEdit;

namespace CalSync.Tests.Sync.Truth;

/// <summary>Events that somebody deletes, restores or makes again on the calendar.</summary>
public sealed partial class HandEditTests
{
    /// <summary>R-CAL-06-B: a deletion is found, asked about, and nothing fails in the meantime.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-06-B")]
    public async Task Delete_ByHand_IsAskedAndNothingFails()
    {
        await using var world = await StartAsync();
        var made = await world.CreateAsync();
        await EditAsync(world, "delete");
        await ProposedAsync(world, "deleted", "pending");
        var slot = await world.SlotAsync(made);
        Assert.Equal(
            ("parked", "deleted_by_hand"),
            ((string?)slot.Body!["calendar"]!["state"], (string?)slot.Body["calendar"]!["reason"]));
        await world.Control.ClearCallsAsync(None);
        await ReadSomeAsync(world);
        Assert.All(
            await world.Control.GetCallsAsync(None), call => Assert.Equal("events.list", call.Operation));
        Assert.Equal(
            1, await world.ReadAsync<long>("SELECT count(*) FROM notices WHERE kind = 'proposal'"));
        Assert.Equal(1, await CountAsync(world));
    }

    /// <summary>R-CAL-06-B: or it is made again at once, and that is on record.</summary>
    [Theory]
    [Trait("Requirement", "R-CAL-06-B")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Delete_ByHandWithThePolicyRecreate_IsMadeAgain(bool isBurnt)
    {
        await using var world = await StartAsync(DeletionPolicy.Recreate);
        await world.CreateAsync();
        var before = await world.OnlyEventAsync();
        await world.Control.EditEventAsync(
            new HandEdit(SyncWorld.Teacher, before.Id, "delete") { ForbidUndelete = isBurnt }, None);
        await ProposedAsync(world, "deleted", "settled");
        await world.UntilAsync(async () => (await world.EventsAsync()).Count == 1, "it is there again");
        await VerifiedAsync(world);
        Assert.Equal("recreated", await world.ReadAsync<string>("SELECT reason FROM proposals"));
        Assert.Equal(isBurnt, before.Id != (await world.OnlyEventAsync()).Id);
        Assert.Equal(1, await CountAsync(world));
    }

    /// <summary>R-CAL-06-B: a person who takes the deletion back has answered the question.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-06-B")]
    public async Task Delete_TakenBackByHand_IsNoLongerAsked()
    {
        await using var world = await StartAsync();
        await world.CreateAsync();
        var shown = await world.OnlyEventAsync();
        await EditAsync(world, "delete");
        await ProposedAsync(world, "deleted", "pending");
        await EditAsync(world, "patch", new JsonObject { ["status"] = "confirmed" }, shown.Id);
        await ProposedAsync(world, "deleted", "withdrawn");
        await VerifiedAsync(world);
        Assert.Equal("restored", await world.ReadAsync<string>("SELECT reason FROM proposals"));
    }

    /// <summary>R-CAL-06-C: an event made again under another id is ours again: nothing is doubled, and what
    /// is moved next is it.</summary>
    [Theory]
    [Trait("Requirement", "R-CAL-06-C")]
    [InlineData("mark")]
    [InlineData("uid")]
    public async Task Recreate_ByHandWithANewId_IsRelinked(string by)
    {
        await using var world = await StartAsync();
        var made = await world.CreateAsync();
        var before = await world.OnlyEventAsync();
        var fields = by == "mark"
            ? null
            : new JsonObject { ["extendedProperties"] = null, ["iCalUID"] = before.ICalUid };
        await EditAsync(world, "recreate", fields);
        await ProposedAsync(world, "relinked", "settled");
        await VerifiedAsync(world);
        var after = await world.OnlyEventAsync();
        Assert.NotEqual(before.Id, after.Id);
        Assert.Equal(
            (after.Id, before.Id),
            (await world.ReadAsync<string>("SELECT event_id FROM proposals"),
                await world.ReadAsync<string>("SELECT old_event_id FROM proposals")));
        Assert.Equal(after.Id, await world.ReadAsync<string>("SELECT provider_event_id FROM mirrors"));
        await world.WaitAsync(await world.MoveAsync(made, day: 9, hour: 9), "verified");
        Assert.Equal((after.Id, 4), await ShownAsync(world));
        Assert.Equal(1, await CountAsync(world));
    }

    /// <summary>R-CAL-06-C: made again after the question was put, it answers it.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-06-C")]
    public async Task Recreate_AfterTheDeletionWasFound_AnswersTheQuestion()
    {
        await using var world = await StartAsync();
        await world.CreateAsync();
        var shown = await world.OnlyEventAsync();
        await EditAsync(world, "delete");
        await ProposedAsync(world, "deleted", "pending");
        await EditAsync(world, "recreate", null, shown.Id);
        await ProposedAsync(world, "relinked", "settled");
        await ProposedAsync(world, "deleted", "withdrawn");
        await VerifiedAsync(world);
        Assert.NotEqual(shown.Id, (await world.OnlyEventAsync()).Id);
    }

    /// <summary>R-CAL-06-B: or its slot is cancelled, as by its instructor.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-06-B")]
    public async Task Delete_ByHandWithThePolicyCancelSlot_CancelsTheSlot()
    {
        await using var world = await StartAsync(DeletionPolicy.CancelSlot);
        var made = await world.CreateAsync();
        await EditAsync(world, "delete");
        await world.UntilAsync(
            async () => (await world.SlotAsync(made)).Text("state") == "cancelled", "the slot is cancelled");
        await ProposedAsync(world, "deleted", "accepted");
        Assert.Empty(await world.EventsAsync());
    }

    /// <summary>R-CAL-06-B: a deletion that is refused is undone; also where the provider forbids
    /// that.</summary>
    [Theory]
    [Trait("Requirement", "R-CAL-06-B")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Refuse_OfADeletion_MakesTheEventAgain(bool isBurnt)
    {
        await using var world = await StartAsync();
        await world.CreateAsync();
        await world.Control.EditEventAsync(
            new HandEdit(SyncWorld.Teacher, (await world.OnlyEventAsync()).Id, "delete")
            {
                ForbidUndelete = isBurnt,
            },
            None);
        await ProposedAsync(world, "deleted", "pending");
        var proposal = await OnlyProposalAsync(world);
        var refused = (await world.Maya.PostAsync(
            $"proposals/{proposal.Text("id")}/refuse", new JsonObject(), None, etag: proposal.ETag)).Expect();
        await world.WaitAsync(refused, "verified");
        await world.OnlyEventAsync();
        await ReadSomeAsync(world);
        await VerifiedAsync(world);
        Assert.Equal(1, await CountAsync(world));
    }

    /// <summary>R-CAL-06-B: a deletion that is accepted cancels the slot.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-06-B")]
    public async Task Accept_OfADeletion_CancelsTheSlot()
    {
        await using var world = await StartAsync();
        var made = await world.CreateAsync();
        await EditAsync(world, "delete");
        await ProposedAsync(world, "deleted", "pending");
        var proposal = await OnlyProposalAsync(world);
        (await world.Maya.PostAsync(
            $"proposals/{proposal.Text("id")}/accept", new JsonObject(), None, etag: proposal.ETag)).Expect();
        await world.UntilAsync(
            async () => (await world.SlotAsync(made)).Text("state") == "cancelled", "the slot is cancelled");
        Assert.Empty(await world.EventsAsync());
    }
}
