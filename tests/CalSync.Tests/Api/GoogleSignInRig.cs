using System.Text.Json.Nodes;
using System.Web;
using CalSync.Lab.Running;

namespace CalSync.Tests.Api;

/// <summary>A sign-in through Google that a browser has begun.</summary>
/// <param name="Page">Where it was sent.</param>
/// <param name="AttemptKey">What it keeps.</param>
internal sealed record BegunSignIn(Uri Page, string AttemptKey)
{
    /// <summary>What the page is asked for.</summary>
    public string Ask(string name) => HttpUtility.ParseQueryString(Page.Query)[name]!;

    public string State => Ask("state");
}

/// <summary>What a browser, and the page it comes back to, do.</summary>
internal static class GoogleSignInRig
{
    public static readonly IReadOnlyDictionary<string, string> Set = new Dictionary<string, string>
    {
        ["sign_in.google_client_id"] = "calsync-sandbox",
        ["sign_in.google_client_secret"] = "calsync-sandbox-secret",
        ["sign_in.google_return_url"] = "http://127.0.0.1:9/signed-in",
    };

    public static async Task<BegunSignIn> BeginAsync(RunningProduct product, string? tenantId = null)
    {
        var body = new JsonObject();
        if (tenantId is not null)
            body["tenantId"] = tenantId;
        var answer = (await product.Nobody.SendAsync(HttpMethod.Post, "auth/google/attempts", body))
            .Expect(201);
        return new BegunSignIn(new Uri(answer["authorizationUrl"]), answer["attemptKey"]);
    }

    /// <summary>The person chooses an account; the code Google sends back.</summary>
    public static async Task<string> ChooseAsync(BegunSignIn begun, string account)
    {
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var browser = new HttpClient(handler);
        using var agreed = await browser.GetAsync(
            new Uri($"{begun.Page}&sandbox_consent=allow&sandbox_user={Uri.EscapeDataString(account)}"));
        var back = HttpUtility.ParseQueryString(agreed.Headers.Location!.Query);
        return back["state"] == begun.State
            ? back["code"]!
            : throw new InvalidOperationException("The state came back changed.");
    }

    public static Task<ApiAnswer> FinishAsync(
        RunningProduct product, string state, string code, string attemptKey) => product.Nobody.SendAsync(
        HttpMethod.Post, "auth/google/sessions",
        new JsonObject { ["state"] = state, ["code"] = code, ["attemptKey"] = attemptKey });

    public static async Task<ApiAnswer> SignInAsync(
        RunningProduct product, string account, string? tenantId = null)
    {
        var begun = await BeginAsync(product, tenantId);
        return await FinishAsync(
            product, begun.State, await ChooseAsync(begun, account), begun.AttemptKey);
    }

    /// <summary>Why nobody was signed in the last time; empty when that never happened.</summary>
    public static async Task<string> LastReasonAsync(RunningProduct product) =>
        await product.TextAsync(
            "SELECT after FROM journal WHERE kind = 'sign_in.refused' ORDER BY seq DESC LIMIT 1")
            is { } after
            ? (string)JsonNode.Parse(after)!["reason"]!
            : "";

    /// <summary>An answer without what is different each time.</summary>
    public static string Comparable(ApiAnswer answer)
    {
        var body = answer.Body!.DeepClone().AsObject();
        body.Remove("correlationId");
        return $"{answer.Status} {answer.Header("WWW-Authenticate")} {body.ToJsonString()}";
    }
}
