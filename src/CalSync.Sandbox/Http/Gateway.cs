using System.Text.Json;
using System.Text.Json.Nodes;
using CalSync.Sandbox.Google;
using CalSync.Sandbox.OAuth;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace CalSync.Sandbox.Http;

/// <summary>A named call of the provider.</summary>
/// <param name="Name">As in the call log and in fault scripts: "events.insert".</param>
/// <param name="Scopes">Any one of these in the token is enough; empty means no scope is asked.</param>
internal sealed record Operation(string Name, IReadOnlyList<string> Scopes)
{
    public bool IsWrite { get; } = Name.Split('.')[^1] is
        "insert" or "import" or "patch" or "update" or "delete" or "move";
}

/// <summary>
/// What every provider call passes through: call log, faults, latency, token, quota, scope, the model, the
/// answer.
/// </summary>
internal sealed class Gateway(SandboxState state)
{
    private const int BodySizeBytesMax = 1024 * 1024;
    private const int BodyDepthMax = 32;

    private static readonly JsonSerializerOptions Json =
        new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly FaultGate _gate = new(state);

    /// <summary>A Calendar operation: needs a token with one of the scopes.</summary>
    public void Map(
        IEndpointRouteBuilder routes, string method, string pattern, Operation operation,
        Func<GoogleCall, Answer> handler) =>
        routes.MapMethods(
            pattern, [method], (RequestDelegate)(context => CallAsync(context, operation, handler)));

    /// <summary>An OAuth operation: no token, its own error shape.</summary>
    public void MapOAuth(
        IEndpointRouteBuilder routes, string[] methods, string pattern, string operation,
        Func<HttpContext, IReadOnlyDictionary<string, string>, Answer> handler) =>
        routes.MapMethods(
            pattern, methods, (RequestDelegate)(context => OAuthAsync(context, operation, handler)));

    /// <summary>Any other path: 404 in Google's shape.</summary>
    public Task UnknownAsync(HttpContext context)
    {
        var entry = Begin(context, "unknown");
        return WriteAsync(context, entry, GoogleError.NotFound);
    }

    private async Task CallAsync(HttpContext context, Operation operation, Func<GoogleCall, Answer> handler)
    {
        var entry = Begin(context, operation.Name);
        var token = Authenticate(context, entry);
        Locate(context, entry, token.User);
        var body = await ReadBodyAsync(context);
        if (operation.Name == "events.insert" && body?["id"] is JsonValue id
            && id.TryGetValue<string>(out var own))
        {
            entry.EventId = own;
        }

        var fault = state.Faults.Take(operation.Name, entry.User, entry.CalendarId, entry.EventId, body);
        entry.Fault = fault?.Id;
        var effect = fault?.Effect;
        if (!await _gate.BeforeAsync(context, entry, effect, state.Latency))
            return;
        if (effect is { Status: { } status, ApplyFirst: false })
        {
            await WriteFaultAsync(context, entry, effect, GoogleError.Scripted(status, effect.Reason));
            return;
        }

        var answer = Refuse(
            operation, token, body) ?? Apply(context, operation, token, body!, effect, handler);
        if (!await _gate.AfterAsync(context, entry, effect))
            return;
        if (effect is { Status: { } late })
            await WriteFaultAsync(context, entry, effect, GoogleError.Scripted(late, effect.Reason));
        else
            await WriteAsync(context, entry, answer, effect);
    }

    private Answer Apply(
        HttpContext context, Operation operation, TokenCheck token, JsonObject body, FaultEffect? effect,
        Func<GoogleCall, Answer> handler)
    {
        lock (state.Model.Gate)
        {
            var now = state.Model.Now;
            if (!operation.IsWrite && effect?.StaleSeconds is { } seconds)
                HideLatest(context, token.User!, now.AddSeconds(seconds));
            var answer = handler(new GoogleCall(context, token.User!, body, effect, now));
            if (!operation.IsWrite && answer.Body is not null && effect?.ChangeField is { } field)
                JsonPath.Set(answer.Body, field.Path, field.Value);
            return answer;
        }
    }

    private void HideLatest(HttpContext context, AccountState user, DateTimeOffset until)
    {
        if (context.Request.RouteValues["calendarId"] is string calendarId
            && context.Request.RouteValues["eventId"] is string eventId)
        {
            state.Model.Calendar(user, calendarId)?.Find(eventId)?.HideLatestUntil(until);
        }
    }

    private Answer? Refuse(Operation operation, TokenCheck token, JsonObject? body)
    {
        if (token.State == "absent")
            return GoogleError.LoginRequired;
        if (token.State != "valid")
            return GoogleError.InvalidCredentials;
        if (state.Quota.Take(token.User!.Email, operation.IsWrite) is { } overQuota)
            return overQuota;
        if (operation.Scopes.Count > 0 && !operation.Scopes.Any(token.Scopes.Contains))
            return GoogleError.InsufficientScope;
        return body is null ? (Answer)GoogleError.ParseError : null;
    }

    private async Task OAuthAsync(
        HttpContext context, string operation, Func<HttpContext, IReadOnlyDictionary<string, string>,
            Answer> handler)
    {
        var entry = Begin(context, operation);
        var form = await ReadFormAsync(context);
        entry.Detail = form.GetValueOrDefault("grant_type");
        lock (state.Model.Gate)
        {
            entry.User = state.OAuth.UserOf(
                form.GetValueOrDefault("refresh_token") ?? form.GetValueOrDefault("token"));
        }

        var fault = state.Faults.Take(operation, entry.User, null, null);
        entry.Fault = fault?.Id;
        var effect = fault?.Effect;
        if (!await _gate.BeforeAsync(context, entry, effect, state.Latency))
            return;
        if (effect is { Status: { } status, ApplyFirst: false })
        {
            await WriteFaultAsync(context, entry, effect, OAuthFault(status, effect.Reason));
            return;
        }

        Answer answer;
        lock (state.Model.Gate)
        {
            answer = handler(context, form);
            if (answer.Body is not null && effect?.ChangeField is { } field)
                JsonPath.Set(answer.Body, field.Path, field.Value);
        }

        if (!await _gate.AfterAsync(context, entry, effect))
            return;
        if (effect is { Status: { } late })
            await WriteFaultAsync(context, entry, effect, OAuthFault(late, effect.Reason));
        else
            await WriteAsync(context, entry, answer, effect);
    }

    private static Answer OAuthFault(int status, string? reason) => (status, reason) switch
    {
        (400, null or "invalid_grant") =>
            OAuthModel.Error(400, "invalid_grant", "Token has been expired or revoked."),
        (401, null or "invalid_client") => OAuthModel.Error(401, "invalid_client", "Unauthorized"),
        (429, null) => OAuthModel.Error(429, "rate_limit_exceeded", "Rate limit exceeded."),
        _ => OAuthModel.Error(status, reason ?? "internal_failure", "Backend Error"),
    };

    private CallEntry Begin(HttpContext context, string operation)
    {
        var entry = state.Calls.Begin(state.Clock.GetUtcNow(), operation);
        entry.IfMatch = context.Request.Headers.ContainsKey("If-Match");
        entry.Detail = context.Request.Query.TryGetValue(
            "sendUpdates", out var value) ? value.ToString() : null;
        context.RequestAborted.Register(static told => ((CallEntry)told!).ClientDisconnected = true, entry);
        return entry;
    }

    private TokenCheck Authenticate(HttpContext context, CallEntry entry)
    {
        var header = context.Request.Headers.Authorization.ToString();
        var bearer = header.StartsWith(
            "Bearer ", StringComparison.OrdinalIgnoreCase) ? header[7..].Trim() : null;
        TokenCheck token;
        lock (state.Model.Gate)
            token = state.OAuth.Check(bearer);
        entry.TokenState = token.State;
        entry.User = token.User?.Email;
        return token;
    }

    private static void Locate(HttpContext context, CallEntry entry, AccountState? user)
    {
        entry.CalendarId = context.Request.RouteValues["calendarId"] as string;
        entry.EventId = context.Request.RouteValues["eventId"] as string;
        if (entry.CalendarId == "primary" && user is not null)
            entry.CalendarId = user.Primary.Id;
    }

    private static async Task<JsonObject?> ReadBodyAsync(HttpContext context)
    {
        if (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsDelete(context.Request.Method))
            return [];
        var octets = await ReadOctetsAsync(context);
        if (octets is null)
            return null;
        if (octets.Length == 0)
            return [];
        try
        {
            return JsonNode.Parse(
                octets, null, new JsonDocumentOptions { MaxDepth = BodyDepthMax }) as JsonObject
                is { } body && HasDistinctNames(body) ? body : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // JsonObject finds doubled names late, by throwing at first use; here it means the body cannot be read.
    private static bool HasDistinctNames(JsonNode? node)
    {
        try
        {
            return node switch
            {
                JsonObject fields => fields.All(pair => HasDistinctNames(pair.Value)),
                JsonArray array => array.All(HasDistinctNames),
                _ => true,
            };
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static async Task<byte[]?> ReadOctetsAsync(HttpContext context)
    {
        using var octets = new MemoryStream();
        var buffer = new byte[8192];
        int count;
        while ((count = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0)
        {
            if (octets.Length + count > BodySizeBytesMax)
                return null;
            await octets.WriteAsync(buffer.AsMemory(0, count), context.RequestAborted);
        }

        return octets.ToArray();
    }

    private static async Task<IReadOnlyDictionary<string, string>> ReadFormAsync(HttpContext context)
    {
        var values = context.Request.Query.ToDictionary(
            pair => pair.Key, pair => pair.Value.ToString(), StringComparer.Ordinal);
        if (!context.Request.HasFormContentType)
            return values;
        foreach (var (name, value) in await context.Request.ReadFormAsync(context.RequestAborted))
            values[name] = value.ToString();
        return values;
    }

    private static Task WriteFaultAsync(
        HttpContext context, CallEntry entry, FaultEffect effect, Answer answer)
    {
        if (effect.RetryAfter is { } seconds)
        {
            context.Response.Headers.RetryAfter = seconds.ToString(
                System.Globalization.CultureInfo.InvariantCulture);
        }

        return WriteAsync(context, entry, answer, effect);
    }

    private static Task WriteAsync(
        HttpContext context, CallEntry entry, Answer answer, FaultEffect? effect = null)
    {
        var response = context.Response;
        response.StatusCode = answer.Status;
        response.Headers["X-CalSync-Sandbox"] = "true";
        response.Headers.CacheControl = "private, max-age=0, must-revalidate, no-transform";
        response.Headers.Vary = "Origin, X-Origin, Referer";
        if (answer.ETag is not null)
            response.Headers.ETag = answer.ETag;
        if (answer.Body is null)
            return FaultGate.SendAsync(context, entry, effect, null);
        response.ContentType = "application/json; charset=UTF-8";
        return FaultGate.SendAsync(
            context, entry, effect, JsonSerializer.SerializeToUtf8Bytes(answer.Body, Json));
    }
}
