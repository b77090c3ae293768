using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using CalSync.App.Api;
using CalSync.App.Api.Authentication;
using CalSync.App.Api.Bodies;
using CalSync.App.Api.Idempotency;
using CalSync.App.Api.Preconditions;
using CalSync.Classes;
using CalSync.Storage.Classes;
using CalSync.Sync;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>
/// What surrounds every route, over real loopback HTTP with routes made for the test: whatever arrives, the
/// answer is
/// a problem of the catalogue and never a bare status.
/// </summary>
public sealed class PipelineTests : IAsyncLifetime, IDisposable
{
    private static readonly Caller Teacher = new(
        new Actor("ten_a", "usr_teacher", Role.Instructor), CalSync.Storage.Identity.TenantKind.Test);
    private readonly HashSet<string> _live = new(StringComparer.Ordinal);
    private readonly WarningLog _log = new();
    private int _lookups;
    private WebApplication? _app;
    private HttpClient? _http;

    private HttpClient Http => _http!;

    public async Task InitializeAsync()
    {
        var builder = ApiServer.Prepare(["http://127.0.0.1:0"], new ApiOptions());
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(services =>
            new IdSource(services.GetRequiredService<TimeProvider>(), new Random(1)));
        builder.Services.AddSingleton(new IdempotencyOptions());
        builder.Services.AddLogging(log => log.AddProvider(_log));
        builder.Services.AddSingleton<FindTokenHolder>((token, _) =>
        {
            _lookups++;
            return Task.FromResult(_live.Contains(token) ? Teacher : null);
        });
        _app = builder.Build();
        ApiServer.Map(_app, routes =>
        {
            routes.MapGet("/api/v1/things/{id}", (string id) => Answer.NoContent.With("X-Id", id))
                .Allow(Roles.Any);
            routes.MapGet("/api/v1/text", () => new Answer(200, "{\"a\":1}", "application/json", []))
                .Allow(Roles.Any);
            routes.MapGet("/api/v1/admin", () => Answer.NoContent).Allow(Roles.Admin);
            routes.MapGet("/api/v1/broken", IResult () => throw new InvalidOperationException("secret words"))
                .Allow(Roles.Any);
            routes.MapPost("/api/v1/things", (Body<EnrolRequest> body, RequestKey key) =>
                Answer.NoContent.With("X-Key", key.Value ?? "-")).Allow(Roles.Any).Keyed();
            routes.MapPatch("/api/v1/things/{id}", (string id, Precondition version, RequestKey key) =>
                Answer.NoContent).Allow(Roles.Any).Keyed().Conditional();
        });
        await _app.StartAsync();
        _http = new HttpClient { BaseAddress = new Uri(_app.Urls.First()) };
        _live.Add("good");
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "good");
    }

    public void Dispose()
    {
        _http?.Dispose();
        _log.Dispose();
    }

    public async Task DisposeAsync()
    {
        _http?.Dispose();
        if (_app is not null)
            await _app.DisposeAsync();
    }

    [Theory]
    [InlineData("GET", "/api/v1/text", 200, null)]
    [InlineData("GET", "/nowhere", 404, "not-found")]
    [InlineData("GET", "/api/v1/things/x", 404, "not-found")]
    [InlineData("GET", "/api/v1/things/%01", 404, "not-found")]
    [InlineData("DELETE", "/api/v1/text", 405, "method-not-allowed")]
    [InlineData("GET", "/api/v1/admin", 403, "forbidden")]
    [InlineData("GET", "/api/v1/broken", 500, "internal")]
    [InlineData("PATCH", "/api/v1/things/cls_00000000000000000000000000", 428, "precondition-required")]
    [InlineData("POST", "/api/v1/things", 415, "unsupported-media-type")]
    [InlineData("GET", "/errors/class-full", 200, null)]
    [InlineData("GET", "/errors/nothing", 404, "not-found")]
    public async Task Answer_ToAnything_IsDataOrAProblem(string method, string path, int status, string? code)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var response = await Http.SendAsync(request);

        Assert.Equal(status, (int)response.StatusCode);
        if (code is not null)
        {
            var problem = await ProblemAsync(response);
            Assert.Equal(code, (string?)problem["code"]);
            Assert.DoesNotContain("secret", problem.ToJsonString(), StringComparison.Ordinal);
        }

        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.False(response.Headers.Contains("Server"));
    }

    [Theory]
    [InlineData(null, "unauthenticated")]
    [InlineData("Bearer bad", "unauthenticated")]
    [InlineData("Basic Zm9vOmJhcg==", "unauthenticated")]
    [InlineData("Bearer good extra", "unauthenticated")]
    public async Task Request_WithoutAGoodToken_Is401WithAChallenge(string? authorization, string code)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/text");
        using var anonymous = new HttpClient { BaseAddress = Http.BaseAddress };
        if (authorization is not null)
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        using var response = await anonymous.SendAsync(request);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal("Bearer", response.Headers.WwwAuthenticate.Single().Scheme);
        Assert.Equal(code, (string?)(await ProblemAsync(response))["code"]);
    }

    [Fact]
    public async Task Token_IsLookedUpOnceForAShortTime()
    {
        for (var i = 0; i < 5; i++)
            (await Http.GetAsync("/api/v1/text")).EnsureSuccessStatusCode();

        Assert.Equal(1, _lookups);
    }

    [Fact]
    public async Task Head_IsGetWithoutTheBody()
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, "/api/v1/text");
        using var response = await Http.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(7, response.Content.Headers.ContentLength);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Body_LargerThanTheLimit_Is413()
    {
        foreach (var chunked in new[] { false, true })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/things");
            request.Content = Json($"{{\"studentId\":\"{new string('x', 70_000)}\"}}");
            request.Headers.TransferEncodingChunked = chunked;
            using var response = await Http.SendAsync(request);

            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
            Assert.Equal("body-too-large", (string?)(await ProblemAsync(response))["code"]);
        }
    }

    [Fact]
    public async Task Accept_WithoutJson_Is406()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/text");
        request.Headers.TryAddWithoutValidation("Accept", "text/html;q=1, application/json;q=0");
        using var response = await Http.SendAsync(request);

        Assert.Equal(HttpStatusCode.NotAcceptable, response.StatusCode);
        Assert.Equal("not-acceptable", (string?)(await ProblemAsync(response))["code"]);
    }

    [Theory]
    [InlineData("order-7.a_B", true)]
    [InlineData("a b", false)]
    [InlineData("", false)]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123456789", false)]
    public async Task CorrelationId_IsKeptWhenSane(string sent, bool kept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/nowhere");
        request.Headers.TryAddWithoutValidation("X-Correlation-Id", sent);
        using var response = await Http.SendAsync(request);

        var answered = response.Headers.GetValues("X-Correlation-Id").Single();
        Assert.Equal(kept, answered == sent);
        Assert.Equal(answered, (string?)(await ProblemAsync(response))["correlationId"]);
    }

    /// <summary>R-FIX-4-D: without a key the change is done and the answer warns.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-4-D")]
    public async Task Change_WithoutAKey_IsWarnedAbout()
    {
        using var empty = Json("{}");
        using var plain = await Http.PostAsync("/api/v1/things", empty);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/things");
        request.Content = Json("{}");
        request.Headers.Add("Idempotency-Key", "\"k1\"");
        using var keyed = await Http.SendAsync(request);

        Assert.Contains("Idempotency-Key", plain.Headers.Warning.Single().Text, StringComparison.Ordinal);
        Assert.Equal("k1", keyed.Headers.GetValues("X-Key").Single());
        Assert.Empty(keyed.Headers.Warning);
        Assert.StartsWith(
            "POST /api/v1/things came without an idempotency key [cor_", Assert.Single(_log.Lines),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Description_MarksKeysAndPreconditions()
    {
        var document = JsonNode.Parse(await Http.GetStringAsync("/openapi/v1.json"))!;
        var patch = document["paths"]!["/api/v1/things/{id}"]!["patch"]!;

        Assert.True((bool?)patch[ApiDescription.IdempotentMark]);
        Assert.Contains("412", patch["responses"]!.AsObject().Select(entry => entry.Key));
        Assert.Contains(patch["parameters"]!.AsArray(), parameter =>
            (string?)parameter!["name"] == "If-Match");
        Assert.Null(document["paths"]!["/api/v1/text"]!["get"]![ApiDescription.IdempotentMark]);
        using var page = await Http.GetAsync("/docs/api/index.html");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
    }

    [Fact]
    public void Route_WithoutARule_StopsTheStart()
    {
        var builder = ApiServer.Prepare(["http://127.0.0.1:0"], new ApiOptions());
        builder.Services.AddSingleton<FindTokenHolder>((_, _) => Task.FromResult<Caller?>(null));
        var app = builder.Build();

        Assert.Throws<InvalidOperationException>(() =>
            ApiServer.Map(app, routes => routes.MapGet("/api/v1/open", () => Answer.NoContent)));
        Assert.Throws<InvalidOperationException>(() =>
            ApiServer.Map(app, routes => routes.MapPost("/api/v1/open", () => Answer.NoContent)
                .Allow(Roles.Any)));
    }

    private static async Task<JsonNode> ProblemAsync(HttpResponseMessage response)
    {
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    /// <summary>Keeps what is logged as a warning or worse.</summary>
    private sealed class WarningLog : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                Lines.Enqueue(formatter(state, exception));
        }

        public void Dispose()
        {
        }
    }
}
