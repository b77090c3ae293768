using System.Collections.Immutable;
using System.Text.Json.Nodes;
using CalSync.Calendar.Document;
using CalSync.Sync.Pairs;
using CalSync.Tests.Contracts;
using Xunit;

namespace CalSync.Tests.Remotes.Pairs;

/// <summary>
/// A Google calendar as the sync engine sees it, over HTTP against the sandbox. No test of it may mail
/// anyone.
/// </summary>
public abstract class GooglePairTest : IAsyncLifetime, IDisposable
{
    protected const string Maya = "maya@studio.test";
    protected const string Main = "calendars/" + Maya + "/events";

    protected static readonly ImmutableDictionary<ResourceAddress, string> NothingKnown =
        ImmutableDictionary<ResourceAddress, string>.Empty;

    private protected GoogleRig Rig { get; } = new();
    private protected IRemoteCalendar Calendar { get; private set; } = null!;

    protected static CancellationToken None => CancellationToken.None;

    public async Task InitializeAsync()
    {
        await Rig.InitializeAsync();
        Calendar = await Rig.MainCalendarAsync();
    }

    public async Task DisposeAsync()
    {
        Assert.Equal(0, await Rig.MailCountAsync());
        Assert.All(
            (await Rig.CallsAsync()).Where(call => call.Operation is "events.patch" or "events.delete"
                && call.User == Maya && call.Detail is not null),
            call => Assert.Equal("none", call.Detail));
        await Rig.DisposeAsync();
    }

    public void Dispose()
    {
        Rig.Dispose();
        GC.SuppressFinalize(this);
    }

    protected async Task<string> SeriesAsync() =>
        (await CreateAsync(RemoteCalendarSamples.Series("series"), "series")).Address.Value;

    protected async Task<ResourceWrite.Stored> CreateAsync(CalendarDocument content, string uid)
    {
        var write = await Calendar.CreateAsync(new(uid, content, null), None);
        Assert.True(write is ResourceWrite.Stored, write.ToString());
        return (ResourceWrite.Stored)write;
    }

    protected Task<ResourceWrite> UpdateAsync(RemoteResource held, CalendarDocument content, string uid) =>
        Calendar.UpdateAsync(held.Address, held.Version, new(uid, content, held.Content), None);

    protected async Task<RemoteResource> FoundAsync(ResourceAddress address) =>
        Assert.IsType<ResourceRead.Found>(await Calendar.ReadAsync(address, None)).Resource;

    protected async Task<ChangeSet> ReadAsync(SyncCursor? since) =>
        Assert.IsType<ChangeRead.Done>(await Calendar.ReadChangesAsync(since, NothingKnown, None)).Changes;

    /// <summary>Lets time pass until the client's waits between attempts are over.</summary>
    protected async Task<ChangeRead> PatientAsync(Task<ChangeRead> reading)
    {
        while (!reading.IsCompleted)
        {
            Rig.Clock.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(reading, Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System));
        }

        return await reading;
    }

    protected static CalendarDocument Replaced(CalendarDocument content, string name, string value) =>
        content.Edit().Set(
            content.AllComponents.First(each => each.Is("VEVENT"u8)),
            new PropertyContent(name, value)).Apply();

    protected static string Uid(CalendarDocument content) =>
        content.AllComponents.First(each => each.Is("VEVENT"u8)).Property("UID"u8)!.Value.RawValue;

    protected static JsonObject Time(string moment, string zone = "UTC") =>
        new() { ["dateTime"] = moment, ["timeZone"] = zone };
}
