using System.Diagnostics.Metrics;
using CalSync.Lab;
using CalSync.Remotes.Pipeline;
using CalSync.Sync.Providers;
using Xunit;

namespace CalSync.Tests.Remotes;

/// <summary>
/// Goal: one call is one attempt that ends in time, whatever the server does. Over real sockets.
/// </summary>
public sealed class AttemptTests
{
    /// <summary>R-FIX-5-A, R-FIX-5-E, D-05: the timeout names itself and closes the socket.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-5-A")]
    [Trait("Requirement", "R-FIX-5-E")]
    public async Task Insert_WhenTheServerIsSilent_TimesOutAtTenSecondsAndClosesTheSocket()
    {
        await using var rig = RemotesRig.Start(_ => new ScriptedAnswer.Silence());
        var call = RemotesRig.Call();
        var insert = rig.Calendar.InsertAsync(
            call, RemotesRig.Address, RemotesRig.Content(), Notify.None, CancellationToken.None);
        Assert.True(await rig.Server.Received(RemotesRig.Patience));

        rig.Clock.Advance(TimeSpan.FromMilliseconds(9_999));
        Assert.False(insert.IsCompleted);
        rig.Clock.Advance(TimeSpan.FromMilliseconds(1));

        var fault = Assert.IsType<EventWrite.Failed>(await insert).Fault;
        Assert.Equal(ProviderReason.TimedOut, fault.Reason);
        Assert.Equal("events.insert timed out after 10000ms", fault.Message);
        Assert.True(fault.OutcomeUnknown);
        Assert.True(await rig.Server.Abandoned(RemotesRig.Patience));
        var trace = Assert.Single(call.Trace);
        Assert.Equal(("events.insert", ProviderReason.TimedOut), (trace.Operation, trace.Reason));
        Assert.Equal(TimeSpan.FromSeconds(10), trace.Elapsed);
    }

    /// <summary>R-FIX-5-A: a body that never ends is cut by the same limit.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-5-A")]
    public async Task Get_WhenTheBodyStopsHalfWay_TimesOut()
    {
        await using var rig = RemotesRig.Start(_ => new ScriptedAnswer.Silence(HalfAnAnswer()));
        var read = rig.Calendar.GetAsync(RemotesRig.Call(), RemotesRig.Address, CancellationToken.None);
        Assert.True(await rig.Server.Received(RemotesRig.Patience));
        rig.Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(ProviderReason.TimedOut, Assert.IsType<EventRead.Failed>(await read).Fault.Reason);
        Assert.True(await rig.Server.Abandoned(RemotesRig.Patience));
    }

    /// <summary>A body that is cut is no event, and nothing may be concluded from it.</summary>
    [Fact]
    public async Task Insert_WhenTheBodyIsCut_IsUnreachableWithUnknownOutcome()
    {
        await using var rig = RemotesRig.Start(_ => new ScriptedAnswer.Garbage(HalfAnAnswer()));
        var write = await rig.Calendar.InsertAsync(
            RemotesRig.Call(), RemotesRig.Address, RemotesRig.Content(), Notify.None, CancellationToken.None);
        var fault = Assert.IsType<EventWrite.Failed>(write).Fault;
        Assert.Equal((ProviderReason.Unreachable, true), (fault.Reason, fault.OutcomeUnknown));
    }

    /// <summary>What is not HTTP is outside the protocol.</summary>
    [Fact]
    public async Task Get_WhenTheAnswerIsNotHttp_IsOutsideProtocol()
    {
        await using var rig = RemotesRig.Start(
            _ => new ScriptedAnswer.Garbage("SSH-2.0-nothing here\r\n\r\n"u8.ToArray()));
        var read = await rig.Calendar.GetAsync(RemotesRig.Call(), RemotesRig.Address, CancellationToken.None);
        Assert.Equal(ProviderReason.OutsideProtocol, Assert.IsType<EventRead.Failed>(read).Fault.Reason);
    }

    /// <summary>The caller's own limit replaces the configured one.</summary>
    [Fact]
    public async Task Get_WithATimeoutOfTheCaller_NamesThatTimeout()
    {
        await using var rig = RemotesRig.Start(_ => new ScriptedAnswer.Silence());
        var read = rig.Calendar.GetAsync(
            RemotesRig.Call() with { Timeout = TimeSpan.FromSeconds(30) }, RemotesRig.Address,
            CancellationToken.None);
        Assert.True(await rig.Server.Received(RemotesRig.Patience));
        rig.Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(
            "events.get timed out after 30000ms", Assert.IsType<EventRead.Failed>(await read).Fault.Message);
    }

    /// <summary>A caller that goes away leaves no call behind.</summary>
    [Fact]
    public async Task Get_WhenTheCallerCancels_ThrowsAndClosesTheSocket()
    {
        await using var rig = RemotesRig.Start(_ => new ScriptedAnswer.Silence());
        using var source = new CancellationTokenSource();
        var read = rig.Calendar.GetAsync(RemotesRig.Call(), RemotesRig.Address, source.Token);
        Assert.True(await rig.Server.Received(RemotesRig.Patience));
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        Assert.True(await rig.Server.Abandoned(RemotesRig.Patience));
    }

    /// <summary>
    /// R-FIX-5-B: nobody below the retry owner repeats anything, not even on a broken kept-alive socket.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Requirement", "R-FIX-5-B")]
    public async Task AnyCall_WhenAReusedSocketBreaksBeforeTheAnswer_IsSentExactlyOnce(bool reset)
    {
        await using var rig = RemotesRig.Start(request =>
            request.Number == 1 ? RemotesRig.Ok(RemotesRig.EventJson())
            : reset ? new ScriptedAnswer.Reset()
            : new ScriptedAnswer.Close());
        var address = RemotesRig.Address;
        Assert.IsType<EventRead.Found>(
            await rig.Calendar.GetAsync(RemotesRig.Call("warm"), address, CancellationToken.None));
        var deleted = await rig.Calendar.DeleteAsync(
            RemotesRig.Call("a"), address, null, Notify.None, CancellationToken.None);
        Assert.Equal(2, rig.Server.Requests.Count);
        Assert.Equal(rig.Server.Requests[0].Socket, rig.Server.Requests[1].Socket);
        var fault = Assert.IsType<EventDelete.Failed>(deleted).Fault;
        Assert.Equal(ProviderReason.Unreachable, fault.Reason);
        Assert.True(fault.OutcomeUnknown);

        await rig.Calendar.GetAsync(RemotesRig.Call("b"), address, CancellationToken.None);
        await rig.Calendar.InsertAsync(
            RemotesRig.Call("c"), address, RemotesRig.Content(), Notify.None, CancellationToken.None);
        Assert.Equal(4, rig.Server.Requests.Count);
    }

    /// <summary>R-FIX-5-B: a read on a kept-alive socket that breaks is one attempt too.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-5-B")]
    public async Task Get_WhenAReusedSocketBreaks_IsSentExactlyOnce()
    {
        await using var rig = RemotesRig.Start(request =>
            request.Number == 1 ? RemotesRig.Ok(RemotesRig.EventJson()) : new ScriptedAnswer.Close());
        await rig.Calendar.GetAsync(RemotesRig.Call(), RemotesRig.Address, CancellationToken.None);
        await rig.Calendar.GetAsync(RemotesRig.Call(), RemotesRig.Address, CancellationToken.None);
        Assert.Equal(2, rig.Server.Requests.Count);
    }

    /// <summary>R-FIX-5-B, C-15: writes are never repeated, reads exactly as often as asked for.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-5-B")]
    public async Task ServerErrors_RepeatReadsAsAskedAndWritesNever()
    {
        var options = new PipelineOptions
        {
            Retry = new RetryOptions
            {
                Base = TimeSpan.FromMilliseconds(10),
                Cap = TimeSpan.FromMilliseconds(10)
            },
            Breaker = new BreakerOptions { FailureCountMax = 20 },
        };
        await using var rig = RemotesRig.Start(
            _ => RemotesRig.Error(503, "backendError"), options, TimeProvider.System);
        var call = RemotesRig.Call() with { ReadAttempts = 3 };
        var read = await rig.Calendar.GetAsync(call, RemotesRig.Address, CancellationToken.None);
        Assert.Equal(ProviderReason.ServerError, Assert.IsType<EventRead.Failed>(read).Fault.Reason);
        Assert.Equal(3, rig.Server.Requests.Count);
        Assert.Equal(3, call.Trace.Count);

        var write = await rig.Calendar.InsertAsync(
            call, RemotesRig.Address, RemotesRig.Content(), Notify.None, CancellationToken.None);
        Assert.True(Assert.IsType<EventWrite.Failed>(write).Fault.OutcomeUnknown);
        Assert.Equal(4, rig.Server.Requests.Count);
    }

    /// <summary>R-FIX-5-C: the attempts of a read lie BASE * MULT^n apart, less the jitter.</summary>
    [Fact]
    [Trait("Requirement", "R-FIX-5-C")]
    public async Task Get_Repeated_FollowsTheBackoffCurve()
    {
        await using var rig = RemotesRig.Start(
            _ => RemotesRig.Error(503, "backendError"),
            new PipelineOptions { Breaker = new BreakerOptions { FailureCountMax = 20 } });
        var call = RemotesRig.Call() with { ReadAttempts = 4 };
        var read = rig.Calendar.GetAsync(call, RemotesRig.Address, CancellationToken.None);
        using var limit = new CancellationTokenSource(RemotesRig.Patience);
        for (var attempt = 1; attempt < 4; attempt++)
        {
            // The attempt is over, its retry is taken from the budget of six, and the wait has begun.
            while (rig.Remotes.Health().RetriesLeft != 6 - attempt || rig.Clock.PendingTimerCount == 0)
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, limit.Token);

            // Once the wait has fired no timer is left until the next attempt has noted its start.
            for (var step = 0; step < 50 << (attempt - 1) && rig.Clock.PendingTimerCount > 0; step++)
                rig.Clock.Advance(TimeSpan.FromMilliseconds(20));
            while (rig.Server.Requests.Count == attempt)
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, limit.Token);
        }

        Assert.IsType<EventRead.Failed>(await read);
        var gaps = call.Trace.Zip(
            call.Trace.Skip(1), (left, right) => (right.StartedAt - left.StartedAt).TotalSeconds);
        Assert.Collection(
            gaps,
            gap => Assert.InRange(gap, 0.5, 1.2),
            gap => Assert.InRange(gap, 1.0, 2.2),
            gap => Assert.InRange(gap, 2.0, 4.2));
    }

    /// <summary>
    /// R-CAL-10-C: without retry budget a read is not repeated, however often the caller asks.
    /// </summary>
    [Fact]
    [Trait("Requirement", "R-CAL-10-C")]
    public async Task Get_WithoutRetryBudget_IsNotRepeated()
    {
        var options = new PipelineOptions
        {
            Retry = new RetryOptions { BudgetPercent = 0, BudgetFloorPerMinute = 0 },
        };
        await using var rig = RemotesRig.Start(_ => RemotesRig.Error(503, "backendError"), options);
        var call = RemotesRig.Call() with { ReadAttempts = 10 };
        await rig.Calendar.GetAsync(call, RemotesRig.Address, CancellationToken.None);
        Assert.Single(rig.Server.Requests);
        Assert.Equal(0, rig.Remotes.Health().RetriesLeft);
    }

    /// <summary>
    /// R-CAL-10-P: calls by outcome, and how much of the quota is used; never a connection as a label.
    /// </summary>
    [Fact]
    [Trait("Requirement", "R-CAL-10-P")]
    public async Task Metrics_AfterCalls_ShowOutcomesAndQuota()
    {
        await using var rig = RemotesRig.Start(request =>
            request.Number == 1
                ? RemotesRig.Ok(RemotesRig.EventJson())
                : RemotesRig.Error(412, "conditionNotMet"));
        var seen = new List<(string Name, long Value, string Labels)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (rig.Remotes.Owns(instrument.Meter))
                    self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, labels, _) =>
            seen.Add(
                (instrument.Name, value, string.Join(' ', labels.ToArray().Select(label => label.Value)))));
        listener.SetMeasurementEventCallback<int>((instrument, value, labels, _) =>
            seen.Add(
                (instrument.Name, value, string.Join(' ', labels.ToArray().Select(label => label.Value)))));
        listener.Start();
        await rig.Calendar.GetAsync(
            RemotesRig.Call("con_secret"), RemotesRig.Address, CancellationToken.None);
        await rig.Calendar.GetAsync(
            RemotesRig.Call("con_secret"), RemotesRig.Address, CancellationToken.None);
        listener.RecordObservableInstruments();
        Assert.Contains(("calsync.provider.calls", 1, "calendar events.get Succeeded"), seen);
        Assert.Contains(("calsync.provider.calls", 1, "calendar events.get PreconditionFailed"), seen);
        Assert.Contains(("calsync.provider.quota.project.used", 2, ""), seen);
        Assert.Contains(("calsync.provider.quota.user.used", 2, ""), seen);
        Assert.Contains(("calsync.provider.quota.user.limit", 480, ""), seen);
        Assert.Contains(("calsync.provider.breaker", 0, "calendar"), seen);
        Assert.DoesNotContain(seen, one => one.Labels.Contains("con_secret", StringComparison.Ordinal));
    }

    /// <summary>Nobody listens: surely not applied.</summary>
    [Fact]
    public async Task Insert_WhenNobodyListens_IsUnreachableAndCertainlyNotApplied()
    {
        await using var rig = RemotesRig.Start(_ => new ScriptedAnswer.Close());
        await rig.Server.DisposeAsync();
        var write = await rig.Calendar.InsertAsync(
            RemotesRig.Call(), RemotesRig.Address, RemotesRig.Content(), Notify.None, CancellationToken.None);
        var fault = Assert.IsType<EventWrite.Failed>(write).Fault;
        Assert.Equal((ProviderReason.Unreachable, false), (fault.Reason, fault.OutcomeUnknown));
    }

    /// <summary>An answer without end does not fill the memory.</summary>
    [Fact]
    public async Task Get_WhenTheAnswerIsTooLarge_IsOutsideProtocol()
    {
        var options = new PipelineOptions { BodySizeBytesMax = 65_536 };
        await using var rig = RemotesRig.Start(
            _ => RemotesRig.Ok(RemotesRig.EventJson($",\"x\":\"{new string('a', 70_000)}\"")), options);
        var read = await rig.Calendar.GetAsync(RemotesRig.Call(), RemotesRig.Address, CancellationToken.None);
        Assert.Equal(ProviderReason.OutsideProtocol, Assert.IsType<EventRead.Failed>(read).Fault.Reason);
    }

    /// <summary>The Date header tells how far the clocks are apart.</summary>
    [Fact]
    public async Task Get_WithADateHeader_ObservesTheClockSkew()
    {
        await using var rig = RemotesRig.Start(_ => new ScriptedAnswer.Send(
            200, RemotesRig.EventJson(), "Date: Mon, 05 Jan 2026 09:01:00 GMT"));
        await rig.Calendar.GetAsync(RemotesRig.Call(), RemotesRig.Address, CancellationToken.None);
        var seen = rig.Remotes.Clock.Latest;
        Assert.NotNull(seen);
        Assert.Equal(TimeSpan.FromSeconds(60.5), seen.Skew);
        Assert.Equal(TimeSpan.FromSeconds(0.5), seen.Uncertainty);
    }

    private static byte[] HalfAnAnswer() =>
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":"u8.ToArray();
}
