using System.Text;
using Microsoft.AspNetCore.Http;

namespace CalSync.Sandbox.Http;

/// <summary>What fault scripts do to a call around its being applied, and to the octets of its
/// answer.</summary>
internal sealed class FaultGate(SandboxState state)
{
    /// <summary>
    /// Delays, black holes and drops that come before anything is applied; false when the call ends here.
    /// </summary>
    public async Task<bool> BeforeAsync(
        HttpContext context, CallEntry entry, FaultEffect? effect, TimeSpan latency)
    {
        if (effect?.Blackhole == true)
            await WaitAsync(Timeout.InfiniteTimeSpan, context.RequestAborted);
        var delay = latency + TimeSpan.FromMilliseconds(effect?.DelayMs ?? 0);
        // The provider goes on even when the client has left: the change may land long after the client gave
        // up.
        if (delay > TimeSpan.Zero)
            await WaitAsync(delay, state.Stopping);
        if (effect?.Drop != "before" && effect?.Blackhole != true)
            return true;
        entry.Status = 0;
        context.Abort();
        return false;
    }

    /// <summary>Delays and drops after the call was applied; false when no answer is sent.</summary>
    public async Task<bool> AfterAsync(HttpContext context, CallEntry entry, FaultEffect? effect)
    {
        if (effect?.DelayAfterMs is { } milliseconds)
            await WaitAsync(TimeSpan.FromMilliseconds(milliseconds), state.Stopping);
        if (effect?.Drop != "after")
            return true;
        entry.Status = 0;
        context.Abort();
        return false;
    }

    /// <summary>Sends the answer; its headers are set already.</summary>
    /// <remarks>
    /// <c>octets</c>: Null for an answer without a body.
    /// </remarks>
    public static async Task SendAsync(
        HttpContext context, CallEntry entry, FaultEffect? effect, byte[]? octets)
    {
        var response = context.Response;
        if (effect?.AnswerAs is { } status)
            response.StatusCode = status;
        entry.Status = response.StatusCode;
        if (effect?.Body is { } body)
        {
            response.ContentType = effect.BodyType ?? "text/html; charset=utf-8";
            octets = Encoding.UTF8.GetBytes(body);
        }

        if (octets is null)
            return;
        if (effect?.KeepBytes is { } kept && kept < octets.Length)
            octets = octets[..Math.Max(0, kept)];
        if (response.StatusCode is 204 or 304)
            return;
        response.ContentLength = octets.Length;
        if (HttpMethods.IsHead(context.Request.Method))
            return;
        if (effect?.Drop != "middle")
        {
            await response.Body.WriteAsync(octets, context.RequestAborted);
            return;
        }

        await response.Body.WriteAsync(octets.AsMemory(0, octets.Length / 2), context.RequestAborted);
        await response.Body.FlushAsync(context.RequestAborted);
        context.Abort();
    }

    private async Task WaitAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, state.Stopping);
        var waiting = Task.Delay(time, state.Clock, either.Token);
        await waiting.ContinueWith(
            static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }
}
