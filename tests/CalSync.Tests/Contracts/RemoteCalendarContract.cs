using System.Collections.Immutable;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs;
using Xunit;

namespace CalSync.Tests.Contracts;

/// <summary>
/// What every calendar of a provider must do for the sync engine, whichever provider it is.
/// </summary>
/// <remarks>
/// Derive once per provider or server. Content is compared by meaning, as the engine does; a provider may
/// lose what it said it loses (<see cref="CarryLoss"/>), nothing else.
/// </remarks>
public abstract class RemoteCalendarContract
{
    /// <summary>Some servers take a UID once for all calendars of an account.</summary>
    private readonly string _run = Guid.NewGuid().ToString("N")[..8];

    private static readonly ImmutableDictionary<ResourceAddress, string> NothingKnown =
        ImmutableDictionary<ResourceAddress, string>.Empty;

    protected static CancellationToken Cancellation => CancellationToken.None;

    /// <summary>A calendar that is empty and that nobody else writes to.</summary>
    protected abstract Task<IRemoteCalendar> NewCalendarAsync();

    /// <summary>A cursor this provider takes for dead.</summary>
    protected virtual SyncCursor DeadCursor(SyncCursor living) => living with { Token = "calsync-dead" };

    /// <summary>Whether a delta names again what changed last.</summary>
    protected virtual bool RepeatsChanges => false;

    /// <summary>How many mails the provider sent so far; null where nobody can tell.</summary>
    protected virtual Task<int?> MailCountAsync() => Task.FromResult<int?>(null);

    [Fact]
    public async Task ReadChanges_OfAnEmptyCalendar_IsCompleteAndEmpty()
    {
        var calendar = await NewCalendarAsync();
        var read = await ListAsync(calendar);
        Assert.IsType<Certificate.Complete>(read.Certificate);
        Assert.Empty(read.Upserts);
        Assert.Empty(read.Tombstones);
    }

    [Fact]
    public async Task Create_ThenRead_GivesWhatWasWritten()
    {
        var calendar = await NewCalendarAsync();
        var content = RemoteCalendarSamples.Event(Uid("create"), "First");
        var stored = await CreateAsync(calendar, Uid("create"), content);
        var found = await FoundAsync(calendar, stored.Address);
        Assert.Equal(stored.Address, found.Address);
        Assert.Null(found.Problem);
        AssertCarried(content, found, stored);
        var versions = await calendar.ReadVersionsAsync([found.Address], Cancellation);
        Assert.True(Assert.Single(versions) is not { } version || version == found.Version);
    }

    /// <summary>R-SYNC-4-A: a create whose answer was lost finds itself when it is repeated.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-4-A")]
    public async Task Create_Repeated_FindsItselfAndMakesNoCopy()
    {
        var calendar = await NewCalendarAsync();
        var content = RemoteCalendarSamples.Event(Uid("twice"));
        var stored = await CreateAsync(calendar, Uid("twice"), content);
        var again = await calendar.CreateAsync(new(Uid("twice"), content, null), Cancellation);
        var taken = Assert.IsType<ResourceWrite.Exists>(again).Address;
        Assert.True(taken is null || taken == stored.Address);
        var found = await calendar.FindAsync(Uid("twice"), Cancellation);
        Assert.Equal(stored.Address, Assert.IsType<ResourceRead.Found>(found).Resource.Address);
        Assert.Single((await ListAsync(calendar)).Upserts);
    }

    /// <summary>Deleted and created again under the same UID: it lives again.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-4-C")]
    public async Task Create_AfterADeletion_BringsItBack()
    {
        var calendar = await NewCalendarAsync();
        var content = RemoteCalendarSamples.Event(Uid("again"), "Before");
        var stored = await CreateAsync(calendar, Uid("again"), content);
        await DeleteAsync(calendar, stored.Address);
        var back = RemoteCalendarSamples.Event(Uid("again"), "After");
        var second = await CreateAsync(calendar, Uid("again"), back);
        AssertCarried(back, await FoundAsync(calendar, second.Address), second);
        Assert.Single((await ListAsync(calendar)).Upserts);
    }

    [Fact]
    [Trait("Requirement", "R-SYNC-3-B")]
    public async Task Update_OfTheVersionRead_ChangesIt()
    {
        var calendar = await NewCalendarAsync();
        var before = await NewResourceAsync(calendar, Uid("update"));
        var content = RemoteCalendarSamples.Event(Uid("update"), "Changed");
        var write = await UpdateAsync(calendar, before, content);
        var after = await FoundAsync(calendar, before.Address);
        AssertCarried(content, after, Assert.IsType<ResourceWrite.Stored>(write));
        Assert.NotEqual(before.Version, after.Version);
    }

    /// <summary>R-SYNC-6-B: who read an older version writes nothing.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-6-B")]
    public async Task Update_OfAnOlderVersion_WritesNothing()
    {
        var calendar = await NewCalendarAsync();
        var before = await NewResourceAsync(calendar, Uid("stale"));
        var winner = RemoteCalendarSamples.Event(Uid("stale"), "Somebody else");
        var won = Assert.IsType<ResourceWrite.Stored>(await UpdateAsync(calendar, before, winner));
        var lost = await UpdateAsync(
            calendar, before, RemoteCalendarSamples.Event(Uid("stale"), "Too late"));
        Assert.IsType<ResourceWrite.Changed>(lost);
        AssertCarried(winner, await FoundAsync(calendar, before.Address), won);
    }

    /// <summary>Without a version the content decides.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-6-B")]
    public async Task Update_WithoutAVersion_WritesOnlyOverWhatTheCallerHeld()
    {
        var calendar = await NewCalendarAsync();
        var before = await NewResourceAsync(calendar, Uid("unversioned"));
        var next = RemoteCalendarSamples.Event(Uid("unversioned"), "Next");
        var write = await UpdateAsync(calendar, before with { Version = null }, next);
        Assert.IsType<ResourceWrite.Stored>(write);
        var late = RemoteCalendarSamples.Event(Uid("unversioned"), "Late");
        Assert.IsType<ResourceWrite.Changed>(
            await UpdateAsync(calendar, before with { Version = null }, late));
    }

    [Fact]
    public async Task Update_OfWhatIsDeleted_IsGone()
    {
        var calendar = await NewCalendarAsync();
        var before = await NewResourceAsync(calendar, Uid("vanished"));
        await DeleteAsync(calendar, before.Address);
        var write = await UpdateAsync(
            calendar, before, RemoteCalendarSamples.Event(Uid("vanished"), "Late"));

        // A provider may be able to say only that it is not the version read any more.
        Assert.True(write is ResourceWrite.Gone or ResourceWrite.Changed, write.ToString());
        Assert.Empty((await ListAsync(calendar)).Upserts);
    }

    [Fact]
    public async Task Delete_ThenRead_IsGone()
    {
        var calendar = await NewCalendarAsync();
        var resource = await NewResourceAsync(calendar, Uid("delete"));
        Assert.IsType<ResourceDelete.Deleted>(
            await calendar.DeleteAsync(resource.Address, resource.Version, Cancellation));
        Assert.IsType<ResourceRead.Gone>(await calendar.ReadAsync(resource.Address, Cancellation));
        Assert.IsType<ResourceRead.Gone>(await calendar.FindAsync(Uid("delete"), Cancellation));
        Assert.IsType<ResourceDelete.AlreadyGone>(
            await calendar.DeleteAsync(resource.Address, resource.Version, Cancellation));
    }

    /// <summary>An edit beats a deletion that was decided before it.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-6-B")]
    public async Task Delete_OfAnOlderVersion_DeletesNothing()
    {
        var calendar = await NewCalendarAsync();
        var before = await NewResourceAsync(calendar, Uid("edited"));
        await UpdateAsync(calendar, before, RemoteCalendarSamples.Event(Uid("edited"), "Edited"));
        Assert.IsType<ResourceDelete.Changed>(
            await calendar.DeleteAsync(before.Address, before.Version, Cancellation));
        Assert.NotNull((await FoundAsync(calendar, before.Address)).Content);
    }

    /// <summary>R-SYNC-1-A, R-SYNC-2-A: a later read names what changed and what was deleted.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-1-A")]
    [Trait("Requirement", "R-SYNC-2-A")]
    public async Task ReadChanges_SinceACursor_NamesWhatChangedAndWhatWasDeleted()
    {
        var calendar = await NewCalendarAsync();
        var kept = await NewResourceAsync(calendar, Uid("kept"));
        var changed = await NewResourceAsync(calendar, Uid("changed"));
        var deleted = await NewResourceAsync(calendar, Uid("deleted"));
        var first = await ListAsync(calendar);
        Assert.Equal(3, first.Upserts.Length);
        var known = Versions(first);

        Assert.IsType<ResourceWrite.Stored>(await UpdateAsync(
            calendar, changed, RemoteCalendarSamples.Event(Uid("changed"), "Changed")));
        await DeleteAsync(calendar, deleted.Address);
        var added = await NewResourceAsync(calendar, Uid("added"));

        var second = await ReadAsync(calendar, first.Next, known);
        var read = second.Upserts.Where(one => one.Content is not null).Select(one => one.Address)
            .Where(address => !RepeatsChanges || address != kept.Address);
        Assert.Equal(
            new[] { added.Address.Value, changed.Address.Value }.Order(),
            read.Select(address => address.Value).Order());
        if (second.Certificate is Certificate.Delta)
        {
            Assert.Equal(deleted.Address, Assert.Single(second.Tombstones));
        }
        else
        {
            Assert.IsType<Certificate.Complete>(second.Certificate);
            Assert.DoesNotContain(second.Upserts, one => one.Address == deleted.Address);
            Assert.Null(Assert.Single(second.Upserts, one => one.Address == kept.Address).Content);
        }

        var third = await ReadAsync(calendar, second.Next, Versions(await ListAsync(calendar)));
        if (!RepeatsChanges)
            Assert.DoesNotContain(third.Upserts, one => one.Content is not null);
    }

    /// <summary>R-SYNC-1-D: a dead cursor is said to be dead, or everything is listed again.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-1-D")]
    public async Task ReadChanges_SinceADeadCursor_SaysSoOrListsAll()
    {
        var calendar = await NewCalendarAsync();
        var resource = await NewResourceAsync(calendar, Uid("cursor"));
        if ((await ListAsync(calendar)).Next is not { } living)
            return;
        switch (await calendar.ReadChangesAsync(DeadCursor(living), NothingKnown, Cancellation))
        {
            case ChangeRead.CursorInvalid:
                break;
            case ChangeRead.Done({ Tombstones: [] } changes):
                Assert.Equal(resource.Address, Assert.Single(changes.Upserts).Address);
                break;
            case var other:
                Assert.Fail(other.ToString());
                break;
        }
    }

    /// <summary>A listing of many is whole, names each once, and reads nothing that is known.</summary>
    [Fact]
    public async Task ReadChanges_WithoutACursor_ListsAllOnceAndReadsOnlyWhatIsNotKnown()
    {
        const int Count = 60;
        var calendar = await NewCalendarAsync();
        for (var number = 0; number < Count; number++)
        {
            var uid = Uid($"many-{number}");
            await CreateAsync(calendar, uid, RemoteCalendarSamples.Event(uid, $"Number {number}"));
        }

        var first = await ListAsync(calendar);
        Assert.Equal(Count, first.Upserts.Select(one => one.Address).Distinct().Count());
        Assert.Equal(Count, first.Upserts.Length);
        Assert.All(first.Upserts, one => Assert.NotNull(one.Content));

        var known = Versions(first).Remove(first.Upserts[7].Address);
        var again = await ReadAsync(calendar, null, known);
        Assert.Equal(Count, again.Upserts.Length);
        Assert.Equal(
            first.Upserts[7].Address, Assert.Single(again.Upserts, one => one.Content is not null).Address);
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("B7D3A1F0-0C7B-4A53-9D1E-6E6D6E3C2A11")]
    [InlineData("7kukuqrfedlm2f9t@google.com")]
    [InlineData("odd/uid with spaces & 50% of äöü")]
    public async Task Find_ByUid_FindsIt(string name)
    {
        var uid = $"{_run}{name}";
        var calendar = await NewCalendarAsync();
        await NewResourceAsync(calendar, Uid("other"));
        Assert.IsType<ResourceRead.Gone>(await calendar.FindAsync(uid, Cancellation));
        var stored = await CreateAsync(calendar, uid, RemoteCalendarSamples.Event(uid, "This one"));
        var found = Assert.IsType<ResourceRead.Found>(await calendar.FindAsync(uid, Cancellation)).Resource;
        Assert.Equal(stored.Address, found.Address);
        Assert.Contains("This one", found.Content!.ToString(), StringComparison.Ordinal);
    }

    /// <summary>R-SYNC-5-A: a series and its overrides are one resource and come back as one.</summary>
    [Fact]
    [Trait("Requirement", "R-SYNC-5-A")]
    public async Task Create_ASeriesWithOverrides_ComesBackWhole()
    {
        var calendar = await NewCalendarAsync();
        await RoundTripAsync(calendar, Uid("series"), RemoteCalendarSamples.Series(Uid("series")));
        await RoundTripAsync(calendar, Uid("allday"), RemoteCalendarSamples.AllDay(Uid("allday")));
        Assert.Equal(2, (await ListAsync(calendar)).Upserts.Length);
    }

    [Fact]
    public async Task Create_TextOfAllKinds_ComesBackLetterForLetter()
    {
        var calendar = await NewCalendarAsync();
        var text = "Grüße\\, 日本語 \U0001F469\u200D\U0001F3EB עברית \\; \\, \\\\ \\n"
            + string.Concat(Enumerable.Repeat("long ", 500)) + "end";
        await RoundTripAsync(
            calendar,
            Uid("text"),
            RemoteCalendarSamples.Event(Uid("text"), "Lesson é", $"DESCRIPTION:{text}\r\n"));
    }

    /// <summary>What a provider does not know survives, or the write says that it does not.</summary>
    [Fact]
    public async Task Create_WithUnknownProperties_KeepsThemOrSaysSo()
    {
        var calendar = await NewCalendarAsync();
        await RoundTripAsync(
            calendar,
            Uid("unknown"),
            RemoteCalendarSamples.Event(
                Uid("unknown"), "Lesson", "X-CALSYNC-ROOM;X-FLOOR=3:Blue room\r\nCATEGORIES:Yoga\r\n"));
    }

    /// <summary>Guests are carried, and nobody is written to because of it.</summary>
    [Fact]
    public async Task Write_WithGuests_MailsNobody()
    {
        const string Guests =
            "ORGANIZER;CN=Teacher:mailto:teacher@example.test\r\n"
            + "ATTENDEE;CN=Ann;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:ann@example.test\r\n";
        var calendar = await NewCalendarAsync();
        var before = await MailCountAsync();
        var content = RemoteCalendarSamples.Event(Uid("guests"), "With guests", Guests);
        var stored = await CreateAsync(calendar, Uid("guests"), content);
        var found = await FoundAsync(calendar, stored.Address);
        await UpdateAsync(
            calendar, found, RemoteCalendarSamples.Event(Uid("guests"), "Still with guests", Guests));
        await DeleteAsync(calendar, stored.Address);
        Assert.Equal(before, await MailCountAsync());
    }

    private string Uid(string name) => $"contract-{name}-{_run}";

    private static ImmutableDictionary<ResourceAddress, string> Versions(ChangeSet changes) =>
        changes.Upserts.Where(one => one.Version is not null)
            .ToImmutableDictionary(one => one.Address, one => one.Version!);

    private static async Task<ChangeSet> ListAsync(IRemoteCalendar calendar)
    {
        var read = await ReadAsync(calendar, null, NothingKnown);
        Assert.IsType<Certificate.Complete>(read.Certificate);
        Assert.Empty(read.Tombstones);
        return read;
    }

    private static async Task<ChangeSet> ReadAsync(
        IRemoteCalendar calendar, SyncCursor? since, IReadOnlyDictionary<ResourceAddress, string> known)
    {
        var read = await calendar.ReadChangesAsync(since, known, Cancellation);
        return (read as ChangeRead.Done ?? throw new InvalidOperationException($"The read gave {read}."))
            .Changes;
    }

    private static async Task<ResourceWrite.Stored> CreateAsync(
        IRemoteCalendar calendar, string uid, CalendarDocument content)
    {
        var write = await calendar.CreateAsync(new(uid, content, null), Cancellation);
        return write as ResourceWrite.Stored
            ?? throw new InvalidOperationException($"The create gave {write}.");
    }

    private static async Task<RemoteResource> NewResourceAsync(IRemoteCalendar calendar, string uid)
    {
        var stored = await CreateAsync(calendar, uid, RemoteCalendarSamples.Event(uid));
        return await FoundAsync(calendar, stored.Address);
    }

    private static Task<ResourceWrite> UpdateAsync(
        IRemoteCalendar calendar, RemoteResource held, CalendarDocument content)
    {
        var uid = content.AllComponents.First(one => one.Is("VEVENT"u8)).Property("UID"u8)!.Value.RawValue;
        return calendar.UpdateAsync(
            held.Address, held.Version, new(uid, content, held.Content), Cancellation);
    }

    private static async Task DeleteAsync(IRemoteCalendar calendar, ResourceAddress address)
    {
        var held = await FoundAsync(calendar, address);
        Assert.IsType<ResourceDelete.Deleted>(
            await calendar.DeleteAsync(address, held.Version, Cancellation));
    }

    private static async Task<RemoteResource> FoundAsync(IRemoteCalendar calendar, ResourceAddress address)
    {
        var read = await calendar.ReadAsync(address, Cancellation);
        return (read as ResourceRead.Found ?? throw new InvalidOperationException($"The read gave {read}."))
            .Resource;
    }

    private static async Task RoundTripAsync(IRemoteCalendar calendar, string uid, CalendarDocument content)
    {
        var stored = await CreateAsync(calendar, uid, content);
        AssertCarried(content, await FoundAsync(calendar, stored.Address), stored);
    }

    /// <summary>All that differs was announced.</summary>
    private static void AssertCarried(
        CalendarDocument sent, RemoteResource found, ResourceWrite.Stored stored)
    {
        Assert.NotNull(found.Content);
        var noise = CalendarNoise.OfServers.WithSequence();
        var unannounced = CalendarDiff.Compare(sent, found.Content, noise)
            .Where(change => !stored.Lost.Any(loss => Names(loss, change)));
        Assert.Empty(unannounced);
    }

    private static bool Names(CarryLoss loss, CalendarChange change) =>
        change.Property is { } property
        && loss.What.Contains(property, StringComparison.OrdinalIgnoreCase);
}
