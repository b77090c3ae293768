namespace CalSync.Sync.Journal;

/// <summary>One state transition, as written to the append-only journal.</summary>
/// <remarks>
/// Entries are appended in the transaction that makes the change they tell of. The store adds the sequence
/// number (gap-free, in commit order) and the hash that chains each entry to the one before.
/// </remarks>
/// <param name="At">When the change was decided, UTC.</param>
/// <param name="TenantId">The tenant the subject belongs to.</param>
/// <param name="Actor">Who: a user id, or <c>worker</c>, <c>provider</c>, <c>cli</c>.</param>
/// <param name="Cause">Why, one word of a closed list such as <c>request</c>, <c>mirror</c>, <c>saga</c>,
/// <c>deadline</c>.</param>
/// <param name="CorrelationId">The request or run this belongs to; <c>calsync trace</c> follows it.</param>
/// <param name="Kind">What happened, <c>subject.verb</c>, such as <c>slot.moved</c> or
/// <c>mirror.verified</c>.</param>
/// <param name="SubjectKind">The table-like kind of the subject: <c>class</c>, <c>slot</c>, <c>mirror</c>,
/// <c>connection</c>.</param>
/// <param name="SubjectId">The subject's id.</param>
/// <param name="ClassId">The class it belongs to, so that a class's history is one query; null outside
/// classes.</param>
/// <param name="Before">The state before as JSON; null when there was none.</param>
/// <param name="After">The state after as JSON; null when there is none left.</param>
public sealed record JournalEntry(
    DateTimeOffset At,
    string TenantId,
    string Actor,
    string Cause,
    string CorrelationId,
    string Kind,
    string SubjectKind,
    string SubjectId,
    string? ClassId = null,
    string? Before = null,
    string? After = null);

/// <summary>A journal entry as stored.</summary>
/// <param name="Seq">Position in commit order, from 1, without gaps.</param>
/// <param name="Entry">What was written.</param>
/// <param name="Hash">Hex SHA-256 over the previous entry's hash and this entry's canonical JSON.</param>
public sealed record JournalRecord(long Seq, JournalEntry Entry, string Hash);
