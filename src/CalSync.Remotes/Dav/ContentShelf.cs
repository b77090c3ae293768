using System.Buffers;

namespace CalSync.Remotes.Dav;

/// <summary>Puts the contents of an answer beside each other into one array.</summary>
/// <remarks>
/// Thousands of contents wait in memory while a calendar is read for the first time. The collector moves an
/// array of its own for each of them twice, and large arrays never.
/// </remarks>
internal sealed class ContentShelf : IDisposable
{
    /// <summary>Octets from which on an array is placed.</summary>
    private const int PlacedSizeBytes = 192 * 1024;

    private readonly List<(DavProperties Row, int Start, int Length)> _waiting = [];
    private byte[] _octets = ArrayPool<byte>.Shared.Rent(16 * 1024);
    private int _size;

    /// <summary>Takes a content for a row, which has it once it is placed.</summary>
    /// <param name="row">Whose it is.</param>
    /// <param name="text">As XML gave it.</param>
    public void Add(DavProperties row, ReadOnlySpan<byte> text)
    {
        var most = CalendarText.WithCrLfLengthMax(text);
        if (_octets.Length - _size < most)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(2 * _octets.Length, _size + most));
            _octets.AsSpan(0, _size).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_octets);
            _octets = larger;
        }

        var length = CalendarText.WithCrLf(text, _octets.AsSpan(_size));
        _waiting.Add((row, _size, length));
        _size += length;
        if (_size >= PlacedSizeBytes)
            Place();
    }

    /// <summary>Gives the rows what was taken for them.</summary>
    public void Place()
    {
        ReadOnlyMemory<byte> placed = _octets.AsSpan(0, _size).ToArray();
        foreach (var (row, start, length) in _waiting)
            row.CalendarData = placed.Slice(start, length);
        _waiting.Clear();
        _size = 0;
    }

    /// <inheritdoc/>
    public void Dispose() => ArrayPool<byte>.Shared.Return(_octets);
}
