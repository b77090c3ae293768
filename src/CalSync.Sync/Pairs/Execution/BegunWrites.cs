using CalSync.Calendar.Comparison;

namespace CalSync.Sync.Pairs.Execution;

/// <summary>The writes of one event that are recorded as begun, at most one to each side.</summary>
internal sealed class BegunWrites
{
    private readonly List<(WriteRecord Write, bool IsTried)> _all = new(1);

    /// <summary>Ids of those of which the provider was never asked: left open, they could be taken for
    /// made.</summary>
    public IEnumerable<string> UntriedIds =>
        _all.Where(each => !each.IsTried).Select(each => each.Write.Id);

    /// <summary>One of them; null when there is none.</summary>
    public WriteRecord? First => _all.Count == 0 ? null : _all[0].Write;

    /// <summary>Adds one in place of the one to its side.</summary>
    public void Add(WriteRecord write)
    {
        Close(write.Side);
        _all.Add((write, false));
    }

    /// <summary>Notes that the provider is about to be asked.</summary>
    /// <returns>The write to that side.</returns>
    public WriteRecord Try(MergeSide side)
    {
        var at = At(side);
        var write = _all[at].Write;
        _all[at] = (write, true);
        return write;
    }

    /// <summary>Takes one out; null when there is none to that side.</summary>
    public WriteRecord? Close(MergeSide side)
    {
        if (At(side) is not (>= 0 and var at))
            return null;
        var write = _all[at].Write;
        _all.RemoveAt(at);
        return write;
    }

    private int At(MergeSide side)
    {
        var at = _all.Count - 1;
        while (at >= 0 && _all[at].Write.Side != side)
            at--;
        return at;
    }
}
