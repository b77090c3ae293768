using System.Text;
using CalSync.Lab.Peers;
using Xunit;

namespace CalSync.Tests.Peers;

/// <summary>The second opinion can tell equal collections from different ones.</summary>
[Collection(RadicaleFixture.Collection)]
public sealed class VdirsyncerTests(RadicaleFixture fixture)
{
    [Fact]
    public async Task Sync_OfTwoCollections_SaysWhatDiffersAndThenNothing()
    {
        var peer = fixture.Peer;
        var left = await peer.NewCalendarAsync(CancellationToken.None);
        var right = await peer.NewCalendarAsync(CancellationToken.None);
        foreach (var path in new[] { left + "a.ics", right + "a.ics", left + "only.ics" })
        {
            var uid = path[(path.LastIndexOf('/') + 1)..];
            using var body = new StringContent(
                "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nBEGIN:VEVENT\r\n"
                    + $"UID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260504T090000Z\r\n"
                    + "DTEND:20260504T100000Z\r\nSUMMARY:Yoga\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
                Encoding.UTF8, "text/calendar");
            using var response = await peer.Http.PutAsync(path, body);
            response.EnsureSuccessStatusCode();
        }

        var first = await SyncAsync();
        Assert.Contains("only.ics", Assert.Single(first), StringComparison.Ordinal);
        Assert.Empty(await SyncAsync());

        Task<IReadOnlyList<string>> SyncAsync() => Vdirsyncer.SyncAsync(
            new Uri(peer.Entry, left), new Uri(peer.Entry, right), CancellationToken.None);
    }
}
