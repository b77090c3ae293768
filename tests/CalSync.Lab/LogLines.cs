using System.Collections.Concurrent;
using CalSync.Lab.Secrecy;
using Microsoft.Extensions.Logging;

namespace CalSync.Lab;

/// <summary>
/// Keeps every log line, of whatever level, as <c>event category: text</c>, with the text of its fault.
/// </summary>
public sealed class LogLines : ILoggerProvider
{
    private readonly ConcurrentQueue<string> _lines = new();

    /// <summary>What was logged, in order.</summary>
    public IReadOnlyList<string> All => [.. _lines];

    /// <summary>A logger of its own for a service that is made by hand.</summary>
    public ILogger<T> For<T>() => new Lines<T>(_lines, typeof(T).FullName!);

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new Lines<LogLines>(_lines, categoryName);

    /// <inheritdoc/>
    public void Dispose()
    {
        // The lines stay readable.
    }

    private sealed class Lines<T>(ConcurrentQueue<string> lines, string category) : ILogger<T>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            ArgumentNullException.ThrowIfNull(formatter);
            var line = $"{eventId.Id} {category}: {formatter(state, exception)} {exception}".TrimEnd();
            Witness.Saw($"log {category}", line);
            lines.Enqueue(line);
        }
    }
}
