namespace CalSync.Sync.Pairs;

/// <summary>What makes a copy that shows only busy known for one, apart from its text.</summary>
public static class BusyMark
{
    /// <summary>A property whose value is the UID of the full event. A provider that keeps no such properties
    /// keeps it in one of its own.</summary>
    public const string Property = "X-CALSYNC-BUSY";
}
