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
    public static string Hash(string previous, long seq, JournalEntry entry) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(previous + Canonical(seq, entry))));

    /// <summary>The canonical JSON of one entry.</summary>
    public static string Canonical(long seq, JournalEntry entry)
    {
        var json = new StringBuilder(256 + (entry.Before?.Length ?? 0) + (entry.After?.Length ?? 0));
        Member(json, '{', "actor", entry.Actor);
        Member(json, ',', "after", entry.After);
        Member(json, ',', "at", Instant.Write(entry.At));
        Member(json, ',', "before", entry.Before);
        Member(json, ',', "cause", entry.Cause);
        Member(json, ',', "classId", entry.ClassId);
        Member(json, ',', "correlationId", entry.CorrelationId);
        Member(json, ',', "kind", entry.Kind);
        json.Append(",\"seq\":").Append(seq.ToString(CultureInfo.InvariantCulture));
        Member(json, ',', "subjectId", entry.SubjectId);
        Member(json, ',', "subjectKind", entry.SubjectKind);
        Member(json, ',', "tenantId", entry.TenantId);
        return json.Append('}').ToString();
    }

    private static void Member(StringBuilder json, char before, string name, string? value)
    {
        json.Append(before).Append('"').Append(name).Append("\":");
        if (value is null)
        {
            json.Append("null");
            return;
        }

        json.Append('"');
        foreach (var c in value)
        {
            _ = c switch
            {
                '"' => json.Append("\\\""),
                '\\' => json.Append("\\\\"),
                '\b' => json.Append("\\b"),
                '\t' => json.Append("\\t"),
                '\n' => json.Append("\\n"),
                '\f' => json.Append("\\f"),
                '\r' => json.Append("\\r"),
                < ' ' => json.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture)),
                _ => json.Append(c),
            };
        }

        json.Append('"');
    }
}
