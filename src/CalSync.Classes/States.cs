namespace CalSync.Classes;

/// <summary>The stage of a class or slot. Numbers are append only; stored by
/// <see cref="StateText"/>.</summary>
public enum Stage
{
    /// <summary>It will take place.</summary>
    Scheduled = 0,

    /// <summary>It will not take place; the provider has not yet confirmed that its events are
    /// gone.</summary>
    Cancelling = 1,

    /// <summary>It will not take place and its events are gone.</summary>
    Cancelled = 2,

    /// <summary>
    /// Slots only: its end has passed. Its event stays as it was. Moving it makes it scheduled again.
    /// </summary>
    Completed = 3,
}

/// <summary>The state of a seat. Numbers are append only; stored by <see cref="StateText"/>.</summary>
public enum SeatState
{
    /// <summary>Held; the calendar has not confirmed it.</summary>
    PendingCalendar = 0,

    /// <summary>Held, and every event was read back with the student on it.</summary>
    Active = 1,

    /// <summary>Held on somebody's decision although the calendar has not confirmed it.</summary>
    ActiveWithoutCalendar = 2,

    /// <summary>Being taken back: the student's entries are being removed.</summary>
    RollingBack = 3,

    /// <summary>Taken back; the seat is free.</summary>
    FailedRolledBack = 4,

    /// <summary>Held; a person must look at its calendar entries.</summary>
    NeedsAttention = 5,

    /// <summary>Given up; the student's entries are being removed.</summary>
    Cancelling = 6,

    /// <summary>Given up; the seat is free.</summary>
    Cancelled = 7,
}

/// <summary>The state of a payment. Numbers are append only; stored by <see cref="StateText"/>.</summary>
public enum PaymentState
{
    /// <summary>Owed.</summary>
    Pending = 0,

    /// <summary>Paid, or nothing was owed.</summary>
    Confirmed = 1,

    /// <summary>The seat ended before it was paid.</summary>
    Void = 2,
}

/// <summary>The state of an operation. Numbers are append only; stored by <see cref="StateText"/>.</summary>
public enum OperationState
{
    /// <summary>Nobody has started.</summary>
    Pending = 0,

    /// <summary>A worker is at it.</summary>
    InFlight = 1,

    /// <summary>Will be tried again by itself.</summary>
    RetryWait = 2,

    /// <summary>Waits for something outside, such as the owner's consent.</summary>
    Parked = 3,

    /// <summary>Every step was read back and found right.</summary>
    Verified = 4,

    /// <summary>Done without reading back, because verification is switched off.</summary>
    Unverified = 5,

    /// <summary>A person must look at it.</summary>
    NeedsAttention = 6,

    /// <summary>Failed; another operation is undoing it.</summary>
    Compensating = 7,

    /// <summary>Failed and undone.</summary>
    Compensated = 8,

    /// <summary>Given up by a person, or overtaken by a later intent.</summary>
    Abandoned = 9,
}

/// <summary>The words the states have in the database and in the API.</summary>
public static class StateText
{
    private static readonly string[] Stages = ["scheduled", "cancelling", "cancelled", "completed"];

    private static readonly string[] Seats =
    [
        "pending_calendar", "active", "active_without_calendar", "rolling_back", "failed_rolled_back",
        "needs_attention", "cancelling", "cancelled",
    ];

    private static readonly string[] Payments = ["pending", "confirmed", "void"];

    private static readonly string[] Operations =
    [
        "pending", "in_flight", "retry_wait", "parked", "verified", "unverified", "needs_attention",
        "compensating", "compensated", "abandoned",
    ];

    private static readonly string[] ProposalKinds = ["moved", "deleted", "relinked"];

    private static readonly string[] Proposals =
        ["pending", "accepted", "refused", "withdrawn", "settled"];

    /// <summary>The stored word.</summary>
    public static string Of(Stage stage) => Stages[(int)stage];

    /// <summary>The stored word.</summary>
    public static string Of(SeatState state) => Seats[(int)state];

    /// <summary>The stored word.</summary>
    public static string Of(PaymentState state) => Payments[(int)state];

    /// <summary>The stored word.</summary>
    public static string Of(OperationState state) => Operations[(int)state];

    /// <summary>The stored word.</summary>
    public static string Of(ProposalKind kind) => ProposalKinds[(int)kind];

    /// <summary>The stored word.</summary>
    public static string Of(ProposalState state) => Proposals[(int)state];

    /// <summary>Reads a stored word.</summary>
    /// <exception cref="FormatException">No kind is called that: the row is not ours.</exception>
    public static ProposalKind ProposalKindOf(string word) => (ProposalKind)IndexOf(ProposalKinds, word);

    /// <summary>Reads a stored word.</summary>
    /// <exception cref="FormatException">No state is called that: the row is not ours.</exception>
    public static ProposalState ProposalOf(string word) => (ProposalState)IndexOf(Proposals, word);

    /// <summary>Reads a stored word.</summary>
    /// <exception cref="FormatException">No stage is called that: the row is not ours.</exception>
    public static Stage StageOf(string word) => (Stage)IndexOf(Stages, word);

    /// <summary>Reads a stored word.</summary>
    /// <exception cref="FormatException">No seat state is called that: the row is not ours.</exception>
    public static SeatState SeatOf(string word) => (SeatState)IndexOf(Seats, word);

    /// <summary>Reads a stored word.</summary>
    /// <exception cref="FormatException">No payment state is called that: the row is not ours.</exception>
    public static PaymentState PaymentOf(string word) => (PaymentState)IndexOf(Payments, word);

    /// <summary>Reads a stored word.</summary>
    /// <exception cref="FormatException">No operation state is called that: the row is not ours.</exception>
    public static OperationState OperationOf(string word) => (OperationState)IndexOf(Operations, word);

    /// <summary>Whether a seat in this state counts against the capacity.</summary>
    public static bool IsLive(this SeatState state) =>
        state is not (SeatState.FailedRolledBack or SeatState.Cancelled);

    /// <summary>Whether the student of a seat in this state belongs on the events.</summary>
    public static bool IsAttending(this SeatState state) => state
        is SeatState.PendingCalendar or SeatState.Active or SeatState.ActiveWithoutCalendar
            or SeatState.NeedsAttention;

    private static int IndexOf(string[] words, string word)
    {
        var index = Array.IndexOf(words, word);
        return index >= 0 ? index : throw new FormatException($"'{word}' is no stored state.");
    }
}
