using CalSync.Sandbox.Google;

namespace CalSync.Sandbox.Http;

/// <summary>
/// Delivers push messages by POST, one at a time; what cannot be delivered is lost, as in life.
/// </summary>
/// <remarks>
/// The fault operation is "notify": drop or swallow loses a message, a delay holds it and those behind it
/// back, a status makes it arrive twice.
/// </remarks>
internal sealed class Messenger(SandboxState state) : IDisposable
{
    private static readonly TimeSpan AttemptMax = TimeSpan.FromSeconds(10);

    private readonly HttpClient _client = new() { Timeout = AttemptMax };

    /// <summary>
    /// Runs until <paramref name="stopping"/>; messages of a model that was reset away are not sent.
    /// </summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            // The token first: a reset in between cancels it, and the loop looks again.
            using var reset = CancellationTokenSource.CreateLinkedTokenSource(stopping, state.ResetToken);
            var model = state.Model;
            try
            {
                await foreach (var message in model.Channels.Messages.ReadAllAsync(reset.Token))
                    await DeliverAsync(message, reset.Token);
            }
            catch (OperationCanceledException)
            {
                // Stopping, or the model was replaced by a reset: look again.
            }
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task DeliverAsync(ChannelMessage message, CancellationToken cancellationToken)
    {
        var effect = state.Faults.Take("notify", message.User, message.CalendarId, null)?.Effect;
        if (effect?.DelayMs is { } milliseconds)
            await Task.Delay(TimeSpan.FromMilliseconds(milliseconds), state.Clock, cancellationToken);
        if (effect?.Drop is not null || effect?.Swallow == true)
            return;
        await PostAsync(message, cancellationToken);
        if (effect?.Status is not null)
            await PostAsync(message, cancellationToken);
    }

    private async Task PostAsync(ChannelMessage message, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, message.Address);
        foreach (var (name, value) in message.Headers)
            request.Headers.TryAddWithoutValidation(name, value);
        try
        {
            using var response = await _client.SendAsync(request, cancellationToken);
        }
        catch (HttpRequestException)
        {
            // Nobody listens there: the message is lost and the client's own polling has to notice.
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The receiver took longer than an attempt may; lost likewise.
        }
    }
}
