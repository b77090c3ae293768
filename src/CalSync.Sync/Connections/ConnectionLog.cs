using Microsoft.Extensions.Logging;

namespace CalSync.Sync.Connections;

/// <summary>The log lines about tokens: ids and reasons, never a token.</summary>
internal static partial class ConnectionLog
{
    [LoggerMessage(2101, LogLevel.Warning, "The token of connection {Connection} was not renewed: {Reason}.")]
    public static partial void RefreshFailed(ILogger log, string connection, string reason);

    [LoggerMessage(2102, LogLevel.Warning, "Connection {Connection} needs its owner's consent: {Reason}.")]
    public static partial void ConsentNeeded(ILogger log, string connection, ConsentReason reason);

    [LoggerMessage(2103, LogLevel.Error, "A look at tokens that end soon failed; it is repeated.")]
    public static partial void TurnFailed(ILogger log, Exception fault);
}
