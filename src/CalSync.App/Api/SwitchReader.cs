using System.Collections.Immutable;
using CalSync.Classes;
using CalSync.Storage.Running;

namespace CalSync.App.Api;

/// <summary>The kill switches as requests see them: read at most once a second.</summary>
internal sealed class SwitchReader(SwitchStore store, TimeProvider clock)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(1);
    private volatile Reading? _last;

    /// <summary>How enrolments treat the calendar now. Decision C-02.</summary>
    public async Task<EnrolmentMode> EnrolmentModeAsync() => await ValueAsync("enrollment-calendar") switch
    {
        "strict" => EnrolmentMode.Strict,
        "deferred" => EnrolmentMode.Deferred,
        _ => EnrolmentMode.Wait,
    };

    /// <summary>False while idempotency keys are ignored. R-FIX-4-RB.</summary>
    public async Task<bool> IdempotencyIsOnAsync() => await ValueAsync("idempotency") == "on";

    /// <summary>False while operations without a token queue silently instead of answering a problem.
    /// C-06.</summary>
    public async Task<bool> BlocksWithoutTokenAsync() => await ValueAsync("token-blocking") == "on";

    /// <summary>Forgets what was read, so that a switch set through this process works at once.</summary>
    public void Forget() => _last = null;

    private async Task<string> ValueAsync(string name)
    {
        var now = clock.GetUtcNow();
        if (_last is not { } last || now - last.At >= Lifetime || now < last.At)
        {
            // Shared by requests: one of them going away must not fail the others.
            last = new Reading(now, await store.ReadAsync(CancellationToken.None));
            _last = last;
        }

        return last.States.First(state => state.Name == name).Value;
    }

    private sealed record Reading(DateTimeOffset At, ImmutableArray<SwitchState> States);
}
