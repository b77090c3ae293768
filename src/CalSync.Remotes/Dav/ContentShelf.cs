using System.Buffers;

namespace CalSync.Remotes.Dav;

/// <summary>Puts the contents of an answer beside each other into one array.</summary>
/// <remarks>
/// Thousands of contents wait in memory while a calendar is read for the first time. The collector moves an
/// array of its own for each of them twice, and large arrays never.
/// </remarks>
internal sealed class ContentShelf : IDisposable
{
    /// <summary>Octets from which on an array is made of what is there.</summary>
    private const int PlacedSizeBytes = 192 * 1024;

    private readonly List<DavProperties> _rows = [];
    private byte[] _octets = ArrayPool<byte>.Shared.Rent(16 * 1024);
    private int _size;
    private int _rowStart;

    /// <summary>Octets of the row that is not complete.</summary>
    public int RowSizeBytes => _size - _rowStart;

    /// <summary>Takes a content.</summary>
    /// <param name="text">As XML gave it.</param>
    /// <returns>Where it is until its row is complete.</returns>
    public Range Add(ReadOnlySpan<byte> text)
    {
        var most = CalendarText.WithCrLfLengthMax(text);
        if (_octets.Length - _size < most)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(2 * _octets.Length, _size + most));
            _octets.AsSpan(0, _size).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_octets);
            _octets = larger;
        }

        var start = _size;
        _size += CalendarText.WithCrLf(text, _octets.AsSpan(_size));
        return start.._size;
    }

    /// <summary>Takes a row that is complete: it has its content once that is placed.</summary>
    public void Await(DavProperties row)
    {
        if (row.CalendarPlace is not null)
            _rows.Add(row);
        if (_size >= PlacedSizeBytes)
            Place();
        _rowStart = _size;
    }

    /// <summary>Gives the rows what was taken for them.</summary>
    public void Place()
    {
        ReadOnlyMemory<byte> placed = _octets.AsSpan(0, _size).ToArray();
        foreach (var row in _rows)
        {
            row.CalendarData = placed[row.CalendarPlace!.Value];
            row.CalendarPlace = null;
        }

        _rows.Clear();
        _size = 0;
    }

    /// <inheritdoc/>
    public void Dispose() => ArrayPool<byte>.Shared.Return(_octets);
}
