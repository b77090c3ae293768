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

/// <summary>How a verb about pairs of calendars ended, for scripts. The numbers never change.</summary>
/// <remarks>
/// These verbs answer one question, whether both sides are equal, and have numbers of their own: a script
/// must be able to tell "held" from a mistyped option.
/// </remarks>
internal enum SyncExit
{
    /// <summary>Both sides are equal, or what was asked for is done.</summary>
    Equal = 0,

    /// <summary>They differ: a dry run found work, or some events wait.</summary>
    Differences = 1,

    /// <summary>The run would delete or create unusually much and was held before its first write; stdout
    /// names the command that approves it.</summary>
    Held = 2,

    /// <summary>An account must be connected again by its owner.</summary>
    NeedsConsent = 3,

    /// <summary>It could not be done; stderr says why.</summary>
    Failed = 4,

    /// <summary>The command line was not understood; nothing was done. EX_USAGE of sysexits.h.</summary>
    Usage = 64,

    /// <summary>The configuration is invalid; stderr lists every error. EX_CONFIG of sysexits.h.</summary>
    InvalidConfiguration = 78,
}

/// <summary>The codes of other verbs, told by a verb about pairs.</summary>
internal static class SyncExits
{
    /// <summary>The same end in the other numbers.</summary>
    public static SyncExit Of(ExitCode code) => code switch
    {
        ExitCode.Ok => SyncExit.Equal,
        ExitCode.Usage => SyncExit.Usage,
        ExitCode.InvalidConfiguration => SyncExit.InvalidConfiguration,
        ExitCode.Failed or ExitCode.Unhealthy or ExitCode.Partial => SyncExit.Failed,
    };

    /// <summary>What calls loudest for a person, of several pairs.</summary>
    public static SyncExit Worst(IEnumerable<SyncExit> codes) => codes.DefaultIfEmpty(SyncExit.Equal).Max();
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
