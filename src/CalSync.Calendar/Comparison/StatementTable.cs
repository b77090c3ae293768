namespace CalSync.Calendar.Comparison;

/// <summary>What a statement is about, the same on every side.</summary>
/// <param name="Property">Upper case.</param>
/// <param name="Member">Which of several; empty when there is one.</param>
/// <param name="Label">The same for a person; null when only the content tells, or there is one.</param>
internal sealed record StatementKey(string Property, string Member, string? Label)
{
    /// <summary>By property, then member, letter for letter.</summary>
    public static IComparer<StatementKey> Order { get; } = Comparer<StatementKey>.Create((left, right) =>
    {
        var order = string.CompareOrdinal(left.Property, right.Property);
        return order == 0 ? string.CompareOrdinal(left.Member, right.Member) : order;
    });
}

/// <summary>What one side says under a key, and everywhere it says it.</summary>
/// <param name="Meaning">What.</param>
internal sealed record StatementEntry(Meaning Meaning)
{
    /// <summary>Where; none for an end that no line says.</summary>
    public List<StatementSource> Sources { get; } = [];
}

/// <summary>What one component says, by what it is about.</summary>
internal sealed class StatementTable
{
    private readonly SortedDictionary<StatementKey, StatementEntry> _entries = new(StatementKey.Order);

    private StatementTable()
    {
    }

    /// <summary>Everything that is said, defaults included, in the order of keys.</summary>
    public IReadOnlyDictionary<StatementKey, StatementEntry> Entries => _entries;

    /// <summary>Makes tables whose keys are about the same things.</summary>
    /// <remarks>
    /// A property that stands once on every side has one key, whatever it says; one that stands several
    /// times on any side is a set of contents on all. A component is known by its UID if another side has
    /// the same, and else by its content.
    /// </remarks>
    /// <param name="sides">Null for a side that does not have the component; its table is empty.</param>
    public static StatementTable[] Align(params IReadOnlyList<Statement>?[] sides)
    {
        var repeated = sides.SelectMany(side => (side ?? [])
                .Where(statement => statement.Member is null && !statement.IsNested)
                .CountBy(statement => statement.Property, StringComparer.Ordinal))
            .Where(count => count.Value > 1)
            .Select(count => count.Key)
            .ToHashSet(StringComparer.Ordinal);
        var shared = sides.SelectMany(side => (side ?? [])
                .Where(statement => statement.NestedUid is not null)
                .Select(statement => (statement.Property, statement.NestedUid))
                .Distinct())
            .CountBy(uid => uid)
            .Where(count => count.Value > 1)
            .Select(count => count.Key)
            .ToHashSet();
        return
        [
            .. sides.Select(side =>
            {
                var table = new StatementTable();
                table.Fill(side ?? [], statement => Key(
                    statement, repeated.Contains(statement.Property),
                    shared.Contains((statement.Property, statement.NestedUid))));
                return table;
            }),
        ];
    }

    /// <summary>What is said under a key; null for nothing, and for what absence says as well.</summary>
    public StatementEntry? Said(StatementKey key) =>
        _entries.TryGetValue(key, out var entry) && !entry.Meaning.IsDefault ? entry : null;

    private static StatementKey Key(Statement statement, bool isRepeated, bool isUidShared)
    {
        if (statement.IsNested)
        {
            return isUidShared
                ? new StatementKey(statement.Property, statement.NestedUid!, statement.NestedUid)
                : new StatementKey(statement.Property, "\u001f" + statement.Meaning.Text, null);
        }

        if (statement.Member is { } member)
            return new StatementKey(statement.Property, member, member);
        return isRepeated
            ? new StatementKey(statement.Property, "\u001f" + statement.Meaning.Text, null)
            : new StatementKey(statement.Property, "", null);
    }

    /// <summary>Order of the stream counts for nothing: what says the same is numbered by content.</summary>
    private void Fill(IReadOnlyList<Statement> statements, Func<Statement, StatementKey> keyOf)
    {
        var counts = new Dictionary<StatementKey, int>();
        foreach (var statement in statements.OrderBy(each => each.Meaning.Text, StringComparer.Ordinal))
        {
            var key = keyOf(statement);
            if (!_entries.TryGetValue(key, out var entry) || !statement.IsOfSet)
            {
                counts[key] = counts.GetValueOrDefault(key) + 1;
                key = counts[key] == 1 ? key : key with { Member = $"{key.Member}\u001f{counts[key]:D9}" };
                _entries[key] = entry = new StatementEntry(statement.Meaning);
            }

            if (statement.Source is { } source)
                entry.Sources.Add(source);
        }
    }
}
