using System.Runtime.InteropServices;
using CalSync.Calendar.Document;

namespace CalSync.Sync.Pairs.Execution;

/// <summary>A write that was stored and is to be looked at again.</summary>
/// <param name="Address">Where it lies.</param>
/// <param name="Version">What its answer named; null for nothing.</param>
/// <param name="Sent">What the provider was sent, octet for octet; null when it was sent something
/// else.</param>
internal sealed record StoredWrite(ResourceAddress Address, string? Version, CalendarDocument? Sent);

/// <summary>What a side has shown in this run of how it keeps what is written to it. Thread-safe.</summary>
/// <remarks>
/// A server that changes a content must not answer with a strong ETag (RFC 4791 section 5.3.4), and several
/// do. So the version of an answer proves nothing until writes of this run were read back octet for octet
/// under the version their answers named: enough of them, and every kind of part of the content among them.
/// From then on some are still read whole, and the first that is otherwise ends it for the run.
/// </remarks>
/// <param name="provenCountMin">Writes that were read back whole before any version counts; 0: none ever
/// does.</param>
internal sealed class WriteTrust(int provenCountMin)
{
    /// <summary>One write of so many is read whole however honest the side was.</summary>
    private const int SampleOf = 16;

    private readonly Lock _gate = new();
    private readonly HashSet<ulong> _kept = [];
    private readonly List<ulong> _kinds = [];
    private readonly List<ulong> _members = [];
    private int _proven;
    private int _covered;
    private bool _isOver = provenCountMin == 0;

    /// <summary>Whether it is enough to see that the write's version is still there.</summary>
    public bool Covers(StoredWrite write)
    {
        if (write is not { Version: not null, Sent: { } sent })
            return false;
        lock (_gate)
        {
            return !_isOver && _proven >= provenCountMin && Kinds(sent).TrueForAll(_kept.Contains)
                && ++_covered % SampleOf != 0;
        }
    }

    /// <summary>Takes in what reading a write whole gave.</summary>
    public void Learn(StoredWrite write, ResourceRead read)
    {
        if (write is not { Version: { } version, Sent: { } sent })
            return;
        lock (_gate)
        {
            if (_isOver)
                return;
            if (read is ResourceRead.Found({ Content: { } content } now) && now.Version == version
                && content.Bytes.Span.SequenceEqual(sent.Bytes.Span))
            {
                _proven++;
                _kept.UnionWith(Kinds(sent));
            }
            else
            {
                _isOver = true;
            }
        }
    }

    private List<ulong> Kinds(CalendarDocument document)
    {
        ContentKinds.Find(document, _kinds, _members);
        return _kinds;
    }
}

/// <summary>
/// What kinds of parts a document has: lines (which property, with which parameters, how long, and which
/// characters a server may trip over) and components (which properties and components are in it and, since
/// servers add what they miss, which are not). A hash each, good within one process.
/// </summary>
internal static class ContentKinds
{
    private const ulong Start = 14695981039346656037;
    private const ulong Prime = 1099511628211;

    /// <summary>A bit for each kind of octet a server may trip over; those beyond ASCII share one.</summary>
    private static readonly byte[] Bits = BitsOf("\\", ",", ";", "\"", ":", "&<>", "\r\n");

    /// <summary>Finds each kind, as often as it comes: one for each line and each component.</summary>
    /// <param name="document">The document.</param>
    /// <param name="kinds">Takes the kinds, in place of what it has.</param>
    /// <param name="members">Room to work in.</param>
    public static void Find(CalendarDocument document, List<ulong> kinds, List<ulong> members)
    {
        kinds.Clear();
        members.Clear();
        foreach (var component in document.Components)
            Add(kinds, members, component, Named(component, Start));
    }

    /// <param name="kinds">Where the kinds are added.</param>
    /// <param name="members">Those of the components around this one; left as they were.</param>
    /// <param name="component">The component.</param>
    /// <param name="within">What it is, and in what.</param>
    private static void Add(
        List<ulong> kinds, List<ulong> members, CalendarComponent component, ulong within)
    {
        var outer = members.Count;
        foreach (var property in component.Properties)
        {
            var (name, kind) = Of(property.Bytes.Span, within);
            members.Add(name);
            kinds.Add(kind);
        }

        foreach (var part in component.Components)
        {
            var name = Named(part, within);
            members.Add(name);
            Add(kinds, members, part, name);
        }

        // Each once, in whatever order they come.
        var ours = CollectionsMarshal.AsSpan(members)[outer..];
        ours.Sort();
        var (all, last) = (within, 0UL);
        foreach (var member in ours)
        {
            all = unchecked(all + (member == last ? 0 : member * Prime));
            last = member;
        }

        kinds.Add(all);
        members.RemoveRange(outer, members.Count - outer);
    }

    private static ulong Named(CalendarComponent component, ulong within)
    {
        foreach (var letter in component.Name)
            within = Mix(within, letter);
        return Mix(within, '/');
    }

    /// <summary>The name and the kind of one line, folded or not.</summary>
    private static (ulong Name, ulong Kind) Of(ReadOnlySpan<byte> line, ulong within)
    {
        line = line.TrimEnd("\r\n"u8);
        var (name, kind, isName, isQuoted, at) = (0UL, within, true, false, 0);
        for (; at < line.Length && (isQuoted || line[at] != ':'); at++)
        {
            isQuoted ^= line[at] == '"';
            if (line[at] == ';' && !isQuoted)
            {
                name = name == 0 ? kind : name;
                isName = true;
            }
            else if (line[at] == '=')
            {
                isName = false;
            }

            if (isName)
                kind = Mix(kind, char.ToUpperInvariant((char)line[at]));
        }

        name = name == 0 ? kind : name;
        // Parameters count by their names, their values only by what all of them are made of.
        kind = Mix(kind, Traits(line[..at], isValue: false));
        return (name, Mix(kind, Traits(line[Math.Min(at + 1, line.Length)..], isValue: true)));
    }

    private static ulong Traits(ReadOnlySpan<byte> text, bool isValue)
    {
        var traits = 0UL;
        foreach (var octet in text)
            traits |= Bits[octet];
        return isValue
            ? (traits << 2) | (text.Length switch { <= 75 => 0UL, <= 300 => 1, <= 2000 => 2, _ => 3 })
            : traits;
    }

    private static byte[] BitsOf(params ReadOnlySpan<string> groups)
    {
        var bits = new byte[256];
        for (var group = 0; group < groups.Length; group++)
        {
            foreach (var letter in groups[group])
                bits[letter] |= (byte)(1 << group);
        }

        bits[0] = 1 << 7;
        bits.AsSpan(128).Fill(1 << 7);
        return bits;
    }

    private static ulong Mix(ulong hash, ulong value) => unchecked((hash ^ value) * Prime);
}
