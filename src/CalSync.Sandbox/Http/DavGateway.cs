using System.Globalization;
using System.Text;
using System.Xml.Linq;
using CalSync.Sandbox.CalDav;
using CalSync.Sandbox.Control;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace CalSync.Sandbox.Http;

/// <summary>
/// What every CalDAV call passes through: call log, password, faults, latency, rate, the model, the answer.
/// </summary>
internal sealed class DavGateway(SandboxState state)
{
    private const int XmlSizeBytesMax = 8 * 1024 * 1024;
    private const int RetryAfterSeconds = 5;
    private const string Methods = "OPTIONS, GET, HEAD, PUT, DELETE, PROPFIND, PROPPATCH, REPORT, MKCALENDAR";

    private readonly FaultGate _gate = new(state);

    /// <summary>Where the second host of the practice iCloud listens; with a slash at the end.</summary>
    public Uri Shard { get; set; } = new("http://127.0.0.1/");

    public async Task ServeAsync(HttpContext context)
    {
        var model = state.CalDav;
        var entry = state.Calls.Begin(state.Clock.GetUtcNow(), "caldav.unknown");
        entry.IfMatch = context.Request.Headers.ContainsKey("If-Match");
        context.RequestAborted.Register(static told => ((CallEntry)told!).ClientDisconnected = true, entry);
        var (account, isSignedIn) = Authenticate(context, model, entry);
        var (request, problem) = await ReadAsync(context);
        entry.Operation = request.Operation;
        entry.CalendarId = request.Path.CalendarId is { Length: > 0 } calendar ? calendar : null;
        entry.EventId = request.Path.Name is { Length: > 0 } name ? name : null;
        var fault = state.Faults.Take(entry.Operation, entry.User, entry.CalendarId, entry.EventId);
        entry.Fault = fault?.Id;
        var effect = fault?.Effect;
        if (!await _gate.BeforeAsync(context, entry, effect, state.Latency))
            return;
        request = request with { Effect = effect, RowFault = row => RowFault(entry, row) };
        if (effect is { Status: not null, ApplyFirst: false })
        {
            await WriteAsync(context, entry, effect, Scripted(effect), model.Quirks);
            return;
        }

        DavAnswer answer;
        lock (model.Gate)
        {
            answer = problem ?? Refuse(context, request, account, isSignedIn)
                ?? Apply(model, request, account!);
        }

        entry.Detail = answer.Detail;
        if (!await _gate.AfterAsync(context, entry, effect))
            return;
        await WriteAsync(
            context, entry, effect, effect is { Status: not null } ? Scripted(effect) : answer, model.Quirks);
    }

    private DavAnswer Apply(DavModel model, DavRequest request, DavAccount account)
    {
        var reads = new DavReads(model, account, new DavProperties(model, account, Shard));
        if (!request.IsWrite && request.Effect?.StaleSeconds is { } seconds)
        {
            reads.Calendar(request.Path)?.Find(request.Path.Name)
                ?.DelayReadsUntil(model.Now.AddSeconds(seconds));
        }

        var writes = new DavWrites(model, account, reads);
        return request.Method switch
        {
            "OPTIONS" => new DavAnswer(200) { Allow = Methods },
            "PROPFIND" => reads.PropFind(request),
            "REPORT" => reads.Report(request),
            "GET" or "HEAD" => reads.Get(request),
            "PUT" => writes.Put(request),
            "DELETE" => writes.Delete(request),
            "MKCALENDAR" => writes.MkCalendar(request),
            "PROPPATCH" => writes.PropPatch(request),
            _ => new DavAnswer(405) { Allow = Methods },
        };
    }

    private DavAnswer? Refuse(HttpContext context, DavRequest request, DavAccount? account, bool isSignedIn)
    {
        // Discovery starts before anybody has a password. RFC 6764 section 5.
        if (request.Path.Kind == DavKind.WellKnown)
            return new DavAnswer(301) { Location = $"{context.Request.Scheme}://{context.Request.Host}/" };
        if (!isSignedIn)
            return new DavAnswer(401);
        if (state.CalDavRate.IsExceeded(account!.Email, state.CalDav.Quirks.RequestsPerMinuteMax))
            return new DavAnswer(503) { RetryAfterSeconds = RetryAfterSeconds };
        if (request.Path.Kind == DavKind.Unknown && request.Method != "MKCALENDAR")
            return DavAnswer.NotFound;
        return request.Path.Dsid.Length > 0 && request.Path.Dsid != account.Dsid ? new DavAnswer(403) : null;
    }

    private static (DavAccount? Account, bool IsSignedIn) Authenticate(
        HttpContext context, DavModel model, CallEntry entry)
    {
        entry.TokenState = "absent";
        if (Basic(context.Request.Headers.Authorization.ToString()) is not var (user, password))
            return (null, false);
        lock (model.Gate)
        {
            var account = model.Account(user);
            var isSignedIn = account is not null && (account.AppPasswords.Contains(password)
                || (!model.Quirks.NeedsAppPassword && account.Password == password));
            entry.User = account?.Email;
            entry.TokenState = isSignedIn ? "valid" : "unknown";
            return (account, isSignedIn);
        }
    }

    private static (string User, string Password)? Basic(string header)
    {
        if (!header.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase))
            return null;
        var octets = new byte[header.Length];
        if (!Convert.TryFromBase64String(header[6..].Trim(), octets, out var length))
            return null;
        var text = Encoding.UTF8.GetString(octets, 0, length);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? null : (text[..colon], text[(colon + 1)..]);
    }

    private FaultEffect? RowFault(CallEntry entry, string name)
    {
        var fault = state.Faults.Take(FaultBook.RowOperation, entry.User, entry.CalendarId, name);
        entry.Fault ??= fault?.Id;
        return fault?.Effect;
    }

    private static async Task<(DavRequest Request, DavAnswer? Problem)> ReadAsync(HttpContext context)
    {
        var headers = context.Request.Headers;
        var method = context.Request.Method.ToUpperInvariant();
        var sizeMax = method == "PUT" ? DavProperties.ResourceSizeBytesMax + 1 : XmlSizeBytesMax;
        var octets = await ReadOctetsAsync(context, sizeMax);
        var takesXml = method is "PROPFIND" or "PROPPATCH" or "REPORT" or "MKCALENDAR";
        var xml = takesXml && octets is { Length: > 0 } ? DavXml.Parse(octets) : null;
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        var request = new DavRequest(method, DavPath.Parse(target), octets ?? [], xml)
        {
            Depth = Header("Depth"),
            IfMatch = Header("If-Match"),
            IfNoneMatch = Header("If-None-Match"),
            ContentType = context.Request.ContentType?.Split(';')[0].Trim().ToLowerInvariant(),
            AnswersOrganizer = Header("Schedule-Reply") != "F",
        };
        var problem = octets is null ? new DavAnswer(413)
            : takesXml && octets.Length > 0 && xml is null ? new DavAnswer(400)
            : null;
        return (request, problem);

        string? Header(string name) =>
            headers.TryGetValue(name, out var value) ? value.ToString().Trim() : null;
    }

    private static async Task<byte[]?> ReadOctetsAsync(HttpContext context, int sizeMax)
    {
        using var octets = new MemoryStream();
        var buffer = new byte[16 * 1024];
        int count;
        while ((count = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0)
        {
            if (octets.Length + count > sizeMax)
                return null;
            await octets.WriteAsync(buffer.AsMemory(0, count), context.RequestAborted);
        }

        return octets.ToArray();
    }

    private static DavAnswer Scripted(FaultEffect effect) => new(effect.Status!.Value)
    {
        RetryAfterSeconds = effect.RetryAfter,
        Xml = effect.Reason is { } reason
            ? new XElement(DavNames.D + "error", new XElement(Condition(reason)))
            : null,
    };

    // "valid-sync-token" is of WebDAV, "CALDAV:no-uid-conflict" of CalDAV.
    private static XName Condition(string reason) =>
        reason.StartsWith("CALDAV:", StringComparison.Ordinal)
            ? DavNames.C + reason[7..]
            : DavNames.D + reason;

    private static Task WriteAsync(
        HttpContext context, CallEntry entry, FaultEffect? effect, DavAnswer answer, CalDavQuirks quirks)
    {
        var response = context.Response;
        response.StatusCode = answer.Status;
        response.Headers["X-CalSync-Sandbox"] = "true";
        response.Headers["DAV"] = "1, 3, access-control, calendar-access"
            + (quirks.MailsAttendees ? ", calendar-auto-schedule" : "");
        if (answer.Status == 401)
            response.Headers.WWWAuthenticate = "Basic realm=\"MMCalDav\"";
        if (answer.ETag is not null)
            response.Headers.ETag = answer.ETag;
        if (answer.Location is not null)
            response.Headers.Location = answer.Location;
        if (answer.Allow is not null)
            response.Headers.Allow = answer.Allow;
        if (answer.RetryAfterSeconds is { } seconds)
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        if (answer.Calendar is { } calendar)
        {
            response.ContentType = "text/calendar; charset=utf-8";
            return FaultGate.SendAsync(context, entry, effect, calendar.ToArray());
        }

        if (answer.Xml is null)
            return FaultGate.SendAsync(context, entry, effect, null);
        response.ContentType = "text/xml; charset=utf-8";
        return FaultGate.SendAsync(
            context, entry, effect, DavXml.Write(answer.Xml, !quirks.WritesUnprefixedXml));
    }
}
