using System.Buffers;
using System.Globalization;
using System.Text;
using CalSync.Storage.Sqlite;
using CalSync.Sync.Journal;

namespace CalSync.Storage.Journal;

/// <summary>A journal entry as far as it is known before its place is: its canonical JSON but for the number,
/// and on SQLite its row.</summary>
internal sealed class JournalLine
{
    // What RFC 8785 section 3.2.2.2 has escaped: the quotation mark, the backslash and control characters.
    private static readonly SearchValues<char> Escaped = SearchValues.Create(
        ['"', '\\', .. Enumerable.Range(0, ' ').Select(code => (char)code)]);

    private static readonly string NoHash = new('0', JournalChain.HashLength);

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _scratch;

    private readonly byte[] _json;
    private readonly int _startLength;
    private readonly SqliteArguments? _row;

    /// <summary>Puts a line together.</summary>
    /// <param name="entry">What it tells.</param>
    /// <param name="engine">Where it will be written; null for nowhere.</param>
    public JournalLine(JournalEntry entry, Engine? engine = null)
    {
        Entry = entry with { At = Instant.Trim(entry.At) };
        var json = _scratch ??= new ArrayBufferWriter<byte>(4 * 1024);
        json.ResetWrittenCount();
        WriteStart(json);
        _startLength = json.WrittenCount;
        WriteEnd(json);
        _json = json.WrittenSpan.ToArray();
        if (engine == Engine.Sqlite)
        {
            _row = SqliteArguments.Of(
                0L, Entry.At, Entry.TenantId, Entry.Actor, Entry.Cause, Entry.CorrelationId, Entry.Kind,
                Entry.SubjectKind, Entry.SubjectId, Entry.ClassId, Entry.Before, Entry.After, NoHash);
        }
    }

    /// <summary>What it tells.</summary>
    public JournalEntry Entry { get; }

    /// <summary>The canonical JSON before the number.</summary>
    public ReadOnlySpan<byte> Start => _json.AsSpan(0, _startLength);

    /// <summary>The canonical JSON behind the number.</summary>
    public ReadOnlySpan<byte> End => _json.AsSpan(_startLength);

    /// <summary>Its row on SQLite, in the order of the columns.</summary>
    public SqliteArguments Row(long seq, string hash)
    {
        _row!.Set(0, seq);
        _row.Set(12, hash);
        return _row;
    }

    private void WriteStart(ArrayBufferWriter<byte> json)
    {
        Member(json, "{\"actor\":"u8, Entry.Actor);
        Member(json, ",\"after\":"u8, Entry.After);
        Member(json, ",\"at\":"u8, Instant.Write(Entry.At));
        Member(json, ",\"before\":"u8, Entry.Before);
        Member(json, ",\"cause\":"u8, Entry.Cause);
        Member(json, ",\"classId\":"u8, Entry.ClassId);
        Member(json, ",\"correlationId\":"u8, Entry.CorrelationId);
        Member(json, ",\"kind\":"u8, Entry.Kind);
        json.Write(",\"seq\":"u8);
    }

    private void WriteEnd(ArrayBufferWriter<byte> json)
    {
        Member(json, ",\"subjectId\":"u8, Entry.SubjectId);
        Member(json, ",\"subjectKind\":"u8, Entry.SubjectKind);
        Member(json, ",\"tenantId\":"u8, Entry.TenantId);
        json.Write("}"u8);
    }

    private static void Member(ArrayBufferWriter<byte> json, ReadOnlySpan<byte> name, string? value)
    {
        json.Write(name);
        if (value is null)
        {
            json.Write("null"u8);
            return;
        }

        json.Write("\""u8);
        for (var rest = value.AsSpan(); ;)
        {
            var plain = rest.IndexOfAny(Escaped);
            Encoding.UTF8.GetBytes(plain < 0 ? rest : rest[..plain], json);
            if (plain < 0)
                break;
            json.Write(Escape(rest[plain]));
            rest = rest[(plain + 1)..];
        }

        json.Write("\""u8);
    }

    private static ReadOnlySpan<byte> Escape(char letter) => letter switch
    {
        '"' => "\\\""u8,
        '\\' => "\\\\"u8,
        '\b' => "\\b"u8,
        '\t' => "\\t"u8,
        '\n' => "\\n"u8,
        '\f' => "\\f"u8,
        '\r' => "\\r"u8,
        _ => Encoding.ASCII.GetBytes("\\u" + ((int)letter).ToString("x4", CultureInfo.InvariantCulture)),
    };
}
