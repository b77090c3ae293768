using System.Diagnostics.CodeAnalysis;
using System.Net.Http.Headers;
using System.Text;

namespace CalSync.Lab.Peers;

/// <summary>A real CalDAV server on loopback, with one user.</summary>
/// <remarks>
/// <see cref="RadicaleServer"/>, <see cref="XandikosServer"/>, <see cref="CyrusServer"/>,
/// <see cref="SabreServer"/>, <see cref="DavicalServer"/> and <see cref="SogoServer"/> start one.
/// </remarks>
public sealed class CalDavPeer : IAsyncDisposable
{
    /// <summary>The user every peer has.</summary>
    public const string UserName = "alice";

    /// <summary>The password of <see cref="UserName"/>.</summary>
    public const string UserPassword = "secret-alice";

    private readonly PeerProcess _process;
    private readonly IAsyncDisposable? _below;
    private int _calendarCount;

    [SuppressMessage("Reliability", "CA2000", Justification = "The client owns its handlers.")]
    internal CalDavPeer(
        PeerProcess process, string name, Uri entry, string home, IAsyncDisposable? below = null)
    {
        (_process, Name, Entry, Home, _below) = (process, name, entry, home, below);
        Http = new HttpClient(new AgainHandler { InnerHandler = new SocketsHttpHandler() })
        {
            BaseAddress = entry,
            Timeout = TimeSpan.FromSeconds(60),
        };
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{UserName}:{UserPassword}")));
        // Radicale speaks HTTP/1.0 and closes without a word: a request on the same connection may be lost.
        Http.DefaultRequestHeaders.ConnectionClose = true;
    }

    /// <summary>In small letters: cyrus.</summary>
    public string Name { get; }

    /// <summary>Where discovery begins, with a slash at the end.</summary>
    public Uri Entry { get; }

    /// <summary>The path of the user's calendar home, with a slash at the end.</summary>
    public string Home { get; }

    /// <summary>Talks to the server with the password, for tests that need no client of the
    /// product.</summary>
    public HttpClient Http { get; }

    /// <summary>Makes an empty calendar for events.</summary>
    /// <returns>Its path, with a slash at the end.</returns>
    public async Task<string> NewCalendarAsync(CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            var number = Interlocked.Increment(ref _calendarCount);
            var path = $"{Home}test-{number}/";
            try
            {
                await MakeCalendarAsync(path, number, cancellation);
                return path;
            }
            catch (HttpRequestException fault) when (attempt < AgainHandler.AttemptCountMax
                && fault.HttpRequestError == HttpRequestError.ResponseEnded)
            {
                // It may have been made: the next one has another name.
            }
        }
    }

    /// <summary>Stops the server; what it held is gone.</summary>
    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _process.DisposeAsync();
        if (_below is not null)
            await _below.DisposeAsync();
    }

    /// <summary>Whether anything answers there.</summary>
    internal static async Task<bool> AnswersAsync(Uri address, CancellationToken cancellation)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        try
        {
            using var response = await http.GetAsync(address, cancellation);
            return true;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private async Task MakeCalendarAsync(string path, int number, CancellationToken cancellation)
    {
        var body = new StringContent(
            "<mkcalendar xmlns='urn:ietf:params:xml:ns:caldav' xmlns:d='DAV:'><d:set><d:prop>"
                + $"<d:displayname>Test {number}</d:displayname>"
                + "<supported-calendar-component-set><comp name='VEVENT'/></supported-calendar-component-set>"
                + "</d:prop></d:set></mkcalendar>",
            Encoding.UTF8, "text/xml");
        using var request = new HttpRequestMessage(new HttpMethod("MKCALENDAR"), path) { Content = body };
        using var response = await Http.SendAsync(request, cancellation);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>
    /// Radicale now and then closes a connection before it answers: what may be asked twice is asked again.
    /// </summary>
    private sealed class AgainHandler : DelegatingHandler
    {
        internal const int AttemptCountMax = 5;

        /// <inheritdoc/>
        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    return await base.SendAsync(request, cancellationToken);
                }
                catch (HttpRequestException fault) when (attempt < AttemptCountMax
                    && fault.HttpRequestError == HttpRequestError.ResponseEnded
                    && request.Method.Method != "MKCALENDAR")
                {
                    // Nothing was answered; the next connection is a new one.
                }
            }
        }
    }
}
