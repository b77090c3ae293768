using System.Net;
using System.Text.Json.Nodes;

namespace CalSync.App.Demo;

/// <summary>A person who agrees on the sandbox's consent page, as a script.</summary>
internal static class DemoConsent
{
    /// <summary>Connects an account through the same pages a browser would see.</summary>
    /// <param name="person">Whose connection it becomes.</param>
    /// <param name="account">The practice account that consents.</param>
    /// <param name="cancellation">May leave an authorization half done; it expires by itself.</param>
    /// <exception cref="DemoFailedException">A page answered something else than it should.</exception>
    public static async Task GiveAsync(DemoApi person, string account, CancellationToken cancellation)
    {
        var started = (await person.PostAsync("calendar/connections/google", new JsonObject(), cancellation))
            .Expect();
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var browser = new HttpClient(handler);
        using var consent = await browser.GetAsync(
            new Uri(
                $"{started.Text("authorizationUrl")}&sandbox_consent=allow"
                + $"&sandbox_user={Uri.EscapeDataString(account)}"),
            cancellation);
        if (consent.Headers.Location is not { } back)
        {
            throw new DemoFailedException(
                $"The consent page answered {(int)consent.StatusCode} and sent nobody back.");
        }

        using var finished = await browser.GetAsync(back, cancellation);
        if (finished.StatusCode != HttpStatusCode.OK)
        {
            throw new DemoFailedException(
                $"The callback answered {(int)finished.StatusCode}: "
                    + $"{await finished.Content.ReadAsStringAsync(cancellation)}");
        }
    }
}
