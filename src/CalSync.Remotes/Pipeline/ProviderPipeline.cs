using System.Globalization;
using CalSync.Sync.Providers;
using Polly;
using Polly.CircuitBreaker;

namespace CalSync.Remotes.Pipeline;

/// <summary>
/// The only way to a provider: quota, then breakers, then one attempt with a timeout that cancels, then the
/// answer read to its end and judged.
/// </summary>
/// <remarks>
/// One for each service of a provider, because a broken token endpoint says nothing about the calendar. Reads
/// are repeated when the caller asks for several attempts and the retry budget has one left; writes never
/// are.
/// </remarks>
internal sealed class ProviderPipeline : IDisposable
{
    private readonly string _service;
    private readonly PipelineOptions _options;
    private readonly TimeProvider _clock;
    private readonly HttpClient _client;
    private readonly ConnectionGate? _gate;
    private readonly CallQuota? _quota;
    private readonly RetryPolicy _retry;
    private readonly RetryBudget _budget;
    private readonly ProviderClock _providerClock;
    private readonly ProviderMeter _meter;
    private readonly CircuitBreakerStateProvider _state = new();
    private readonly ResiliencePipeline _breaker;

    /// <param name="service">Named in metrics and messages, such as <c>calendar</c>.</param>
    /// <param name="parts">What all services of a provider share.</param>
    /// <param name="client">Without a timeout of its own; disposed with the pipeline.</param>
    /// <param name="gate">Breakers of the connections; null where calls belong to none.</param>
    /// <param name="quota">Limits; null where the provider has none.</param>
    public ProviderPipeline(
        string service, PipelineParts parts, HttpClient client, ConnectionGate? gate, CallQuota? quota)
    {
        _service = service;
        _options = parts.Options;
        _clock = parts.Clock;
        _retry = parts.Retry;
        _budget = parts.Budget;
        _providerClock = parts.ProviderClock;
        _meter = parts.Meter;
        _client = client;
        _gate = gate;
        _quota = quota;
        _breaker = BuildBreaker(parts);
    }

    /// <summary>The provider breaker's phase.</summary>
    public BreakerPhase Phase => _state.CircuitState switch
    {
        CircuitState.Open or CircuitState.Isolated => BreakerPhase.Open,
        CircuitState.HalfOpen => BreakerPhase.HalfOpen,
        _ => BreakerPhase.Closed,
    };

    /// <summary>Makes one call.</summary>
    /// <param name="request">What to send.</param>
    /// <param name="caller">For whom.</param>
    /// <param name="read">Reads a complete answer; its fault, or null when it is what was asked for.</param>
    /// <param name="cancellation">A cancelled write may still have been applied.</param>
    /// <returns>Null when the call succeeded.</returns>
    public Task<ProviderFault?> SendAsync(
        ProviderRequest request,
        Caller caller,
        Func<ProviderAnswer, ProviderFault?> read,
        CancellationToken cancellation) =>
        SendAsync(
            request,
            caller,
            async (answer, inner) => read(new(
                answer.Status,
                await answer.ReadAllAsync(_options.BodySizeBytesMax, inner),
                answer.RetryAfter)),
            cancellation);

    /// <summary>Makes one call whose answer is read while it comes.</summary>
    /// <param name="request">What to send.</param>
    /// <param name="caller">For whom.</param>
    /// <param name="read">Begins anew with each attempt; bounds what it reads.</param>
    /// <param name="cancellation">A cancelled write may still have been applied.</param>
    /// <returns>Null when the call succeeded.</returns>
    public async Task<ProviderFault?> SendAsync(
        ProviderRequest request,
        Caller caller,
        AnswerReader read,
        CancellationToken cancellation)
    {
        _budget.NoteCall();
        for (var attempt = 1; ; attempt++)
        {
            var fault = await OnceAsync(request, caller, read, cancellation);
            if (fault is null || request.IsWrite || attempt >= caller.ReadAttempts || !MayRepeat(fault))
                return fault;
            if (!_budget.TryTake(_clock.GetUtcNow()))
                return fault;
            _meter.CountRetry(_service);
            await Task.Delay(_retry.Delay(attempt, fault.RetryAfter), _clock, cancellation);
        }
    }

    public void Dispose() => _client.Dispose();

    /// <summary>Only a broken way or a busy provider is worth asking again at once.</summary>
    private static bool MayRepeat(ProviderFault fault) =>
        ConnectionBreaker.Counts(fault.Reason) || fault.Reason is ProviderReason.RateLimited;

    private async Task<ProviderFault?> OnceAsync(
        ProviderRequest request,
        Caller caller,
        AnswerReader read,
        CancellationToken cancellation)
    {
        // A connection left alone fails fast, before a call waits for its turn.
        BreakerLook look = default;
        if (_gate is not null && caller.ConnectionId is not null)
        {
            look = await _gate.LookAsync(caller.ConnectionId, cancellation);
            if (look.OpenFor is { } open)
                return NoteRefused(request, caller, BreakerOpen(request, "the connection", open));
        }

        if (_quota is null || caller.ConnectionId is null)
            return await ProtectedAsync(request, caller, look, read, cancellation);

        var admission = await _quota.AdmitAsync(
            caller.ConnectionId, caller.Interactive, request.IsWrite, cancellation);
        if (admission is not Admission.Granted(var ticket))
        {
            var wait = ((Admission.Refused)admission).RetryAfter;
            return NoteRefused(request, caller, new(
                ProviderReason.QuotaWait, null, null,
                $"{request.Operation} was not sent: the call quota is used up.", wait));
        }

        ProviderFault? fault = null;
        try
        {
            fault = await ProtectedAsync(request, caller, look, read, cancellation);
            return fault;
        }
        catch (OperationCanceledException)
        {
            // Neither good nor bad news about throttling.
            fault = new(ProviderReason.Unreachable, null, null, "The call was cancelled.");
            throw;
        }
        finally
        {
            _quota.Release(ticket, fault);
        }
    }

    private async Task<ProviderFault?> ProtectedAsync(
        ProviderRequest request,
        Caller caller,
        BreakerLook look,
        AnswerReader read,
        CancellationToken cancellation)
    {
        var context = ResilienceContextPool.Shared.Get(cancellation);
        try
        {
            return await _breaker.ExecuteAsync(
                async inner => await GatedAsync(request, caller, look, read, inner.CancellationToken),
                context);
        }
        catch (BrokenCircuitException broken)
        {
            return NoteRefused(
                request, caller,
                BreakerOpen(request, "the provider", broken.RetryAfter ?? _options.ProviderOpenFor));
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private async Task<ProviderFault?> GatedAsync(
        ProviderRequest request,
        Caller caller,
        BreakerLook look,
        AnswerReader read,
        CancellationToken cancellation)
    {
        if (_gate is null || caller.ConnectionId is null)
            return await AttemptAsync(request, caller, read, cancellation);
        var (wait, passed) = await _gate.EnterAsync(caller.ConnectionId, look, cancellation);
        if (wait is not null)
            return NoteRefused(request, caller, BreakerOpen(request, "the connection", wait));
        var fault = await AttemptAsync(request, caller, read, cancellation);

        // Not cancellable: the outcome is known and belongs into the ledger.
        await _gate.LeaveAsync(caller.ConnectionId, passed, fault, CancellationToken.None);
        return fault;
    }

    private async Task<ProviderFault?> AttemptAsync(
        ProviderRequest request,
        Caller caller,
        AnswerReader read,
        CancellationToken cancellation)
    {
        var timeout = caller.Timeout ?? _options.AttemptTimeout;
        var startedAt = _clock.GetUtcNow();
        var begun = _clock.GetTimestamp();
        int? status = null;
        ProviderFault? fault = null;
        using var limit = new CancellationTokenSource(timeout, _clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            (status, fault) = await ExchangeAsync(request, startedAt, read, both.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            fault = new(
                ProviderReason.TimedOut, null, null, TimedOutMessage(request.Operation, timeout),
                OutcomeUnknown: request.IsWrite);
        }
        catch (AnswerTooLargeException)
        {
            fault = Faults.OutsideProtocol(request, null, "the answer is too large");
        }
        catch (HttpRequestException broken)
        {
            fault = Faults.Unreachable(request, broken.HttpRequestError);
        }
        catch (IOException)
        {
            fault = Faults.Unreachable(request, HttpRequestError.ResponseEnded);
        }
        finally
        {
            var elapsed = _clock.GetElapsedTime(begun);
            caller.Trace.Add(
                new(request.Operation, startedAt, elapsed, status, fault?.Reason, fault?.Message));
            _meter.CountCall(_service, request.Operation, fault?.Reason, elapsed);
        }

        return fault;
    }

    private static string TimedOutMessage(string operation, TimeSpan timeout) =>
        string.Create(
            CultureInfo.InvariantCulture, $"{operation} timed out after {timeout.TotalMilliseconds:0}ms");

    private async Task<(int Status, ProviderFault? Fault)> ExchangeAsync(
        ProviderRequest request, DateTimeOffset startedAt, AnswerReader read, CancellationToken cancellation)
    {
        using var message = request.ToMessage();
        using var response = await _client.SendAsync(
            message, HttpCompletionOption.ResponseHeadersRead, cancellation);
        var now = _clock.GetUtcNow();
        if (response.Headers.Date is { } date)
            _providerClock.Observe(date, startedAt, now);
        TimeSpan? retryAfter = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } at } => at > now ? at - now : TimeSpan.Zero,
            _ => null,
        };
        if (retryAfter > _options.Retry.RetryAfterMax)
            retryAfter = _options.Retry.RetryAfterMax;
        await using var body = await response.Content.ReadAsStreamAsync(cancellation);
        var answer = new StreamedAnswer(
            (int)response.StatusCode, retryAfter, response.Headers,
            response.Content.Headers.ContentType?.MediaType, body);
        return (answer.Status, await read(answer, cancellation));
    }

    private ProviderFault NoteRefused(ProviderRequest request, Caller caller, ProviderFault fault)
    {
        caller.Trace.Add(
            new(request.Operation, _clock.GetUtcNow(), TimeSpan.Zero, null, fault.Reason, fault.Message));
        _meter.CountCall(_service, request.Operation, fault.Reason, TimeSpan.Zero);
        return fault;
    }

    private static ProviderFault BreakerOpen(ProviderRequest request, string whose, TimeSpan? wait) =>
        new(
            ProviderReason.BreakerOpen, null, null,
            $"{request.Operation} was not sent: {whose} failed repeatedly and is left alone for a while.",
            wait);

    private ResiliencePipeline BuildBreaker(PipelineParts parts) =>
        new ResiliencePipelineBuilder { TimeProvider = parts.Clock }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                FailureRatio = parts.Options.ProviderFailurePercent / 100.0,
                SamplingDuration = parts.Options.ProviderSampling,
                MinimumThroughput = parts.Options.ProviderCallCountMin,
                BreakDuration = parts.Options.ProviderOpenFor,
                StateProvider = _state,
                ShouldHandle = args => ValueTask.FromResult(IsFailure(args)),
            })
            .Build();

    private bool IsFailure(CircuitBreakerPredicateArguments<object> args) => args.Outcome switch
    {
        { Result: ProviderFault fault } => ConnectionBreaker.Counts(fault.Reason)
            || (fault.Reason is ProviderReason.BreakerOpen && _state.CircuitState == CircuitState.HalfOpen),

        // A probe that was cancelled or not sent proved nothing: stay open.
        { Exception: not null } => _state.CircuitState == CircuitState.HalfOpen,
        _ => false,
    };
}
