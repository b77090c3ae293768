using System.Collections.Immutable;

namespace CalSync.Calendar.Recurrence;

/// <summary>Which elements of a period's set are taken. RFC 5545 section 3.3.10, BYSETPOS.</summary>
/// <param name="positions">From 1, or from -1 backwards.</param>
internal sealed class SetPositions(ImmutableArray<int> positions)
{
    private readonly int[] _indexes = new int[positions.Length];
    private int _count;
    private int _next;

    /// <summary>Begins a period's set.</summary>
    /// <param name="length">Elements in the set.</param>
    public void Select(int length)
    {
        (_count, _next) = (0, 0);
        foreach (var position in positions)
        {
            var index = position > 0 ? position - 1 : length + position;
            if (index >= 0 && index < length)
            {
                _indexes[_count++] = index;
            }
        }

        Array.Sort(_indexes, 0, _count);
    }

    /// <summary>The next element that is taken, ascending and each once.</summary>
    public bool TryTake(out int index)
    {
        while (_next < _count)
        {
            index = _indexes[_next++];
            if (_next == 1 || index != _indexes[_next - 2])
            {
                return true;
            }
        }

        index = 0;
        return false;
    }
}
