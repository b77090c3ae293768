using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;

namespace CalSync.Lab.Secrecy;

/// <summary>Stands before everything else of a web host and copies what goes in and out.</summary>
/// <param name="isProduct">
/// True: what it answers is what the product puts out. False for a practice provider, whose answers are where
/// its secrets come from.
/// </param>
internal sealed class AnswerWatch(bool isProduct) : IStartupFilter
{
    private const int RequestBytesMax = 64 * 1024;

    private static readonly Dictionary<string, SecretKind> Members = new(StringComparer.OrdinalIgnoreCase)
    {
        ["password"] = SecretKind.Password,
        ["currentPassword"] = SecretKind.Password,
        ["newPassword"] = SecretKind.Password,
        ["access_token"] = SecretKind.Bearer,
        ["refresh_token"] = SecretKind.RefreshToken,
        ["client_secret"] = SecretKind.ClientSecret,
        ["code"] = SecretKind.Code,
        ["code_verifier"] = SecretKind.Code,
    };

    /// <inheritdoc/>
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(WatchAsync);
        next(app);
    };

    private async Task WatchAsync(HttpContext context, RequestDelegate next)
    {
        IssueCredentials(context.Request.Headers.Authorization.ToString());
        using var asked = new MemoryStream();
        using var answered = new MemoryStream();
        var isRead = context.Request.ContentLength is > 0 and <= RequestBytesMax;
        if (isRead)
            context.Request.Body = new CopyingStream(context.Request.Body, asked);
        context.Features.Set<IHttpResponseBodyFeature>(
            new CopiedAnswer(context.Features.GetRequiredFeature<IHttpResponseBodyFeature>(), answered));
        // What the server itself may forget by the end of the request.
        var (method, path) = (context.Request.Method, context.Request.Path.Value);
        try
        {
            await next(context);
        }
        finally
        {
            if (isRead)
                IssueMembers(context.Request.ContentType, Text(asked));
            Keep(context.Response, $"{method} {path}", Text(answered));
        }
    }

    private void Keep(HttpResponse response, string request, string body)
    {
        var headers = string.Join('\n', response.Headers.Select(header => $"{header.Key}: {header.Value}"));
        if (isProduct)
        {
            Witness.Saw($"http {response.StatusCode} {request}", $"{headers}\n{body}");
            return;
        }

        if (body.Contains("_token", StringComparison.Ordinal))
            IssueMembers(response.ContentType, body);
        if (Uri.TryCreate(response.Headers.Location, UriKind.Absolute, out var location)
            && QueryHelpers.ParseQuery(location.Query).TryGetValue("code", out var code))
        {
            Issue(SecretKind.Code, code);
        }
    }

    private static void IssueCredentials(string header)
    {
        if (!AuthenticationHeaderValue.TryParse(header, out var credentials))
            return;
        if (credentials.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase))
            Issue(SecretKind.Bearer, credentials.Parameter);
        var pair = new byte[credentials.Parameter?.Length ?? 0];
        if (!credentials.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase)
            || !Convert.TryFromBase64String(credentials.Parameter!, pair, out var size))
        {
            return;
        }

        Issue(SecretKind.Password, credentials.Parameter);
        Issue(SecretKind.Password, Encoding.UTF8.GetString(pair, 0, size).Split(':', 2)[^1]);
    }

    private static void IssueMembers(string? contentType, string body)
    {
        if (contentType?.Contains("form-urlencoded", StringComparison.OrdinalIgnoreCase) == true)
        {
            foreach (var (name, value) in QueryHelpers.ParseQuery(body))
                IssueMember(name, value);
        }
        else if (contentType?.Contains("json", StringComparison.OrdinalIgnoreCase) == true)
        {
            try
            {
                using var document = JsonDocument.Parse(body);
                if (document.RootElement.ValueKind != JsonValueKind.Object)
                    return;
                foreach (var member in document.RootElement.EnumerateObject())
                {
                    if (member.Value.ValueKind == JsonValueKind.String)
                        IssueMember(member.Name, member.Value.GetString());
                }
            }
            catch (Exception fault) when (fault is JsonException or InvalidOperationException)
            {
                // Tests also send what is not JSON, and half of a letter; nobody finds a secret in it.
            }
        }
    }

    private static void IssueMember(string name, string? value)
    {
        if (Members.TryGetValue(name, out var kind))
            Issue(kind, value);
    }

    // As it is, and as it stands in an address.
    private static void Issue(SecretKind kind, string? secret)
    {
        Witness.Issue(kind, secret);
        if (secret is not null && Uri.EscapeDataString(secret) is var escaped && escaped != secret)
            Witness.Issue(kind, escaped);
    }

    private static string Text(MemoryStream copied) =>
        Encoding.UTF8.GetString(copied.GetBuffer(), 0, (int)copied.Length);
}
