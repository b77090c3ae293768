using System.Text.Json.Serialization.Metadata;
using CalSync.App.Api.Problems;

namespace CalSync.App.Api.Bodies;

/// <summary>A handler parameter that may have been refused while it was read.</summary>
internal interface IRefusable
{
    /// <summary>Null when the parameter is good.</summary>
    Problem? Problem { get; }
}

/// <summary>
/// The body of a request, as a handler's parameter. Handlers only run when it was readable.
/// </summary>
internal sealed class Body<T> : IRefusable
    where T : class
{
    private readonly JsonBody<T> _outcome;

    private Body(JsonBody<T> outcome) => _outcome = outcome;

    /// <summary>What it says.</summary>
    public T Value => ((JsonBody<T>.Read)_outcome).Value;

    /// <summary>Hex SHA-256 of its meaning.</summary>
    public string Fingerprint => ((JsonBody<T>.Read)_outcome).Fingerprint;

    /// <inheritdoc/>
    public Problem? Problem => (_outcome as JsonBody<T>.Refused)?.Problem;

    /// <summary>Binds a handler's parameter.</summary>
    public static async ValueTask<Body<T>> BindAsync(HttpContext context)
    {
        var type = (JsonTypeInfo<T>)(ApiJson.Default.GetTypeInfo(typeof(T))
            ?? throw new InvalidOperationException($"{typeof(T).Name} is not listed in {nameof(ApiJson)}."));
        var body = await JsonBodies.ReadAsync(context.Request, type, context.RequestAborted);
        // The generic idempotency of routes without a command of their own compares this.
        if (body is JsonBody<T>.Read read)
            context.Items[Idempotency.RequestKey.FingerprintItem] = read.Fingerprint;
        return new Body<T>(body);
    }
}
