using System.Collections.Immutable;

namespace CalSync.Sync.Mirroring;

/// <summary>Finds the guests a provider refuses, by offering the new ones in ever smaller groups.</summary>
/// <remarks>
/// Immutable. A provider refuses a write as a whole and does not say whom it means. A refused group is
/// halved, and the halves are offered one after the other: one bad guest among n costs about two writes for
/// each halving of n.
/// </remarks>
internal sealed record GuestTrial
{
    /// <summary>Every guest is offered; nothing was refused.</summary>
    public static GuestTrial None { get; } = new();

    /// <summary>Who was refused alone.</summary>
    public ImmutableHashSet<string> Refused { get; private init; } =
        ImmutableHashSet.Create<string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>True when nobody waits to be offered.</summary>
    public bool IsOver => Waiting.IsEmpty;

    /// <summary>How often somebody was refused or taken.</summary>
    public int TurnCount { get; private init; }

    private ImmutableStack<ImmutableArray<string>> Waiting { get; init; } = [];

    /// <summary>Whether a guest may be on the next write.</summary>
    public bool Offers(string email) => !Refused.Contains(email)
        && !Waiting.Any(group => group.Contains(email, StringComparer.OrdinalIgnoreCase));

    /// <summary>The write with these was refused: the first half of them is offered next.</summary>
    /// <param name="offered">At least one.</param>
    public GuestTrial Refuse(ImmutableArray<string> offered) => offered.Length == 1
        ? (this with { Refused = Refused.Add(offered[0]) }).Accept()
        : this with { Waiting = Waiting.Push(offered[(offered.Length / 2)..]), TurnCount = TurnCount + 1 };

    /// <summary>Who was offered was taken: the next group is offered too.</summary>
    public GuestTrial Accept() => this with
    {
        Waiting = Waiting.IsEmpty ? Waiting : Waiting.Pop(),
        TurnCount = TurnCount + 1,
    };
}
