using System.Net;
using System.Text;
using CalSync.Sandbox.Google;

namespace CalSync.Sandbox.OAuth;

/// <summary>
/// The page on which a person picks an account and grants scopes one by one; works without scripts.
/// </summary>
internal static class ConsentPage
{
    private static readonly string[] Carried =
    [
        "client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge",
            "code_challenge_method",
        "access_type", "prompt", "include_granted_scopes", "nonce",
    ];

    public static bool IsSignIn(string scope) => scope is "openid" or "email" or "profile"
        || scope.StartsWith("https://www.googleapis.com/auth/userinfo.", StringComparison.Ordinal);

    public static string Ask(
        SandboxOAuthClient client, IReadOnlyList<string> scopes, IReadOnlyDictionary<string, string> values,
        IEnumerable<AccountState> accounts)
    {
        var form = new StringBuilder("<form method=\"post\" action=\"/o/oauth2/v2/auth\">");
        foreach (var name in Carried.Where(values.ContainsKey))
        {
            form.Append("<input type=\"hidden\" name=\"").Append(name).Append("\" value=\"")
                .Append(Escape(values[name])).Append("\">");
        }

        form.Append("<fieldset><legend>Account</legend>");
        var hint = values.GetValueOrDefault("login_hint");
        var isFirst = true;
        foreach (var account in accounts)
        {
            var isChosen = hint is null ? isFirst : account.Email == hint;
            form.Append("<label><input type=\"radio\" name=\"sandbox_user\" required value=\"")
                .Append(Escape(account.Email)).Append('"').Append(isChosen ? " checked" : "").Append("> ")
                .Append(Escape($"{account.Name} ({account.Email})")).Append("</label><br>");
            isFirst = false;
        }

        form.Append("</fieldset><fieldset><legend>It may</legend>");
        foreach (var scope in scopes)
        {
            form.Append("<label><input type=\"checkbox\" name=\"granted_scope\" checked value=\"")
                .Append(Escape(scope)).Append('"').Append(IsSignIn(scope) ? " disabled" : "").Append("> ")
                .Append(Escape(scope)).Append("</label><br>");
        }

        form.Append("</fieldset><button name=\"sandbox_consent\" value=\"allow\">Allow</button> ")
            .Append("<button name=\"sandbox_consent\" value=\"deny\" formnovalidate>Deny</button></form>");
        return Page(
            "Sandbox consent", $"<h1>{Escape(client.ClientId)} wants to use a practice account</h1>{form}");
    }

    public static string Error(string code, string text) =>
        Page("Sandbox error", $"<h1>Error: {Escape(code)}</h1><p>{Escape(text)}</p>");

    private static string Page(string title, string body) =>
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
        + $"<title>{title}</title><meta name=\"viewport\" content=\"width=device-width\">"
        + "<style>body{font:16px system-ui;max-width:40rem;margin:3rem auto;padding:0 1rem}"
        + "fieldset{margin:1rem 0}button{font:inherit;padding:.4rem 1.2rem}</style></head><body>"
        + "<p><strong>Practice server.</strong> No real account is involved.</p>"
        + body + "</body></html>";

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
