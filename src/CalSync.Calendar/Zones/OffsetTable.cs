using CalSync.Calendar.Recurrence;
using NodaTime;

namespace CalSync.Calendar.Zones;

/// <summary>A zone's offsets as sorted numbers, for turning many local times into instants.</summary>
/// <remarks>
/// Local seconds count from 0001-01-01T00:00, UTC seconds from 1970 (Unix). REC-1 makes the table simple:
/// the earlier of two offsets serves a gap (which shifts the time forward by it) as well as an overlap (first
/// pass), so every offset holds up to one local time, the later of both walls at the transition. After the
/// table's last year the zone itself is asked.
/// </remarks>
internal sealed class OffsetTable
{
    /// <summary>The year from which on the zone is asked one by one.</summary>
    public const int YearEnd = 2200;

    private static readonly Instant End = Instant.FromUtc(YearEnd, 1, 1, 0, 0);

    private readonly DateTimeZone _rules;
    private readonly long[] _localEnds;
    private readonly long[] _utcEnds;
    private readonly int[] _gaps;
    private readonly int[] _offsets;

    public OffsetTable(DateTimeZone rules)
    {
        _rules = rules;
        var intervals = rules.GetZoneIntervals(Instant.MinValue, End).ToArray();
        _offsets = [.. intervals.Select(interval => interval.WallOffset.Seconds)];
        _localEnds = new long[intervals.Length];
        _utcEnds = new long[intervals.Length];
        _gaps = new int[intervals.Length];
        for (var index = 0; index < intervals.Length; index++)
        {
            var interval = intervals[index];
            var isLast = index == intervals.Length - 1;
            if (!interval.HasEnd)
            {
                (_utcEnds[index], _localEnds[index]) = (long.MaxValue, long.MaxValue);
                continue;
            }

            // The last interval may reach past the table, where a transition could still shift it.
            var end = (isLast ? Instant.Min(End, interval.End) : interval.End).ToUnixTimeSeconds();
            var after = isLast ? _offsets[index] - 86_400 : _offsets[index + 1];
            _utcEnds[index] = end;
            _gaps[index] = Math.Max(0, after - _offsets[index]);
            _localEnds[index] = end + LocalClock.UnixEpoch
                + (isLast ? after : Math.Max(after, _offsets[index]));
        }
    }

    /// <summary>The instant of a local time, and whether that was in a gap and moved forward.</summary>
    /// <param name="local">Local seconds.</param>
    /// <param name="hint">Where the last answer was found; begins at 0.</param>
    public (long Utc, bool Shifted) ToUtc(long local, ref int hint)
    {
        hint = Find(_localEnds, local, hint);
        if (hint == _localEnds.Length)
        {
            return Ask(local);
        }

        return (local - LocalClock.UnixEpoch - _offsets[hint], local >= _localEnds[hint] - _gaps[hint]);
    }

    /// <summary>Local time minus UTC, in seconds.</summary>
    /// <param name="utc">UTC seconds.</param>
    /// <param name="hint">Where the last answer was found; begins at 0.</param>
    public int OffsetAt(long utc, ref int hint)
    {
        hint = Find(_utcEnds, utc, hint);
        return hint == _utcEnds.Length
            ? _rules.GetUtcOffset(Instant.FromUnixTimeSeconds(utc)).Seconds
            : _offsets[hint];
    }

    /// <summary>The first index whose end is later; the length when there is none.</summary>
    private static int Find(long[] ends, long time, int hint)
    {
        if (hint < ends.Length && (hint == 0 || time >= ends[hint - 1]))
        {
            if (time < ends[hint])
            {
                return hint;
            }

            // Series go forward, so the next interval is the likeliest.
            if (hint + 1 < ends.Length && time < ends[hint + 1])
            {
                return hint + 1;
            }
        }

        var found = Array.BinarySearch(ends, time);
        return found >= 0 ? found + 1 : ~found;
    }

    private (long Utc, bool Shifted) Ask(long local)
    {
        var mapping = _rules.MapLocal(LocalClock.ToLocalDateTime(local));
        var utc = local - LocalClock.UnixEpoch - mapping.EarlyInterval.WallOffset.Seconds;
        return (utc, mapping.Count == 0);
    }
}
