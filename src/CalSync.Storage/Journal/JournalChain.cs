using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace CalSync.Storage.Journal;

/// <summary>
/// The hash chain over the journal: each entry's hash covers the entry and the hash before it.
/// </summary>
/// <remarks>
/// <c>hash = hex(SHA-256(previous hash, as lower-case hex ASCII, empty for the first | canonical JSON in
/// UTF-8))</c>. The canonical JSON is RFC 8785: one object, no blanks, members sorted by name (actor, after,
/// at, before, cause, classId, correlationId, kind, seq, subjectId, subjectKind, tenantId). <c>seq</c> is a
/// number; <c>at</c> is UTC with six fraction digits; <c>before</c> and <c>after</c> are strings holding the
/// stored text; absent is null.
/// </remarks>
internal static class JournalChain
{
    /// <summary>Letters of a hash.</summary>
    public const int HashLength = 2 * SHA256.HashSizeInBytes;

    private const int NumberLengthMax = 20;

    /// <summary>Numbers and chains new lines onto the end of the journal.</summary>
    public static ChainedLine[] Append(JournalHead head, IReadOnlyList<JournalLine> lines)
    {
        var chained = new ChainedLine[lines.Count];
        for (var i = 0; i < chained.Length; i++)
        {
            var seq = head.Seq + 1;
            head = new JournalHead(seq, Hash(head.Hash, seq, lines[i]));
            chained[i] = new ChainedLine(seq, lines[i], head.Hash);
        }

        return chained;
    }

    /// <summary>The hash of one line that stands after <paramref name="previous"/>.</summary>
    public static string Hash(string previous, long seq, JournalLine line)
    {
        var size = previous.Length + line.Start.Length + NumberLengthMax + line.End.Length;
        var octets = ArrayPool<byte>.Shared.Rent(size);
        var at = Encoding.ASCII.GetBytes(previous, octets);
        line.Start.CopyTo(octets.AsSpan(at));
        at += line.Start.Length;
        _ = Utf8Formatter.TryFormat(seq, octets.AsSpan(at), out var written);
        at += written;
        line.End.CopyTo(octets.AsSpan(at));
        at += line.End.Length;
        var hash = Convert.ToHexStringLower(SHA256.HashData(octets.AsSpan(0, at)));
        ArrayPool<byte>.Shared.Return(octets);
        return hash;
    }
}

/// <summary>A line with its place.</summary>
/// <param name="Seq">Position in commit order.</param>
/// <param name="Line">What is written.</param>
/// <param name="Hash">Of it and all before it.</param>
internal readonly record struct ChainedLine(long Seq, JournalLine Line, string Hash);
