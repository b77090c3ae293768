using System.Text;
using System.Text.Json.Nodes;
using CalSync.Sandbox.Google;
using CalSync.Sandbox.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace CalSync.Sandbox.OAuth;

/// <summary>Consent, token, revoke, userinfo and what OpenID Connect adds.</summary>
internal static class OAuthApi
{
    private const string Authorize = "/o/oauth2/v2/auth";

    public static void Map(IEndpointRouteBuilder routes, Gateway gateway, SandboxState state)
    {
        routes.MapMethods(
            Authorize, ["GET", "POST"], (RequestDelegate)(context => AuthorizeAsync(context, state)));
        gateway.MapOAuth(
            routes, ["POST"], "/token", "token",
            (context, form) => state.OAuth.Token(form, Basic(context), Issuer(context)));
        gateway.MapOAuth(
            routes, ["GET"], "/.well-known/openid-configuration", "discovery",
            (context, _) => Answer.Ok(IdTokenSigning.Discovery(Issuer(context))));
        gateway.MapOAuth(
            routes, ["GET"], "/oauth2/v3/certs", "certs", (_, _) => Answer.Ok(IdTokenSigning.Keys()));
        gateway.MapOAuth(
            routes, ["GET", "POST"], "/revoke", "revoke",
            (_, form) => state.OAuth.Revoke(form.GetValueOrDefault("token")));
        gateway.Map(
            routes, "GET", "/oauth2/v3/userinfo",
            new Operation(
                "userinfo", ["openid", "email", "https://www.googleapis.com/auth/userinfo.email"]), UserInfo);
    }

    private static string Issuer(HttpContext context) => $"{context.Request.Scheme}://{context.Request.Host}";

    private static Answer UserInfo(GoogleCall call) => Answer.Ok(new JsonObject
    {
        ["sub"] = call.User.Subject,
        ["email"] = call.User.Email,
        ["email_verified"] = true,
        ["name"] = call.User.Name,
    });

    private static async Task AuthorizeAsync(HttpContext context, SandboxState state)
    {
        var entry = state.Calls.Begin(state.Clock.GetUtcNow(), "authorize");
        var values = context.Request.Query.ToDictionary(
            pair => pair.Key, pair => pair.Value.ToString(), StringComparer.Ordinal);
        var ticked = Array.Empty<string>();
        if (context.Request.HasFormContentType)
        {
            var form = await context.Request.ReadFormAsync(context.RequestAborted);
            foreach (var (name, value) in form)
                values[name] = value.ToString();
            ticked = form["granted_scope"].Select(scope => scope ?? "").ToArray();
        }

        var reply = Reply(context, state, values, ticked);
        entry.User = values.GetValueOrDefault("sandbox_user");
        entry.Status = reply.Status;
        context.Response.StatusCode = reply.Status;
        context.Response.Headers["X-CalSync-Sandbox"] = "true";
        if (reply.Location is not null)
        {
            context.Response.Headers.Location = reply.Location;
            return;
        }

        context.Response.ContentType = "text/html; charset=utf-8";
        await context.Response.WriteAsync(reply.Html!, context.RequestAborted);
    }

    private static PageReply Reply(
        HttpContext context, SandboxState state, Dictionary<string, string> values, string[] ticked)
    {
        lock (state.Model.Gate)
        {
            if (values.GetValueOrDefault("client_id") is not { } clientId
                || state.OAuth.Client(clientId) is not { } client)
            {
                return new PageReply(
                    401, ConsentPage.Error("invalid_client", "The OAuth client was not found."));
            }

            if (values.GetValueOrDefault("redirect_uri") is not { } redirectUri
                || !OAuthModel.IsRedirectAllowed(client, redirectUri))
            {
                return new PageReply(
                    400, ConsentPage.Error("redirect_uri_mismatch", "This address is not registered."));
            }

            var scopes = values.GetValueOrDefault(
                "scope", "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (values.GetValueOrDefault("response_type") != "code" || scopes.Length == 0)
            {
                return new PageReply(
                    400, ConsentPage.Error("invalid_request", "Missing response_type=code or scope."));
            }

            var method = values.GetValueOrDefault("code_challenge_method", "plain");
            if (method is not ("S256" or "plain"))
            {
                return new PageReply(
                    400, ConsentPage.Error("invalid_request", "Unknown code_challenge_method."));
            }

            var decision = values.GetValueOrDefault("sandbox_consent");
            if (decision is null)
                return new PageReply(200, ConsentPage.Ask(client, scopes, values, state.Model.Accounts));
            if (decision != "allow")
                return Redirect(redirectUri, values, "error", "access_denied");
            if (state.Model.Account(values.GetValueOrDefault("sandbox_user", "")) is not { } user)
                return new PageReply(400, ConsentPage.Error("invalid_request", "Unknown sandbox_user."));
            var isPost = HttpMethods.IsPost(context.Request.Method);
            var granted = isPost ? scopes.Where(
                scope => IsGranted(scope, ticked)).ToArray() : Narrowed(values, scopes);
            var code = state.OAuth.Agree(new Consent(
                user, clientId, redirectUri, granted, values.GetValueOrDefault("code_challenge"), method,
                values.GetValueOrDefault("access_type") == "offline",
                values.GetValueOrDefault("prompt", "").Split(' ').Contains("consent"),
                values.GetValueOrDefault("include_granted_scopes") == "true",
                values.GetValueOrDefault("nonce")));
            return Redirect(redirectUri, values, "code", code);
        }
    }

    // Scripts may narrow what is granted: sandbox_scopes, separated by blanks.
    private static string[] Narrowed(Dictionary<string, string> values, string[] scopes) =>
        values.GetValueOrDefault("sandbox_scopes")?.Split(' ') is { } only
            ? [.. scopes.Where(only.Contains)]
            : scopes;

    // Sign-in scopes cannot be unticked; the others are granted one by one.
    private static bool IsGranted(string scope, string[] ticked) =>
        ConsentPage.IsSignIn(scope) || ticked.Contains(scope);

    private static PageReply Redirect(
        string uri, Dictionary<string, string> values, string name, string value)
    {
        var location = new StringBuilder(uri)
            .Append(uri.Contains('?', StringComparison.Ordinal) ? '&' : '?')
            .Append(name).Append('=').Append(Uri.EscapeDataString(value));
        if (values.GetValueOrDefault("state") is { } echoed)
            location.Append("&state=").Append(Uri.EscapeDataString(echoed));
        return new PageReply(302, null, location.ToString());
    }

    private static (string Id, string Secret)? Basic(HttpContext context)
    {
        var header = context.Request.Headers.Authorization.ToString();
        if (!header.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase))
            return null;
        var octets = new byte[header.Length];
        if (!Convert.TryFromBase64String(header[6..].Trim(), octets, out var count))
            return null;
        var parts = Encoding.UTF8.GetString(octets, 0, count).Split(':', 2);
        return parts.Length == 2
            ? (Uri.UnescapeDataString(parts[0]), Uri.UnescapeDataString(parts[1]))
            : null;
    }

    private sealed record PageReply(int Status, string? Html, string? Location = null);
}
