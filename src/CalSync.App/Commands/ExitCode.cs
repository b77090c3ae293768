namespace CalSync.App.Commands;

/// <summary>How a verb ended, for scripts. The numbers never change.</summary>
internal enum ExitCode
{
    /// <summary>Everything that was asked for is done.</summary>
    Ok = 0,

    /// <summary>It could not be done; stderr says why.</summary>
    Failed = 1,

    /// <summary>The command line was not understood; nothing was done.</summary>
    Usage = 2,

    /// <summary>
    /// It was looked at, and something is not as it should be; of 'ics diff', the files differ.
    /// </summary>
    Unhealthy = 3,

    /// <summary>Some of it was done; stderr says what was not.</summary>
    Partial = 4,

    /// <summary>The configuration is invalid; stderr lists every error. EX_CONFIG of sysexits.h.</summary>
    InvalidConfiguration = 78,
}

/// <summary>A verb that cannot go on. Printed on stderr as what, where and what to do.</summary>
/// <param name="code">How the process ends.</param>
/// <param name="what">What went wrong, one sentence.</param>
/// <param name="where">The file, address or id it is about; null for none.</param>
/// <param name="advice">What the person can do; null when there is nothing.</param>
internal sealed class CommandException(
    ExitCode code, string what, string? where = null, string? advice = null)
    : Exception(what)
{
    /// <summary>The command line makes no sense.</summary>
    public static CommandException Usage(string what, string advice) =>
        new(ExitCode.Usage, what, null, advice);

    /// <summary>How the process ends.</summary>
    public ExitCode Code { get; } = code;

    /// <summary>The file, address or id it is about; null for none.</summary>
    public string? Where { get; } = where;

    /// <summary>What the person can do; null when there is nothing.</summary>
    public string? Advice { get; } = advice;
}
