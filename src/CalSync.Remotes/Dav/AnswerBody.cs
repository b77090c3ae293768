using System.Buffers;

namespace CalSync.Remotes.Dav;

/// <summary>
/// The body of an answer, to be read without waiting: its beginning is in memory, and of nearly every answer
/// that is all.
/// </summary>
/// <remarks>
/// Blocks are given back as they are read. The rest of a longer one is waited for while it is read, which
/// <see cref="ReadAsync{T}"/> does on a thread of its own; so memory is bounded whatever a server sends.
/// </remarks>
internal sealed class AnswerBody : Stream
{
    /// <summary>Octets of an answer that are taken into memory before it is read.</summary>
    public const int HeldSizeBytesMax = 4 * 1024 * 1024;

    private const int BlockSizeBytes = 32 * 1024;

    private readonly Queue<(byte[] Octets, int Count)> _blocks = new();
    private readonly Stream _rest;
    private readonly CancellationToken _cancellation;
    private bool _isWhole;
    private int _position;

    private AnswerBody(Stream rest, CancellationToken cancellation) =>
        (_rest, _cancellation) = (rest, cancellation);

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Has a body read by something that cannot wait.</summary>
    /// <param name="body">Nobody else reads it; it stays open.</param>
    /// <param name="read">Reads it, to its end or as far as it likes.</param>
    /// <param name="cancellation">Ends every wait for the body.</param>
    public static async Task<T> ReadAsync<T>(
        Stream body, Func<Stream, T> read, CancellationToken cancellation)
    {
        using var answer = new AnswerBody(body, cancellation);
        await answer.TakeAsync();
        return answer._isWhole
            ? read(answer)
            : await Task.Factory.StartNew(
                () => read(answer), CancellationToken.None, TaskCreationOptions.LongRunning,
                TaskScheduler.Default);
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count)
    {
        if (_blocks.TryPeek(out var block))
        {
            var some = Math.Min(count, block.Count - _position);
            block.Octets.AsSpan(_position, some).CopyTo(buffer.AsSpan(offset));
            _position += some;
            if (_position == block.Count)
                GiveBack();
            return some;
        }

        return _isWhole
            ? 0
            : _rest.ReadAsync(buffer.AsMemory(offset, count), _cancellation)
                .AsTask().GetAwaiter().GetResult();
    }

    /// <inheritdoc/>
    public override void Flush() => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        while (_blocks.Count > 0)
            GiveBack();
        base.Dispose(disposing);
    }

    private async Task TakeAsync()
    {
        for (var size = 0; size < HeldSizeBytesMax && !_isWhole; size += BlockSizeBytes)
        {
            var block = ArrayPool<byte>.Shared.Rent(BlockSizeBytes);
            var count = await _rest.ReadAtLeastAsync(
                block.AsMemory(0, BlockSizeBytes), BlockSizeBytes, throwOnEndOfStream: false, _cancellation);
            _isWhole = count < BlockSizeBytes;
            if (count > 0)
                _blocks.Enqueue((block, count));
        }
    }

    private void GiveBack()
    {
        ArrayPool<byte>.Shared.Return(_blocks.Dequeue().Octets);
        _position = 0;
    }
}
