namespace CalSync.Lab.Simulation;

/// <summary>How a simulated provider behaves on its best day.</summary>
public sealed record SimulatedHabits
{
    /// <summary>It deletes by explicit tombstones from a token; else only complete listings.</summary>
    public bool HasTokens { get; init; } = true;

    /// <summary>It gives versions at all.</summary>
    public bool HasVersions { get; init; } = true;

    /// <summary>A write answers the version of what was stored.</summary>
    public bool AnswersVersion { get; init; } = true;

    /// <summary>It tells versions without contents.</summary>
    public bool TellsVersions { get; init; }

    /// <summary>Versions change at every read although nothing else does.</summary>
    public bool IsFlapping { get; init; }

    /// <summary>It cuts a location at its comma and adds a line of its own.</summary>
    public bool IsDamaging { get; init; }

    /// <summary>It cannot carry CONTACT, and says so.</summary>
    public bool IsLossy { get; init; }

    /// <summary>Writes under way at once.</summary>
    public int ParallelWritesMax { get; init; } = 1;

    /// <summary>Whether its versions tell our own write from somebody's right after it.</summary>
    public bool IsEchoSure => this is { HasVersions: true, AnswersVersion: true, IsFlapping: false };
}

/// <summary>The process died: everything in memory is gone.</summary>
public sealed class SimulatedCrashException : Exception
{
    public SimulatedCrashException()
        : base("The simulated process died.")
    {
    }
}

/// <summary>The ledger failed; the process lives on.</summary>
public sealed class SimulatedLedgerException : Exception
{
    public SimulatedLedgerException()
        : base("The simulated ledger failed.")
    {
    }
}

/// <summary>What may go wrong in one call. A closed list.</summary>
public enum SimulatedFault
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The write fails, and the answer says so.</summary>
    FailBefore,

    /// <summary>The write is done, and its answer is lost.</summary>
    FailAfter,

    /// <summary>The read is behind: it does not show the last change.</summary>
    StaleRead,

    /// <summary>The cursor is refused.</summary>
    TokenDead,

    /// <summary>The listing breaks off in the middle.</summary>
    PartialRead,

    /// <summary>The read fails.</summary>
    ReadFails,

    /// <summary>A listing of everything is empty, and says that it is complete.</summary>
    EmptyListing,

    /// <summary>The write is not done, and nothing says so.</summary>
    TimesOut,

    /// <summary>The write is done after everybody has given it up.</summary>
    Late,

    /// <summary>The write is refused for good.</summary>
    Refused,
}
