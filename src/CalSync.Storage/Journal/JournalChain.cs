using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CalSync.Sync.Journal;

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
    // What RFC 8785 section 3.2.2.2 has escaped: the quotation mark, the backslash and control characters.
    private static readonly SearchValues<char> Escaped = SearchValues.Create(
        ['"', '\\', .. Enumerable.Range(0, ' ').Select(code => (char)code)]);

    /// <summary>Numbers and chains new entries onto the end of the journal.</summary>
    public static JournalRecord[] Append(JournalHead head, IReadOnlyList<JournalEntry> entries)
    {
        var records = new JournalRecord[entries.Count];
        for (var i = 0; i < entries.Count; i++)
        {
            var entry = entries[i] with { At = Instant.Trim(entries[i].At) };
            var seq = head.Seq + 1;
            head = new JournalHead(seq, Hash(head.Hash, seq, entry));
            records[i] = new JournalRecord(seq, entry, head.Hash);
        }

        return records;
    }

    /// <summary>The hash of one entry that stands after <paramref name="previous"/>.</summary>
    public static string Hash(string previous, long seq, JournalEntry entry)
    {
        var text = new ArrayBufferWriter<byte>(1024);
        Encoding.ASCII.GetBytes(previous, text);
        WriteCanonical(text, seq, entry);
        return Convert.ToHexStringLower(SHA256.HashData(text.WrittenSpan));
    }

    private static void WriteCanonical(ArrayBufferWriter<byte> json, long seq, JournalEntry entry)
    {
        Member(json, "{\"actor\":"u8, entry.Actor);
        Member(json, ",\"after\":"u8, entry.After);
        Member(json, ",\"at\":"u8, Instant.Write(entry.At));
        Member(json, ",\"before\":"u8, entry.Before);
        Member(json, ",\"cause\":"u8, entry.Cause);
        Member(json, ",\"classId\":"u8, entry.ClassId);
        Member(json, ",\"correlationId\":"u8, entry.CorrelationId);
        Member(json, ",\"kind\":"u8, entry.Kind);
        json.Write(",\"seq\":"u8);
        Encoding.ASCII.GetBytes(seq.ToString(CultureInfo.InvariantCulture), json);
        Member(json, ",\"subjectId\":"u8, entry.SubjectId);
        Member(json, ",\"subjectKind\":"u8, entry.SubjectKind);
        Member(json, ",\"tenantId\":"u8, entry.TenantId);
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
