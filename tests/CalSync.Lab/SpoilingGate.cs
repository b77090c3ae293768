using System.Globalization;
using System.Text;

namespace CalSync.Lab;

/// <summary>
/// Stands before a server and passes every request and answer, but for what a test makes of them.
/// </summary>
public sealed class SpoilingGate : IAsyncDisposable
{
    private static readonly HashSet<string> OfTheWay = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host", "Connection", "Content-Length", "Transfer-Encoding", "Accept-Encoding", "Expect",
    };

    private readonly HttpClient _http = new(
        new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });

    private readonly Uri _server;
    private readonly ScriptedServer _gate;

    /// <param name="server">Where requests go; its path does not count.</param>
    public SpoilingGate(Uri server)
    {
        _server = server;
        _gate = new ScriptedServer(Pass);
    }

    /// <summary>Where to send requests.</summary>
    public Uri Address => new(_gate.Address);

    /// <summary>What was asked, in order.</summary>
    public IReadOnlyList<ScriptedRequest> Requests => _gate.Requests;

    /// <summary>What the server is asked instead of what the client asks.</summary>
    public Func<ScriptedRequest, ScriptedRequest> OnRequest { get; set; } = request => request;

    /// <summary>What the client is answered instead of what the server answers.</summary>
    public Func<ScriptedRequest, ScriptedAnswer.Send, ScriptedAnswer> OnAnswer { get; set; } =
        (_, answer) => answer;

    /// <summary>The same resource through the gate.</summary>
    public Uri Through(Uri resource) => new(Address, resource.AbsolutePath);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _gate.DisposeAsync();
        _http.Dispose();
    }

    private ScriptedAnswer Pass(ScriptedRequest request)
    {
        var asked = OnRequest(request);
        using var message = new HttpRequestMessage(
            new HttpMethod(asked.Method), new Uri(_server, asked.Target));
        if (asked.Body.Length > 0)
            message.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(asked.Body));
        foreach (var (name, value) in asked.Headers.Where(header => !OfTheWay.Contains(header.Key)))
        {
            if (!message.Headers.TryAddWithoutValidation(name, value))
                message.Content?.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = _http.Send(message);
        using var reader = new StreamReader(response.Content.ReadAsStream(), Encoding.UTF8);
        var headers = response.Headers.Concat(response.Content.Headers)
            .Where(header => !OfTheWay.Contains(header.Key))
            .SelectMany(header => header.Value.Select(value => $"{header.Key}: {value}"));
        return OnAnswer(
            request,
            new ScriptedAnswer.Send((int)response.StatusCode, reader.ReadToEnd(), [.. headers]));
    }

    /// <summary>An answer whose body ends before its length, and with it the connection.</summary>
    /// <param name="answer">The whole answer.</param>
    /// <param name="sent">The octets of its body that are sent.</param>
    /// <param name="length">How many were announced.</param>
    /// <param name="headers">Further header lines.</param>
    public static ScriptedAnswer Cut(
        ScriptedAnswer.Send answer, ReadOnlySpan<byte> sent, int length, params string[] headers)
    {
        var head = new StringBuilder();
        head.Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {answer.Status} Cut\r\n");
        foreach (var line in answer.Headers.Concat(headers))
            head.Append(line).Append("\r\n");
        head.Append(CultureInfo.InvariantCulture, $"Content-Length: {length}\r\n");
        // The connection ends with it; a client that is not told may send its next request into the end.
        head.Append("Connection: close\r\n\r\n");
        return new ScriptedAnswer.Garbage([.. Encoding.ASCII.GetBytes(head.ToString()), .. sent]);
    }
}
