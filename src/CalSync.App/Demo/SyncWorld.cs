using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Web;
using CalSync.App.Commands;
using CalSync.Sandbox;

namespace CalSync.App.Demo;

/// <summary>What one verb of the product answered.</summary>
/// <param name="Code">Its exit code.</param>
/// <param name="Json">What it printed with <c>--json</c>; null when that was nothing.</param>
/// <param name="Error">What it printed on stderr.</param>
internal sealed record VerbAnswer(int Code, JsonNode? Json, string Error);

/// <summary>
/// A practice Google and a practice iCloud with a person's calendars in them, and the product beside it, used
/// through its command line only.
/// </summary>
internal sealed class SyncWorld : IAsyncDisposable
{
    /// <summary>The account at Google; also the id of its calendar.</summary>
    public const string Google = "maya@studio.test";

    /// <summary>The account at iCloud.</summary>
    public const string ICloud = "maya@icloud.test";

    /// <summary>The app-specific password of <see cref="ICloud"/>.</summary>
    public const string Password = "maya-aaaa-bbbb-cccc";

    private readonly SandboxServer _sandbox;
    private readonly HttpClient _http;
    private readonly Surroundings _around;
    private readonly string _folder;
    private readonly string? _database;

    private SyncWorld(SandboxServer sandbox, Surroundings around, string folder, string? database)
    {
        (_sandbox, _around, _folder, _database) = (sandbox, around, folder, database);
        _http = new HttpClient { BaseAddress = sandbox.BaseAddress, Timeout = TimeSpan.FromSeconds(30) };
    }

    /// <summary>The practice Google.</summary>
    public Uri GoogleAddress => _sandbox.BaseAddress;

    /// <summary>The practice iCloud.</summary>
    public Uri CalDavAddress => _sandbox.CalDavAddress;

    /// <summary>Where the product keeps its data.</summary>
    public string Folder => _folder;

    /// <summary>What time it is for the product, UTC.</summary>
    public DateTimeOffset Now => _around.Clock.GetUtcNow();

    /// <summary>The hands at the practice Google.</summary>
    public SandboxControl GoogleHands => new(_http);

    /// <summary>The hands at the practice iCloud.</summary>
    public CalDavControl ICloudHands => new(_http);

    /// <summary>Starts both and fills the calendars.</summary>
    /// <param name="around">The clock and chance.</param>
    /// <param name="folder">Where the product keeps its data.</param>
    /// <param name="database">PostgreSQL to use; null for SQLite in the folder.</param>
    /// <param name="cancellation">Cancelling stops what was started.</param>
    public static async Task<SyncWorld> StartAsync(
        Surroundings around, string folder, string? database, CancellationToken cancellation)
    {
        var sandbox = await SandboxServer.StartAsync(new SandboxOptions(around.Clock), cancellation);
        var world = new SyncWorld(sandbox, around, folder, database);
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "password"), Password, cancellation);
            foreach (var (name, text) in SyncCatalogue.OfICloud)
                await world.PutAsync(name, text, cancellation);
            await world.ImportAsync(cancellation);
            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs one verb of the product.</summary>
    public async Task<VerbAnswer> VerbAsync(CancellationToken cancellation, params string[] words)
    {
        await using var output = new StringWriter(CultureInfo.InvariantCulture);
        await using var error = new StringWriter(CultureInfo.InvariantCulture);
        string[] where =
        [
            "--json", "--data", _folder, "--set", "google.provider=google-sandbox",
            "--set", $"sandbox.url={GoogleAddress}", "--set", $"sandbox.caldav_url={CalDavAddress}",
            .. _database is null ? Array.Empty<string>() : ["--database", _database],
        ];
        var code = await CommandLine.RunAsync(
            [.. words, .. where], _around with { Out = output, Error = error, IsTerminal = false },
            cancellation);
        var text = output.ToString();
        try
        {
            return new VerbAnswer(code, text.Length == 0 ? null : JsonNode.Parse(text), error.ToString());
        }
        catch (JsonException)
        {
            throw new DemoFailedException($"calsync {string.Join(' ', words)} printed no JSON:\n{text}");
        }
    }

    /// <summary>Puts an event into the iCloud calendar, as a device would.</summary>
    public Task PutAsync(string name, string text, CancellationToken cancellation) => ICloudHands.EditAsync(
        new CalDavHandEdit(ICloud, "home", name, "put") { Content = text }, cancellation);

    /// <summary>Deletes an event of the iCloud calendar, as a device would.</summary>
    public Task DeleteAsync(string name, CancellationToken cancellation) => ICloudHands.EditAsync(
        new CalDavHandEdit(ICloud, "home", name, "delete"), cancellation);

    /// <summary>What Google really holds: UID, title and start of every event.</summary>
    public async Task<SortedDictionary<string, TruthEvent>> GoogleTruthAsync(
        CancellationToken cancellation) =>
        new(
            (await GoogleHands.GetTruthAsync(Google, cancellation)).Calendars.Single().Events
                .Where(each => each.Status != "cancelled" && each.Body["recurringEventId"] is null)
                .ToDictionary(each => each.ICalUid),
            StringComparer.Ordinal);

    /// <summary>What iCloud really holds, by UID.</summary>
    public async Task<SortedDictionary<string, CalDavTruthResource>> ICloudTruthAsync(
        CancellationToken cancellation) =>
        new(
            (await ICloudHands.GetTruthAsync(cancellation)).Calendars
                .Single(calendar => calendar.User == ICloud && calendar.Id == "home").Resources
                .ToDictionary(each => each.Uid),
            StringComparer.Ordinal);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _sandbox.DisposeAsync();
    }

    // Another program of the same person at Google: it has a consent and a token of its own.
    private async Task ImportAsync(CancellationToken cancellation)
    {
        var token = await TokenAsync(cancellation);
        foreach (var body in SyncCatalogue.OfGoogle)
        {
            using var request = new HttpRequestMessage(
                HttpMethod.Post, $"calendar/v3/calendars/{Google}/events/import")
            {
                Content = JsonContent.Create(body),
            };
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            using var answer = await _http.SendAsync(request, cancellation);
            if (!answer.IsSuccessStatusCode)
            {
                throw new DemoFailedException(
                    $"The practice Google answered {(int)answer.StatusCode}: "
                    + await answer.Content.ReadAsStringAsync(cancellation));
            }
        }
    }

    private async Task<string> TokenAsync(CancellationToken cancellation)
    {
        const string Back = "http://127.0.0.1/other-program";
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var browser = new HttpClient(handler) { BaseAddress = GoogleAddress };
        using var agreed = await browser.GetAsync(
            "o/oauth2/v2/auth?response_type=code&state=s&scope=https://www.googleapis.com/auth/calendar"
            + $"&client_id={SandboxOptions.DefaultClientId}&redirect_uri={Uri.EscapeDataString(Back)}"
            + $"&sandbox_consent=allow&sandbox_user={Uri.EscapeDataString(Google)}",
            cancellation);
        var code = HttpUtility.ParseQueryString(agreed.Headers.Location?.Query ?? "")["code"]
            ?? throw new DemoFailedException($"The consent page answered {(int)agreed.StatusCode}.");
        using var form = new FormUrlEncodedContent(
        [
            KeyValuePair.Create("grant_type", "authorization_code"),
            KeyValuePair.Create("code", code),
            KeyValuePair.Create("redirect_uri", Back),
            KeyValuePair.Create("client_id", SandboxOptions.DefaultClientId),
            KeyValuePair.Create("client_secret", SandboxOptions.DefaultClientSecret),
        ]);
        using var answer = await browser.PostAsync("token", form, cancellation);
        var tokens = await answer.Content.ReadFromJsonAsync<JsonObject>(cancellation);
        return (string?)tokens?["access_token"]
            ?? throw new DemoFailedException($"The token endpoint answered {(int)answer.StatusCode}.");
    }
}
