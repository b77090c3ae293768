using System.Diagnostics;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CalSync.Lab.Secrecy;

/// <summary>
/// Lets the <see cref="Witness"/> see every web host of this process from the moment it is built: the log
/// lines and answers of the product, and the secrets in what it and the practice providers are sent.
/// </summary>
/// <remarks>
/// The hosting library tells whoever listens that a host is about to be built, so no test and no part of the
/// product knows of this.
/// </remarks>
public static class HostWatch
{
    private const string Hosting = "Microsoft.Extensions.Hosting";
    private const string ProductMark = "CalSync.Storage.Database";

    /// <summary>Begins; does nothing while the witness is off.</summary>
    /// <param name="withChildren">Also in every process of the product that is started from now on.</param>
    public static void Begin(bool withChildren)
    {
        if (!Witness.IsOn)
            return;
        DiagnosticListener.AllListeners.Subscribe(new Hears<DiagnosticListener>(listener =>
        {
            if (listener.Name == Hosting)
                listener.Subscribe(new Hears<KeyValuePair<string, object?>>(Watch));
        }));
        if (withChildren)
            Environment.SetEnvironmentVariable("DOTNET_STARTUP_HOOKS", typeof(HostWatch).Assembly.Location);
    }

    private static void Watch(KeyValuePair<string, object?> told)
    {
        if (told.Key != "HostBuilding" || told.Value is not IHostBuilder builder)
            return;
        builder.ConfigureServices(services =>
        {
            var isProduct = services.Any(each => each.ServiceType.FullName == ProductMark);
            services.AddSingleton<IStartupFilter>(new AnswerWatch(isProduct));
            if (isProduct)
                services.AddSingleton<ILoggerProvider, LogWatch>();
        });
    }

    private sealed class Hears<T>(Action<T> hear) : IObserver<T>
    {
        public void OnNext(T value) => hear(value);

        public void OnCompleted()
        {
            // A host that was built says nothing more.
        }

        public void OnError(Exception error) =>
            throw new InvalidOperationException("The hosting library failed.", error);
    }

    private sealed class LogWatch : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => new Lines(categoryName);

        public void Dispose()
        {
            // What was seen stays.
        }

        private sealed class Lines(string category) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(
                LogLevel logLevel, EventId eventId, TState state, Exception? exception,
                Func<TState, Exception?, string> formatter) =>
                Witness.Saw($"log {category}", $"{formatter(state, exception)} {exception}");
        }
    }
}
