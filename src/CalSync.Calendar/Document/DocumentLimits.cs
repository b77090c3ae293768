namespace CalSync.Calendar.Document;

/// <summary>How much of a stream is looked at. What lies beyond is kept, and a problem says where.</summary>
public sealed record DocumentLimits
{
    /// <summary>Content lines that are told apart. Default 2,000,000, which take 32 MB.</summary>
    public int LineCountMax { get; init; } = 2_000_000;

    /// <summary>Problems of the structure that are listed. Default 1,000.</summary>
    public int ProblemCountMax { get; init; } = 1_000;

    /// <summary>The defaults.</summary>
    public static DocumentLimits Default { get; } = new();
}
