using CalSync.Sandbox.CalDav;
using CalSync.Sandbox.Control;
using CalSync.Sandbox.Google;
using CalSync.Sandbox.Http;
using CalSync.Sandbox.OAuth;

namespace CalSync.Sandbox;

/// <summary>Everything one sandbox holds; a reset makes the model and the OAuth server anew.</summary>
internal sealed class SandboxState : IDisposable
{
    private readonly SandboxOptions _options;
    private CancellationTokenSource _reset = new();
    private long _latencyTicks;

    public SandboxState(SandboxOptions options, CancellationToken stopping)
    {
        _options = options;
        Stopping = stopping;
        Clock = new SandboxClock(options.Clock);
        Quota = new Quota(Clock);
        CalDavRate = new RequestRate(Clock);
        Reset();
    }

    public CancellationToken Stopping { get; }

    public SandboxClock Clock { get; }

    public FaultBook Faults { get; } = new();

    public CallLog Calls { get; } = new();

    public Quota Quota { get; }

    public GoogleModel Model { get; private set; } = null!;

    public DavModel CalDav { get; private set; } = null!;

    public RequestRate CalDavRate { get; }

    public OAuthModel OAuth { get; private set; } = null!;

    /// <summary>Cancelled when the present model is replaced.</summary>
    public CancellationToken ResetToken => _reset.Token;

    public TimeSpan Latency
    {
        get => TimeSpan.FromTicks(Interlocked.Read(ref _latencyTicks));
        set => Interlocked.Exchange(ref _latencyTicks, value.Ticks);
    }

    /// <summary>
    /// Back to the state at the start: accounts, settings, faults, calls, mails; the clock goes on.
    /// </summary>
    public void Reset()
    {
        var model = new GoogleModel(Clock, new Random(_options.Seed));
        foreach (var user in _options.Users)
            model.AddAccount(user.Email, user.Name, user.TimeZone);
        OAuth = new OAuthModel(model, Clock, _options);
        var calDav = new DavModel(Clock, new Random(_options.Seed)) { Quirks = _options.Quirks };
        foreach (var user in _options.CalDavUsers)
            calDav.AddAccount(user);
        CalDav = calDav;
        CalDavRate.Clear();
        Model = model;
        var old = Interlocked.Exchange(ref _reset, new CancellationTokenSource());
        old.Cancel();
        old.Dispose();
        Faults.Clear();
        Calls.Clear();
        Quota.Clear();
        Quota.Limits = _options.Quota;
        Latency = _options.Latency;
    }

    public void Dispose() => _reset.Dispose();
}
