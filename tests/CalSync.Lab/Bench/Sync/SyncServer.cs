using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Xml;
using CalSync.Lab.Peers;

namespace CalSync.Lab.Bench.Sync;

/// <summary>What a server was asked.</summary>
/// <param name="Requests">How many.</param>
/// <param name="In">Octets of all request bodies.</param>
/// <param name="Out">Octets of all answer bodies.</param>
/// <param name="Methods">Requests by method; a report is named by its kind.</param>
internal sealed record SyncTraffic(
    long Requests, long In, long Out, IReadOnlyDictionary<string, long> Methods);

/// <summary>A null CalDAV server in a process of its own, with the calendars A and B.</summary>
internal sealed class SyncServer : IAsyncDisposable
{
    private const int SeedConnections = 8;
    private const string AllContents =
        "<C:calendar-query xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\"><prop><getetag/>"
        + "<C:calendar-data/></prop></C:calendar-query>";

    private readonly PeerProcess _process;
    private readonly HttpClient _http;

    private SyncServer(PeerProcess process, Uri address)
    {
        _process = process;
        _http = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromMinutes(5) };
    }

    /// <summary>The two calendars.</summary>
    public Uri Calendar(int side) => new(_http.BaseAddress!, side == 0 ? "/A/" : "/B/");

    /// <summary>Starts one.</summary>
    /// <param name="library">The server's program; null for our own.</param>
    /// <param name="cancellation">Cancelling stops what was started.</param>
    [SuppressMessage("Reliability", "CA2000", Justification = "The server owns and disposes it.")]
    public static async Task<SyncServer> StartAsync(string? library, CancellationToken cancellation)
    {
        var port = PeerProcess.FreePort();
        var address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/"));
        string[] line = library is null
            ? ["dotnet", typeof(SyncServer).Assembly.Location, "null-caldav"]
            : ["dotnet", library];
        using var probe = new HttpClient { BaseAddress = address };
        var process = await PeerProcess.StartAsync(
            PeerProcess.NewDirectory(), () => AnswersAsync(probe),
            [.. line, port.ToString(CultureInfo.InvariantCulture)],
            // A web application watches the files below its folder, which here are those its clients write.
            new Dictionary<string, string> { ["DOTNET_hostBuilder__reloadConfigOnChange"] = "false" },
            cancellation);
        return new SyncServer(process, address);
    }

    /// <summary>Forgets everything and puts resources into A.</summary>
    public async Task SeedAsync(IReadOnlyList<byte[]> resources, CancellationToken cancellation)
    {
        await ControlAsync("_delay?ms=0", cancellation);
        await ControlAsync("_drop", cancellation);
        await Parallel.ForEachAsync(
            resources,
            new ParallelOptions
            {
                MaxDegreeOfParallelism = SeedConnections,
                CancellationToken = cancellation,
            },
            async (octets, stop) =>
                await PutAsync($"/A/{Uri.EscapeDataString(Uid(octets))}.ics", octets, stop));
        using var make = new HttpRequestMessage(new HttpMethod("MKCALENDAR"), "/B/");
        using var made = await _http.SendAsync(make, cancellation);
        made.EnsureSuccessStatusCode();
    }

    /// <summary>Delays every answer from now on.</summary>
    public Task DelayAsync(int delayMs, CancellationToken cancellation) => ControlAsync(
        string.Create(CultureInfo.InvariantCulture, $"_delay?ms={delayMs}"), cancellation);

    /// <summary>Begins to count anew.</summary>
    public Task ResetAsync(CancellationToken cancellation) => ControlAsync("_reset", cancellation);

    /// <summary>What was asked since.</summary>
    public async Task<SyncTraffic> TrafficAsync(CancellationToken cancellation) =>
        (await _http.GetFromJsonAsync<SyncTraffic>("_stats", JsonSerializerOptions.Web, cancellation))!;

    /// <summary>Changes the title of some events of a side, as a person does.</summary>
    public Task EditAsync(int side, IEnumerable<byte[]> resources, CancellationToken cancellation) =>
        EachAsync(
            side, resources,
            async (href, octets) => await PutAsync(
                href,
                Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(octets).Replace(
                    "\r\nSUMMARY:", $"\r\nSUMMARY:edit{side} ", StringComparison.Ordinal)),
                cancellation),
            cancellation);

    /// <summary>Deletes some events of a side.</summary>
    public Task DeleteAsync(int side, IEnumerable<byte[]> resources, CancellationToken cancellation) =>
        EachAsync(
            side, resources,
            async (href, _) =>
            {
                using var answer = await _http.DeleteAsync(new Uri(href, UriKind.Relative), cancellation);
                answer.EnsureSuccessStatusCode();
            },
            cancellation);

    /// <summary>A digest of each event of a side by UID, the same whatever the order of its lines.</summary>
    public async Task<IReadOnlyDictionary<string, string>> DigestsAsync(
        int side, CancellationToken cancellation) =>
        (await ContentsAsync(side, cancellation)).ToDictionary(
            one => Uid(one.Octets), one => Digest(one.Octets), StringComparer.Ordinal);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _process.DisposeAsync();
    }

    private static async Task<bool> AnswersAsync(HttpClient probe)
    {
        try
        {
            using var answer = await probe.GetAsync(new Uri("_stats", UriKind.Relative));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static string Uid(byte[] octets)
    {
        var text = Encoding.UTF8.GetString(octets);
        var at = text.IndexOf("\r\nUID:", StringComparison.Ordinal) + 6;
        return text[at..text.IndexOf("\r\n", at, StringComparison.Ordinal)];
    }

    private static string Digest(byte[] octets)
    {
        var lines = Encoding.UTF8.GetString(octets)
            .Replace("\r\n ", "", StringComparison.Ordinal).Replace("\r\n\t", "", StringComparison.Ordinal)
            .Split("\r\n").Order(StringComparer.Ordinal);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', lines))));
    }

    private async Task EachAsync(
        int side, IEnumerable<byte[]> resources, Func<string, byte[], Task> work,
        CancellationToken cancellation)
    {
        var there = (await ContentsAsync(side, cancellation)).ToDictionary(
            one => Uid(one.Octets), StringComparer.Ordinal);
        foreach (var resource in resources)
        {
            var (href, octets) = there[Uid(resource)];
            await work(href, octets);
        }
    }

    private async Task<List<(string Href, byte[] Octets)>> ContentsAsync(
        int side, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(new HttpMethod("REPORT"), Calendar(side))
        {
            Content = new StringContent(AllContents, Encoding.UTF8, "application/xml"),
        };
        using var answer = await _http.SendAsync(request, cancellation);
        answer.EnsureSuccessStatusCode();
        List<(string, byte[])> all = [];
        var href = "";
        using var reader = XmlReader.Create(
            await answer.Content.ReadAsStreamAsync(cancellation), new XmlReaderSettings { Async = true });
        while (await reader.ReadAsync())
        {
            if (reader is { NodeType: XmlNodeType.Element, LocalName: "href" })
            {
                href = await TextAsync(reader);
            }
            else if (reader is { NodeType: XmlNodeType.Element, LocalName: "calendar-data" })
            {
                all.Add((href, Encoding.UTF8.GetBytes(await TextAsync(reader))));
            }
        }

        return all;
    }

    private static async Task<string> TextAsync(XmlReader reader) =>
        await reader.ReadAsync() ? await reader.GetValueAsync() : "";

    private async Task PutAsync(string href, byte[] octets, CancellationToken cancellation)
    {
        using var content = new ByteArrayContent(octets);
        content.Headers.ContentType = new("text/calendar") { CharSet = "utf-8" };
        using var answer = await _http.PutAsync(new Uri(href, UriKind.Relative), content, cancellation);
        if (answer.StatusCode is not (HttpStatusCode.Created or HttpStatusCode.NoContent))
            throw new InvalidOperationException($"PUT {href} was answered with {answer.StatusCode}.");
    }

    private async Task ControlAsync(string what, CancellationToken cancellation)
    {
        using var answer = await _http.PostAsync(new Uri(what, UriKind.Relative), null, cancellation);
        answer.EnsureSuccessStatusCode();
    }
}
