using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace CalSync.Lab.Bench.Sync;

/// <summary>One resource of a null calendar, or the mark it left when it was deleted.</summary>
/// <param name="Name">Its last path segment, unescaped.</param>
/// <param name="ETag">With its quotes.</param>
/// <param name="Octets">As it was put; null when it is deleted.</param>
/// <param name="Revision">The calendar's revision that made it so.</param>
internal sealed record NullResource(string Name, string ETag, byte[]? Octets, long Revision)
{
    private byte[]? _escaped;

    /// <summary>The octets as text of an XML element.</summary>
    public byte[] Escaped => _escaped ??= Encoding.UTF8.GetBytes(
        NullXml.Escape(Encoding.UTF8.GetString(Octets!)));
}

/// <summary>One collection in memory. Not thread-safe.</summary>
/// <param name="name">Its path segment.</param>
internal sealed class NullCalendar(string name)
{
    private readonly Dictionary<string, NullResource> _resources = new(StringComparer.Ordinal);
    private long _revision = 1;

    /// <summary>Its path segment.</summary>
    public string Name => name;

    /// <summary>Its state: ctag and sync token in one.</summary>
    public string Token => TokenAt(_revision);

    /// <summary>Everything that is there.</summary>
    public IEnumerable<NullResource> All => _resources.Values.Where(each => each.Octets is not null);

    /// <summary>One resource; null when it is not there.</summary>
    public NullResource? Find(string resource) =>
        _resources.GetValueOrDefault(resource) is { Octets: not null } found ? found : null;

    /// <summary>What was put or deleted since a token of this calendar; null when it is none.</summary>
    public IEnumerable<NullResource>? Since(string token)
    {
        var slash = token.LastIndexOf('/');
        return long.TryParse(token.AsSpan(slash + 1), CultureInfo.InvariantCulture, out var revision)
            && token == TokenAt(revision) && revision <= _revision
            ? _resources.Values.Where(each => each.Revision > revision)
            : null;
    }

    /// <summary>Stores a resource.</summary>
    [SuppressMessage("Security", "CA5350", Justification = "An ETag protects nothing.")]
    public NullResource Put(string resource, byte[] octets)
    {
        var stored = new NullResource(
            resource, $"\"{Convert.ToHexStringLower(SHA1.HashData(octets))}\"", octets, ++_revision);
        _resources[resource] = stored;
        return stored;
    }

    /// <summary>Deletes a resource.</summary>
    public void Delete(string resource) =>
        _resources[resource] = new NullResource(resource, "", null, ++_revision);

    private string TokenAt(long revision) =>
        string.Create(CultureInfo.InvariantCulture, $"http://null.example/{name}/{revision}");
}
