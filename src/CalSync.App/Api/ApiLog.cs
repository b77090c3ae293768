namespace CalSync.App.Api;

/// <summary>The log lines of the HTTP interface; ids and counts, never bodies, tokens or addresses.</summary>
internal static partial class ApiLog
{
    [LoggerMessage(EventId = 1001, Level = LogLevel.Debug,
        Message = "{Method} {Route} answered {Status} in {ElapsedMs} ms for {UserId} by {Format} "
            + "[{CorrelationId}]")]
    public static partial void Answered(
        ILogger logger, string method, string route, int status, long elapsedMs, string userId,
            string format, string correlationId);

    [LoggerMessage(EventId = 1002, Level = LogLevel.Error, Message =
        "{Method} {Route} failed [{CorrelationId}]")]
    public static partial void Failed(
        ILogger logger, Exception fault, string method, string route, string correlationId);

    [LoggerMessage(EventId = 1003, Level = LogLevel.Warning,
        Message = "{Method} {Route}: the database is not available [{CorrelationId}]")]
    public static partial void DatabaseUnavailable(
        ILogger logger, Exception fault, string method, string route, string correlationId);

    [LoggerMessage(EventId = 1004, Level = LogLevel.Warning,
        Message = "{Method} {Route} came without an idempotency key [{CorrelationId}]")]
    public static partial void KeyMissing(ILogger logger, string method, string route, string correlationId);

    [LoggerMessage(EventId = 1005, Level = LogLevel.Information,
        Message = "A request was not let in: {Reason} [{CorrelationId}]")]
    public static partial void NotLetIn(ILogger logger, string reason, string correlationId);
}
