using System.Collections.Immutable;
using CalSync.Sync.Providers;

namespace CalSync.Sync.Mirroring;

/// <summary>Makes the attendee array to send. Providers replace the array as a whole (D-12). Pure.</summary>
internal static class GuestList
{
    /// <summary>
    /// Keeps every entry we must not touch, whole and with its answer, takes off only ours that lost their
    /// seat, and adds the new ones at the end.
    /// </summary>
    /// <param name="wanted">The seats to invite.</param>
    /// <param name="everOurs">Addresses we ever enrolled; nobody else is taken off.</param>
    /// <param name="shown">The list as last read; empty before the first write.</param>
    public static ImmutableArray<Attendee> Merge(
        ImmutableArray<Attendee> wanted, ImmutableHashSet<string> everOurs, ImmutableArray<Attendee> shown)
    {
        var seats = wanted.Select(guest => guest.Email).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var ours = everOurs.ToHashSet(StringComparer.OrdinalIgnoreCase);
        var present = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var merged = ImmutableArray.CreateBuilder<Attendee>();
        foreach (var guest in shown)
        {
            var stays = seats.Contains(guest.Email) || guest.Organizer || !ours.Contains(guest.Email);
            if (stays && present.Add(guest.Email))
                merged.Add(guest);
        }

        foreach (var guest in wanted)
        {
            if (present.Add(guest.Email))
                merged.Add(guest);
        }

        return merged.ToImmutable();
    }
}
