using System.Net;
using System.Net.Http.Headers;
using System.Text;
using CalSync.Client;
using CalSync.Lab;
using CalSync.Lab.Running;
using CalSync.Tests.Api;
using CalSync.Tests.Contracts;
using Xunit;

namespace CalSync.Tests.Client;

/// <summary>
/// Goal: one intent is one effect, and a person hears of it. Method: each way an answer can fail to come, by
/// a handler that plays a script, with a clock that only moves when told.
/// </summary>
public sealed class CalSyncClientTests
{
    private const string InProgress = """{"code":"idempotency-in-progress"}""";
    private readonly ManualTimeProvider _clock = new();
    private int _keys;

    /// <summary>409 in flight and errors that name a delay: waited for as asked, under the same
    /// key.</summary>
    [Theory]
    [Trait("Requirement", "R-FIX-4-H")]
    [InlineData(409, InProgress, 5)]
    [InlineData(503, "", 7)]
    [InlineData(500, "", 3)]
    [InlineData(429, "", 11)]
    public async Task Send_WhenToldWhen_ComesBackThenWithTheSameKey(int status, string body, int seconds)
    {
        using var script = new Script(Answer(status, body, seconds), Answer(201, "{\"id\":\"cls_1\"}"));
        using var http = script.Http();
        var client = Client(http);
        var sending = client.SendAsync(client.NewIntent(HttpMethod.Post, "classes"), default);
        await WaitingAsync();
        _clock.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromMilliseconds(1));
        Assert.Single(script.Keys);
        _clock.Advance(TimeSpan.FromMilliseconds(1));

        var answer = await sending;

        Assert.Equal((201, 2), (answer.Status, answer.AttemptCount));
        Assert.Equal(["key-1", "key-1"], script.Keys);
    }

    /// <summary>Lost, timed out, or a gateway without its server: tried again after a pause of its
    /// own.</summary>
    [Theory]
    [Trait("Requirement", "R-FIX-4-H")]
    [InlineData("lost")]
    [InlineData("timeout")]
    [InlineData("502")]
    [InlineData("504")]
    public async Task Send_WithoutAnAnswer_IsSentAgainWithTheSameKey(string what)
    {
        using var script = new Script(
            _ => what switch
            {
                "lost" => throw new HttpRequestException(HttpRequestError.ResponseEnded),
                "timeout" => throw new TaskCanceledException("", new TimeoutException()),
                _ => Answer(int.Parse(what, System.Globalization.CultureInfo.InvariantCulture), "")(default),
            },
            Answer(201, "{}"));
        using var http = script.Http();
        var client = Client(http);
        var sending = client.SendAsync(client.NewIntent(HttpMethod.Post, "classes"), default);
        await WaitingAsync();
        _clock.Advance(TimeSpan.FromMilliseconds(249));
        Assert.Single(script.Keys);
        _clock.Advance(TimeSpan.FromMilliseconds(251));

        Assert.Equal(201, (await sending).Status);
        Assert.Equal(["key-1", "key-1"], script.Keys);
    }

    /// <summary>Everything else is an answer, errors too.</summary>
    [Theory]
    [InlineData(200, "{}")]
    [InlineData(400, "{}")]
    [InlineData(409, """{"code":"class-full"}""")]
    [InlineData(412, "{}")]
    [InlineData(422, """{"code":"idempotency-mismatch"}""")]
    [InlineData(500, "not json")]
    public async Task Send_OfWhatWasAnswered_IsSentOnce(int status, string body)
    {
        using var script = new Script(Answer(status, body));
        using var http = script.Http();
        var client = Client(http);

        var answer = await client.SendAsync(client.NewIntent(HttpMethod.Post, "classes"), default);

        Assert.Equal(status, answer.Status);
        Assert.Single(script.Keys);
    }

    /// <summary>Patience ends; the intent can be sent again later and is still the same. Another intent is
    /// another one.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-4-H")]
    public async Task Send_WhenPatienceEnds_LeavesAnIntentThatCanBeSentAgain()
    {
        using var script = new Script(
            _ => throw new HttpRequestException(), _ => throw new HttpRequestException(), Answer(201, "{}"),
                Answer(201, "{}"));
        using var http = script.Http();
        var client = Client(http, attempts: 2);
        var sending = client.SendAsync(client.NewIntent(HttpMethod.Post, "classes"), default);
        await WaitingAsync();
        _clock.Advance(TimeSpan.FromSeconds(1));

        var fault = await Assert.ThrowsAsync<NoAnswerException>(() => sending);
        await client.SendAsync(fault.Intent, default);
        await client.SendAsync(client.NewIntent(HttpMethod.Post, "classes"), default);

        Assert.Equal(2, fault.AttemptCount);
        Assert.Equal(["key-1", "key-1", "key-1", "key-2"], script.Keys);
    }

    /// <summary>A delay that leads beyond the end of patience is not waited for: the answer is given as it
    /// is.</summary>
    [Fact]
    public async Task Send_WhenAskedToWaitTooLong_GivesTheAnswer()
    {
        using var script = new Script(Answer(503, "{}", 3600));
        using var http = script.Http();
        var client = Client(http);

        var answer = await client.SendAsync(client.NewIntent(HttpMethod.Post, "classes"), default);

        Assert.Equal((503, 1), (answer.Status, answer.AttemptCount));
    }

    /// <summary>Who cancels is heard: nothing is sent again.</summary>
    [Fact]
    public async Task Send_Cancelled_EndsAtOnce()
    {
        using var stop = new CancellationTokenSource();
        using var script = new Script(_ =>
        {
            stop.Cancel();
            throw new TaskCanceledException();
        });
        using var http = script.Http();
        var client = Client(http);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => client.SendAsync(client.NewIntent(HttpMethod.Post, "classes"), stop.Token));
        Assert.Single(script.Keys);
    }

    private CalSyncClient Client(HttpClient http, int attempts = 8) =>
        new(http, () => $"key-{++_keys}", new Patience(_clock, new Random(1)) { AttemptCountMax = attempts });

    private async Task WaitingAsync()
    {
        while (_clock.PendingTimerCount == 0)
            await Task.Yield();
    }

    private static Func<CancellationToken, HttpResponseMessage> Answer(
        int status, string body, int? retryAfter = null) => _ =>
    {
        var answer = new HttpResponseMessage((HttpStatusCode)status)
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        if (retryAfter is { } seconds)
            answer.Headers.RetryAfter = new RetryConditionHeaderValue(TimeSpan.FromSeconds(seconds));
        return answer;
    };

    /// <summary>Answers in order, and keeps the keys it saw.</summary>
    private sealed class Script(params Func<CancellationToken, HttpResponseMessage>[] answers)
        : HttpMessageHandler
    {
        public List<string> Keys { get; } = [];

        public HttpClient Http() =>
            new(this, disposeHandler: false) { BaseAddress = new Uri("http://calsync.test/api/v1/") };

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Keys.Add(request.Headers.GetValues("Idempotency-Key").Single());
            return Task.FromResult(answers[Keys.Count - 1](cancellationToken));
        }
    }
}

/// <summary>Goal: the same, with the real product behind a connection that loses answers. On each
/// engine.</summary>
[Trait("Category", "Slow")]
public abstract class ClientContract(TestDatabase database) : ProductTest(database)
{
    [Fact]
    [Trait("Requirement", "R-FIX-4-H")]
    [Trait("Requirement", "R-CAL-08-A")]
    public async Task Create_WhenThreeAnswersAreLost_MakesOneClass_AndANewIntentASecond()
    {
        await using var gate = new LossyGate(Product.Address, losses: 3);
        using var http = new HttpClient { BaseAddress = new Uri(gate.Address, "/api/v1/") };
        http.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Bearer", Product.Maya.Token);
        var patience = new Patience(TimeProvider.System, new Random(1))
        {
            PauseBase = TimeSpan.FromMilliseconds(20),
        };
        var client = new CalSyncClient(http, RunningProduct.NewKey, patience);

        var answer = await client.SendAsync(
            client.NewIntent(HttpMethod.Post, "classes", RunningProduct.ClassBody("Lost")), default);

        Assert.Equal(
            (201, true, 4, 3), (answer.Status, answer.Replayed, answer.AttemptCount, gate.LostCount));
        Assert.Equal(1, await Product.CountAsync("SELECT count(*) FROM classes"));
        Assert.Equal((string?)answer.Body!["id"], await Product.TextAsync("SELECT id FROM classes"));
        Assert.Single(await Product.EventsAsync());

        var second = await client.SendAsync(
            client.NewIntent(HttpMethod.Post, "classes", RunningProduct.ClassBody("Lost")), default);
        Assert.Equal((201, false, 1), (second.Status, second.Replayed, second.AttemptCount));
        Assert.Equal(2, await Product.CountAsync("SELECT count(*) FROM classes"));
    }
}

public sealed class SqliteClientTests(SqliteTestDatabase database)
    : ClientContract(database), IClassFixture<SqliteTestDatabase>;

[Collection(PostgresFixture.Collection)]
public sealed class PostgresClientTests(PostgresTestDatabase database)
    : ClientContract(database), IClassFixture<PostgresTestDatabase>;
