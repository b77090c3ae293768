using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CalSync.Lab.Bench.Sync;

/// <summary>A CalDAV server that costs next to nothing, so that its clients are what is measured.</summary>
/// <remarks>
/// Each first path segment is a calendar in memory, made when it is first named; nobody signs in. PROPFIND,
/// the reports multiget, query (everything) and sync-collection, GET, conditional PUT and DELETE. Its
/// control: <c>GET /_stats</c> says what was asked for and how many octets the bodies had, <c>POST
/// /_reset</c> begins to count anew, <c>POST /_drop</c> forgets all calendars, <c>POST /_delay?ms=N</c>
/// delays every answer.
/// </remarks>
public sealed class NullCalDav : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, NullCalendar> _calendars = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _methods = new(StringComparer.Ordinal);
    private readonly WebApplication _host;
    private long _octetsIn;
    private long _octetsOut;
    private int _delayMs;

    private NullCalDav(WebApplication host)
    {
        _host = host;
        _host.Run(AnswerAsync);
    }

    /// <summary>Where it listens.</summary>
    public Uri Address => new(_host.Services.GetRequiredService<IServer>().Features
        .Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>Starts it on 127.0.0.1.</summary>
    /// <param name="port">0 for any that is free.</param>
    /// <param name="cancellation">Cancelling stops the start.</param>
    [SuppressMessage("Reliability", "CA2000", Justification = "The server owns and disposes it.")]
    public static async Task<NullCalDav> StartAsync(int port, CancellationToken cancellation)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Limits.MaxRequestBodySize = null);
        builder.WebHost.UseUrls(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"));
        var server = new NullCalDav(builder.Build());
        await server._host.StartAsync(cancellation);
        return server;
    }

    /// <summary>Runs until it is told to stop.</summary>
    public Task WaitAsync(CancellationToken cancellation) =>
        ((IHost)_host).WaitForShutdownAsync(cancellation);

    /// <summary>Requests since the count began, by method; a report is named by its kind.</summary>
    public IReadOnlyDictionary<string, long> Requests => _methods;

    /// <summary>Begins to count anew.</summary>
    public void Reset()
    {
        _methods.Clear();
        (_octetsIn, _octetsOut) = (0, 0);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        var path = request.Path.Value!;
        if (path.StartsWith("/_", StringComparison.Ordinal))
        {
            await ControlAsync(path, request, response);
            return;
        }

        if (_delayMs > 0)
            await Task.Delay(_delayMs, context.RequestAborted);
        using var buffer = new MemoryStream();
        await request.Body.CopyToAsync(buffer, context.RequestAborted);
        var body = buffer.ToArray();
        response.Headers["DAV"] = "1, 3, calendar-access";
        var segments = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var kind = request.Method;
        byte[]? answer;
        if (segments.Length == 0 || segments[0].StartsWith('.') || segments[0] == "principal")
        {
            answer = Principal(path, request, response);
        }
        else
        {
            var calendar = _calendars.GetOrAdd(segments[0], name => new NullCalendar(name));
            lock (calendar)
            {
                answer = segments.Length == 1
                    ? OnCalendar(calendar, request, response, body, ref kind)
                    : OnResource(calendar, segments[1], request, response, body);
            }
        }

        _methods.AddOrUpdate(kind, 1, (_, count) => count + 1);
        Interlocked.Add(ref _octetsIn, body.Length);
        if (answer is null)
            return;
        Interlocked.Add(ref _octetsOut, answer.Length);
        response.ContentLength = answer.Length;
        if (request.Method != "HEAD")
            await response.Body.WriteAsync(answer, context.RequestAborted);
    }

    private async Task ControlAsync(string path, HttpRequest request, HttpResponse response)
    {
        switch (path)
        {
            case "/_stats":
                await response.WriteAsync(JsonSerializer.Serialize(new Dictionary<string, object>
                {
                    ["requests"] = _methods.Values.Sum(),
                    ["in"] = _octetsIn,
                    ["out"] = _octetsOut,
                    ["methods"] = _methods,
                }));
                break;
            case "/_reset":
                Reset();
                break;
            case "/_drop":
                _calendars.Clear();
                Reset();
                break;
            case "/_delay":
                _delayMs = int.Parse(request.Query["ms"]!, CultureInfo.InvariantCulture);
                break;
            default:
                response.StatusCode = 404;
                break;
        }
    }

    private byte[]? Principal(string path, HttpRequest request, HttpResponse response)
    {
        if (request.Method != "PROPFIND")
        {
            response.StatusCode = request.Method == "OPTIONS" ? 200 : 404;
            return null;
        }

        var xml = new NullXml().Row(
            path,
            "<D:resourcetype><D:collection/></D:resourcetype><D:current-user-principal><D:href>/principal/"
            + "</D:href></D:current-user-principal><C:calendar-home-set><D:href>/</D:href>"
            + "</C:calendar-home-set>");
        if (request.Headers["Depth"] == "1")
        {
            foreach (var calendar in _calendars.Values)
                Describe(xml, calendar);
        }

        return Multistatus(response, xml);
    }

    private static byte[]? OnCalendar(
        NullCalendar calendar, HttpRequest request, HttpResponse response, byte[] body, ref string kind)
    {
        switch (request.Method)
        {
            case "OPTIONS":
                response.Headers.Allow = "OPTIONS, GET, PUT, DELETE, PROPFIND, REPORT, MKCALENDAR";
                return null;
            case "MKCALENDAR":
                response.StatusCode = 201;
                return null;
            case "PROPFIND":
                var found = new NullXml();
                Describe(found, calendar);
                if (request.Headers["Depth"] == "1")
                    AddAll(found, calendar, calendar.All, withData: false);
                return Multistatus(response, found);
            case "REPORT":
                var report = NullReport.Read(body);
                kind = $"REPORT {report.Root}";
                return Report(calendar, report, response);
            default:
                response.StatusCode = 405;
                return null;
        }
    }

    private static byte[]? Report(NullCalendar calendar, NullReport report, HttpResponse response)
    {
        var xml = new NullXml();
        switch (report.Root)
        {
            case "calendar-multiget":
                foreach (var href in report.Hrefs)
                {
                    if (calendar.Find(Uri.UnescapeDataString(href[(href.LastIndexOf('/') + 1)..])) is { } one)
                        xml.Resource(href, one, report.WithData);
                    else
                        xml.Missing(href);
                }

                break;
            case "sync-collection":
                var changed = report.SyncToken.Length == 0 ? calendar.All : calendar.Since(report.SyncToken);
                if (changed is null)
                {
                    response.StatusCode = 403;
                    return "<D:error xmlns:D=\"DAV:\"><D:valid-sync-token/></D:error>"u8.ToArray();
                }

                AddAll(xml, calendar, changed, report.WithData);
                xml.Add($"<D:sync-token>{calendar.Token}</D:sync-token>");
                break;
            default:
                AddAll(xml, calendar, calendar.All, report.WithData);
                break;
        }

        return Multistatus(response, xml);
    }

    private static byte[]? OnResource(
        NullCalendar calendar, string name, HttpRequest request, HttpResponse response, byte[] body)
    {
        var found = calendar.Find(name);
        switch (request.Method)
        {
            case "GET" or "HEAD" when found is not null:
                response.ContentType = "text/calendar; charset=utf-8";
                response.Headers.ETag = found.ETag;
                return found.Octets;
            case "PUT" or "DELETE" when IsRefused(request, found):
                response.StatusCode = 412;
                return null;
            case "PUT":
                response.StatusCode = found is null ? 201 : 204;
                response.Headers.ETag = calendar.Put(name, body).ETag;
                return null;
            case "DELETE" when found is not null:
                calendar.Delete(name);
                response.StatusCode = 204;
                return null;
            default:
                response.StatusCode = request.Method is "GET" or "HEAD" or "DELETE" ? 404 : 405;
                return null;
        }
    }

    private static bool IsRefused(HttpRequest request, NullResource? found) =>
        (request.Headers.IfNoneMatch == "*" && found is not null)
        || (request.Headers.IfMatch is [{ } wanted, ..]
            && (found is null || (wanted != "*" && wanted != found.ETag)));

    private static void AddAll(
        NullXml xml, NullCalendar calendar, IEnumerable<NullResource> resources, bool withData)
    {
        foreach (var one in resources)
        {
            var name = Uri.EscapeDataString(one.Name).Replace("%40", "@", StringComparison.Ordinal);
            var href = $"/{calendar.Name}/{name}";
            if (one.Octets is null)
                xml.Missing(href);
            else
                xml.Resource(href, one, withData);
        }
    }

    private static void Describe(NullXml xml, NullCalendar calendar) => xml.Row(
        $"/{calendar.Name}/",
        "<D:resourcetype><D:collection/><C:calendar/></D:resourcetype>"
        + $"<D:displayname>{calendar.Name}</D:displayname><S:getctag>{calendar.Token}</S:getctag>"
        + $"<D:sync-token>{calendar.Token}</D:sync-token><C:supported-calendar-component-set>"
        + "<C:comp name=\"VEVENT\"/></C:supported-calendar-component-set><D:supported-report-set>"
        + "<D:supported-report><D:report><D:sync-collection/></D:report></D:supported-report>"
        + "<D:supported-report><D:report><C:calendar-multiget/></D:report></D:supported-report>"
        + "</D:supported-report-set><D:current-user-principal><D:href>/principal/</D:href>"
        + "</D:current-user-principal>");

    private static byte[] Multistatus(HttpResponse response, NullXml xml)
    {
        response.StatusCode = 207;
        response.ContentType = "application/xml; charset=utf-8";
        return xml.End();
    }
}
