using CalSync.Storage.Journal;
using CalSync.Sync.Journal;

namespace CalSync.Storage;

/// <summary>One write transaction. It commits when the work returns and rolls back when it throws.</summary>
/// <remarks>
/// Queued statements go out in one round trip, in order, at <see cref="FlushAsync"/> or at commit; a read
/// made in between does not see them. Journal entries are appended last: the end of the journal is locked
/// only once all other statements have run, and is held until the commit, so sequence numbers are in commit
/// order without gaps.
/// </remarks>
public sealed class WriteSession : Session
{
    private readonly List<QueuedStatement> _queue = [];
    private readonly List<JournalLine> _lines = [];
    private Action? _committing;

    internal WriteSession(Engine engine, SqlChannel channel, CancellationToken cancellation)
        : base(engine, channel, cancellation)
    {
    }

    /// <summary>Runs one statement at once; the answer is how many rows changed.</summary>
    public Task<int> ExecuteAsync(string sql, object? args = null) =>
        Channel.ExecuteAsync(sql, args, Cancellation);

    /// <summary>Adds a statement to the next flush.</summary>
    /// <param name="sql">One statement.</param>
    /// <param name="args">Its values, read when it is sent.</param>
    /// <param name="expectRows">
    /// Rows it must change, so that a condition in its WHERE is a guard; null when any number is right.
    /// Another number ends the transaction with a <see cref="ConcurrencyException"/>.
    /// </param>
    public void Queue(string sql, object? args = null, int? expectRows = null) =>
        _queue.Add(new QueuedStatement(SqlText.Of(sql), args, expectRows));

    /// <summary>Adds what was put together before.</summary>
    public void Queue(PreparedWrite prepared)
    {
        ArgumentNullException.ThrowIfNull(prepared);
        _queue.AddRange(prepared.Statements);
        _lines.AddRange(prepared.Lines);
    }

    /// <summary>Adds an entry that is appended when, and only when, this transaction commits.</summary>
    public void Journal(JournalEntry entry) => _lines.Add(new JournalLine(entry, Engine));

    /// <summary>
    /// Calls back when all is written and every lock held, so that only the commit is left; not when it is
    /// not reached.
    /// </summary>
    internal void OnCommitting(Action call) => _committing = call;

    /// <summary>Sends what is queued, in one round trip.</summary>
    /// <returns>The rows each statement changed, in order.</returns>
    /// <exception cref="ConcurrencyException">
    /// A statement changed another number of rows than it had to.
    /// </exception>
    public async Task<int[]> FlushAsync()
    {
        if (_queue.Count == 0)
            return [];
        var counts = await Channel.SendAsync(_queue, Cancellation);
        CheckCounts(counts);
        return counts;
    }

    /// <summary>Runs a text of several statements without parameters, as it stands.</summary>
    internal Task RunScriptAsync(string script) => Channel.RunScriptAsync(script, Cancellation);

    /// <summary>Sends what is left, appends the journal and commits.</summary>
    internal async Task CompleteAsync()
    {
        if (_lines.Count == 0)
        {
            await FlushAsync();
            _committing?.Invoke();
            await Channel.CommitAsync();
            return;
        }

        var (counts, head) = await Channel.SendAndLockHeadAsync(_queue, Cancellation);
        CheckCounts(counts);
        _committing?.Invoke();
        await Channel.AppendAndCommitAsync(JournalChain.Append(head, _lines));
    }

    private void CheckCounts(int[] counts)
    {
        for (var i = 0; i < counts.Length; i++)
        {
            if (_queue[i].ExpectRows is { } expected && expected != counts[i])
                throw new ConcurrencyException(_queue[i].Text.Named, expected, counts[i]);
        }

        _queue.Clear();
    }
}
