using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Mirroring;

/// <summary>What a mirror should look like at the provider, loaded in one snapshot with its
/// version.</summary>
/// <param name="Version">The mirror's desired version this content belongs to.</param>
/// <param name="Present">False when the event must be gone.</param>
/// <param name="Content">
/// The content; its attendees are the seats we want invited, without the guests others added.
/// </param>
/// <param name="EverOurs">
/// Every address we ever enrolled in the class, lower case. Only these may be taken off the event.
/// </param>
public sealed record DesiredEvent(
    long Version, bool Present, EventContent Content, ImmutableHashSet<string> EverOurs)
{
    /// <summary>Hex SHA-256 over the content by meaning: equal content, equal hash.</summary>
    public string ContentHash()
    {
        var text = new StringBuilder();
        void Add(string? part) => text.Append(part?.Length ?? -1).Append(':').Append(part).Append('|');
        Add(Content.Summary);
        Add(Content.Description);
        Add(Content.Location);
        Add(Content.Start.Instant.ToString("O", CultureInfo.InvariantCulture));
        Add(Content.Start.Zone.Id);
        Add(Content.End.Instant.ToString("O", CultureInfo.InvariantCulture));
        Add(Content.ConferenceRequestId is null ? null : "conference");
        foreach (var email in Content.Attendees.Select(guest => guest.Email).Order(StringComparer.Ordinal))
            Add(email);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }
}

/// <summary>The identity of our events at the provider.</summary>
public static class EventIdentity
{
    /// <summary>Private property that names the mirror.</summary>
    public const string MirrorKey = "calsyncMirror";

    /// <summary>Private property that names the slot.</summary>
    public const string SlotKey = "calsyncSlot";

    /// <summary>Private property that names the tenant.</summary>
    public const string TenantKey = "calsyncTenant";

    /// <summary>The event id of a slot: the same three always give the same id, so a repeat finds itself
    /// (C-17).</summary>
    /// <param name="connectionId">The account.</param>
    /// <param name="slotId">The slot.</param>
    /// <param name="generation">From 1; raised when an id is burnt.</param>
    /// <returns>34 characters of base32hex, legal at Google (5 to 1024 of <c>0-9a-v</c>).</returns>
    public static string EventId(string connectionId, string slotId, int generation)
    {
        var source = string.Create(CultureInfo.InvariantCulture, $"{connectionId}|{slotId}|{generation}");
        return "cs" + IdSource.Encode(SHA256.HashData(Encoding.UTF8.GetBytes(source)))[..32];
    }

    /// <summary>The conference request id of a generation; asking twice with it makes one room.</summary>
    public static string ConferenceRequestId(string mirrorId, int generation) =>
        string.Create(CultureInfo.InvariantCulture, $"{mirrorId}-{generation}");

    /// <summary>The mark every event of ours carries.</summary>
    public static ImmutableSortedDictionary<string, string> Mark(
        string mirrorId, string slotId, string tenantId) =>
        ImmutableSortedDictionary.CreateRange(
            StringComparer.Ordinal,
            [
                KeyValuePair.Create(MirrorKey, mirrorId),
                KeyValuePair.Create(SlotKey, slotId),
                KeyValuePair.Create(TenantKey, tenantId),
            ]);
}
