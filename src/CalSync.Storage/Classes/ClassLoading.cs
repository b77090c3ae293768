using System.Collections.Immutable;
using CalSync.Classes;

namespace CalSync.Storage.Classes;

/// <summary>What a batch of commands has to read, and nothing more.</summary>
internal sealed class ClassNeeds(ClassOptions options)
{
    private const string Live =
        "state IN ('pending_calendar', 'active', 'active_without_calendar', 'needs_attention', "
            + "'cancelling', 'rolling_back')";

    /// <summary>For PostgreSQL: plan for the size tables will have.</summary>
    /// <remarks>
    /// Prepared plans are kept for long, and one made while a table was small reads all of it once it has
    /// grown. Every statement of a command finds its rows by key, so nested index lookups are right at any
    /// size, and for any values: planning anew for each batch finds the same plans again.
    /// </remarks>
    public const string IndexOnly =
        """
        SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
            set_config('enable_mergejoin', 'off', true),
            set_config('plan_cache_mode', 'force_generic_plan', true)
        """;

    private readonly SortedSet<string> _classes = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _people = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _creators = new(StringComparer.Ordinal);
    private readonly HashSet<(string ClassId, string StudentId)> _students = [];
    private readonly HashSet<string> _seats = [];
    private readonly HashSet<string> _operations = [];
    private readonly HashSet<string> _proposals = [];
    private readonly HashSet<string> _ending = [];
    private readonly HashSet<(string TenantId, string UserId, string Route, string Key)> _keys = [];
    private DateTimeOffset _since = DateTimeOffset.MaxValue;

    public void Add(CommandEnvelope envelope)
    {
        AddId(_classes, envelope.ClassId);
        if (envelope.Idempotency is { } claim)
        {
            _keys.Add((envelope.Actor.TenantId, envelope.Actor.UserId, claim.Route, claim.Key));
        }

        switch (envelope.Command)
        {
            case ClassCommand.CreateClass create:
                AddId(_people, create.InstructorId ?? envelope.Actor.UserId);
                AddId(_creators, create.InstructorId ?? envelope.Actor.UserId);
                var since = envelope.Now - options.LookalikeWindow;
                _since = since < _since ? since : _since;
                break;
            case ClassCommand.Enrol enrol:
                AddId(_people, enrol.StudentId ?? envelope.Actor.UserId);
                if (IsId(envelope.ClassId) && IsId(enrol.StudentId ?? envelope.Actor.UserId))
                    _students.Add((envelope.ClassId!, enrol.StudentId ?? envelope.Actor.UserId));
                break;
            case ClassCommand.AcceptProposal proposal:
                AddId(_proposals, proposal.ProposalId);
                break;
            case ClassCommand.RefuseProposal proposal:
                AddId(_proposals, proposal.ProposalId);
                break;
            case ClassCommand.CancelClass:
                AddId(_ending, envelope.ClassId);
                break;
            case ClassCommand.CancelSeat seat:
                AddId(_seats, seat.EnrolmentId);
                break;
            case ClassCommand.ConfirmPayment seat:
                AddId(_seats, seat.EnrolmentId);
                break;
            case ClassCommand.FailEnrolment seat:
                AddId(_seats, seat.EnrolmentId);
                break;
            case ClassCommand.SettleOperation operation:
                AddId(_operations, operation.OperationId);
                break;
            case ClassCommand.RetryOperation operation:
                AddId(_operations, operation.OperationId);
                break;
            case ClassCommand.AbandonOperation operation:
                AddId(_operations, operation.OperationId);
                break;
        }
    }

    /// <summary>Whether text can be one of our ids; anything else cannot be found and is not sent to the
    /// database.</summary>
    public static bool IsId(string? text) => text is { Length: > 0 and <= ClassLimits.IdLengthMax }
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');

    /// <summary>Locks the classes and reads all of it, in one round trip.</summary>
    public async Task<ClassFacts> LoadAsync(WriteSession session)
    {
        var (sql, reads) = Compose(session);
        var facts = new ClassFacts(options);
        // Every id of the batch was unusable, so there is nothing to look for.
        if (reads.Count == 0)
            return facts;
        await using (var grid = await session.QueryMultipleAsync(sql, Values()))
        {
            foreach (var read in reads)
                await read(grid, facts);
        }

        if (_students.Count > 0 && facts.SeatRows.Count > 0)
            await AddSeatOperationsAsync(session, facts);
        facts.Join();
        return facts;
    }

    private object Values() => new
    {
        Classes = _classes.ToArray(),
        Creators = _creators.ToArray(),
        People = _people.ToArray(),
        SeatClasses = _students.Select(pair => pair.ClassId).ToArray(),
        SeatStudents = _students.Select(pair => pair.StudentId).ToArray(),
        Seats = _seats.ToArray(),
        Operations = _operations.ToArray(),
        Ending = _ending.ToArray(),
        Proposals = _proposals.ToArray(),
        KeyTenants = _keys.Select(key => key.TenantId).ToArray(),
        KeyUsers = _keys.Select(key => key.UserId).ToArray(),
        KeyRoutes = _keys.Select(key => key.Route).ToArray(),
        Keys = _keys.Select(key => key.Key).ToArray(),
        Since = _since,
    };

    private (string Sql, List<Func<ResultSets, ClassFacts, Task>> Reads) Compose(
        WriteSession session)
    {
        var sql = new List<string>();
        var reads = new List<Func<ResultSets, ClassFacts, Task>>();
        // Keys of other rows refer to the locked ones; only changes of the rows themselves must wait.
        var locked = session.Engine == Engine.Postgres ? " FOR NO KEY UPDATE" : "";
        if (_creators.Count > 0)
        {
            // Two creations by one instructor see each other: an equal class is found even without a key.
            sql.Add($"SELECT id FROM users WHERE {session.In("id", "@Creators")} ORDER BY id{locked}");
            reads.Add(async (grid, _) => await grid.ReadAsync<string>());
        }

        if (_classes.Count > 0)
        {
            sql.Add(
                $"SELECT {ClassRow.Columns} FROM classes WHERE {session.In("id", "@Classes")} ORDER BY "
                + $"id{locked}");
            reads.Add(async (grid, facts) => facts.ClassRows.AddRange(await grid.ReadAsync<ClassRow>()));
            sql.Add($"{SlotRow.Select} WHERE {session.In("s.class_id", "@Classes")} ORDER BY s.id");
            reads.Add(async (grid, facts) => facts.SlotRows.AddRange(await grid.ReadAsync<SlotRow>()));
            AddSeats(session, sql, reads);
        }

        if (_proposals.Count > 0)
        {
            sql.Add($"{ProposalRow.Select} WHERE {session.In("p.id", "@Proposals")}");
            reads.Add(
                async (grid, facts) => facts.ProposalRows.AddRange(await grid.ReadAsync<ProposalRow>()));
        }

        if (_people.Count > 0)
        {
            sql.Add(
                $"""
                SELECT id, tenant_id, role, calendar_email,
                    calendar_email = email OR calendar_email_verified_at IS NOT NULL
                        AS calendar_email_verified
                FROM users WHERE {session.In("id", "@People")}
                """);
            reads.Add(async (grid, facts) => facts.People.AddRange(await grid.ReadAsync<PersonRow>()));
        }

        if (_creators.Count > 0)
            AddCreation(session, sql, reads);
        if (_keys.Count > 0)
        {
            sql.Add(
                $"""
                SELECT k.tenant_id, k.user_id, k.route, k.key, k.fingerprint, k.status, k.headers, k.body,
                    k.class_id, k.enrolment_id, k.operation_id, k.lease_until, k.expires_at
                FROM idempotency_keys k
                """ + KeysFrom(session));
            reads.Add(async (grid, facts) => facts.Keys.AddRange(await grid.ReadAsync<KeyRow>()));
        }

        if (session.Engine == Engine.Postgres)
        {
            sql.Insert(0, IndexOnly);
            reads.Insert(0, async (grid, _) => await grid.ReadAsync<string>());
        }

        return (string.Join(";\n", sql), reads);
    }

    private void AddSeats(
        WriteSession session,
        List<string> sql, List<Func<ResultSets, ClassFacts, Task>> reads)
    {
        // Lateral, so that no plan can begin with all seats there are.
        var ofStudents = session.Engine == Engine.Postgres
            ? $"""
              FROM unnest(@SeatClasses, @SeatStudents) AS x(class_id, student_id)
              CROSS JOIN LATERAL (SELECT * FROM enrolments y
                  WHERE y.class_id = x.class_id AND y.student_id = x.student_id AND y.{Live} LIMIT 1) e
              """
            : $"""
              FROM enrolments e WHERE {session.In("e.class_id", "@SeatClasses")}
                  AND {session.In("e.student_id", "@SeatStudents")} AND e.{Live}
              """;
        var ofOperations = $"SELECT enrolment_id FROM operations WHERE {session.In("id", "@Operations")}";
        var (seats, operations) = (new List<string>(), new List<string>());
        if (_students.Count > 0)
        {
            seats.Add($"SELECT e.id {ofStudents}");
        }

        if (_seats.Count > 0)
        {
            seats.Add($"SELECT id FROM enrolments WHERE {session.In("id", "@Seats")}");
            operations.Add($"SELECT id FROM operations WHERE {session.In("enrolment_id", "@Seats")}");
        }

        if (_ending.Count > 0)
        {
            seats.Add($"SELECT id FROM enrolments WHERE {session.In("class_id", "@Ending")} AND {Live}");
            operations.Add(
                $"SELECT id FROM operations WHERE {session.In("class_id", "@Ending")} AND NOT settled");
        }

        if (_operations.Count > 0)
        {
            seats.Add(ofOperations);
            seats.Add(
                $"""
                SELECT id FROM enrolments WHERE {Live} AND class_id IN (SELECT class_id FROM operations
                    WHERE {session.In("id", "@Operations")}
                        AND kind IN ('class.cancel', 'slot.move', 'slot.cancel'))
                """);
            operations.Add($"SELECT id FROM operations WHERE {session.In("id", "@Operations")}");
            operations.Add($"SELECT id FROM operations WHERE enrolment_id IN ({ofOperations})");
            AddReminded(session, sql, reads);
        }

        if (seats.Count == 0)
            return;
        sql.Add(seats.Count == 1 && _students.Count > 0 && session.Engine == Engine.Postgres
            ? $"{SeatRow.Select} {ofStudents} {SeatRow.Payment}"
            : $"{SeatRow.Select} {SeatRow.From} {SeatRow.Payment} WHERE e.id IN "
                + $"({string.Join(" UNION ", seats)})");
        reads.Add(async (grid, facts) => facts.SeatRows.AddRange(await grid.ReadAsync<SeatRow>()));
        if (operations.Count == 0)
            return;
        // A union of index lookups; as alternatives of one condition they would read every operation there
        // is.
        sql.Add($"{OperationRow.Select} WHERE o.id IN ({string.Join(" UNION ", operations)})");
        reads.Add(async (grid, facts) => facts.OperationRows.AddRange(await grid.ReadAsync<OperationRow>()));
    }

    /// <summary>The sent reminders that what is being settled may make untrue.</summary>
    private static void AddReminded(
        WriteSession session, List<string> sql,
        List<Func<ResultSets, ClassFacts, Task>> reads)
    {
        sql.Add(
            $"""
            SELECT n.slot_id, n.enrolment_id FROM notices n JOIN slots s ON s.id = n.slot_id
            WHERE n.kind = 'reminder' AND n.state = 'sent' AND n.slot_version < s.version
                AND n.slot_id IN (
                SELECT m.slot_id FROM operations o JOIN operation_steps t ON t.operation_id = o.id
                JOIN mirrors m ON m.id = t.mirror_id
                WHERE {session.In("o.id", "@Operations")}
                    AND o.kind IN ('slot.move', 'slot.cancel', 'class.cancel'))
            UNION
            SELECT n.slot_id, n.enrolment_id FROM operations o
            JOIN notices n ON n.enrolment_id = o.enrolment_id AND n.user_id = (
                SELECT e.student_id FROM enrolments e WHERE e.id = o.enrolment_id)
            WHERE {session.In("o.id", "@Operations")} AND n.kind = 'reminder' AND n.state = 'sent'
                AND o.kind IN ('enrolment.cancel', 'enrolment.roll_back')
            """);
        reads.Add(async (grid, facts) => facts.Reminded.AddRange(await grid.ReadAsync<RemindedRow>()));
    }

    /// <summary>Somebody who asks for a seat has one: what it waits for is told. Rare, so it costs its own
    /// round trip.</summary>
    private static async Task AddSeatOperationsAsync(WriteSession session, ClassFacts facts)
    {
        var known = facts.OperationRows.Select(row => row.Id).ToHashSet(StringComparer.Ordinal);
        var rows = await session.QueryAsync<OperationRow>(
            $"{OperationRow.Select} WHERE {session.In("o.enrolment_id", "@ids")}",
            new { ids = facts.SeatRows.Select(row => row.Id).ToArray() });
        facts.OperationRows.AddRange(rows.Where(row => !known.Contains(row.Id)));
    }

    /// <summary>Exactly the asked keys: by its whole primary key each, however many a user has.</summary>
    private static string KeysFrom(WriteSession session) => session.Engine == Engine.Postgres
        ? """

          JOIN unnest(@KeyTenants, @KeyUsers, @KeyRoutes, @Keys) AS x(tenant_id, user_id, route, key)
              ON k.tenant_id = x.tenant_id AND k.user_id = x.user_id AND k.route = x.route AND k.key = x.key
          """
        : $"""

          WHERE {session.In("k.tenant_id", "@KeyTenants")} AND {session.In("k.user_id", "@KeyUsers")}
              AND {session.In("k.route", "@KeyRoutes")} AND {session.In("k.key", "@Keys")}
          """;

    private static void AddCreation(
        WriteSession session,
        List<string> sql, List<Func<ResultSets, ClassFacts, Task>> reads)
    {
        sql.Add(
            $"""
            SELECT c.user_id, c.id AS connection_id, k.id AS calendar_id
            FROM connections c JOIN calendars k ON k.connection_id = c.id
            WHERE {session.In("c.user_id", "@Creators")} AND k.selected AND k.state = 'available'
                AND c.state <> 'disconnected'
            ORDER BY CASE WHEN c.state = 'needs_reauth' THEN 1 ELSE 0 END, c.created_at, c.id
            """);
        reads.Add(async (grid, facts) => facts.Targets.AddRange(await grid.ReadAsync<TargetRow>()));
        sql.Add(
            $"""
            SELECT id, instructor_id, content_hash, created_at FROM classes
            WHERE {session.In("instructor_id", "@Creators")}
                AND created_at >= @Since AND state = 'scheduled'
            ORDER BY created_at DESC LIMIT 1000
            """);
        reads.Add(async (grid, facts) => facts.Recent.AddRange(await grid.ReadAsync<RecentRow>()));
    }

    private static void AddId(ISet<string> ids, string? id)
    {
        if (IsId(id))
            ids.Add(id!);
    }
}

/// <summary>What was read for a batch, and the classes as the batch's decisions leave them.</summary>
internal sealed class ClassFacts(ClassOptions options)
{
    private static readonly Dictionary<string, Role> Roles = new(StringComparer.Ordinal)
    {
        ["admin"] = Role.Admin,
        ["operator"] = Role.Operator,
        ["instructor"] = Role.Instructor,
        ["student"] = Role.Student,
    };

    public List<ClassRow> ClassRows { get; } = [];

    public List<SlotRow> SlotRows { get; } = [];

    public List<SeatRow> SeatRows { get; } = [];

    public List<OperationRow> OperationRows { get; } = [];

    public List<ProposalRow> ProposalRows { get; } = [];

    public List<PersonRow> People { get; } = [];

    public List<TargetRow> Targets { get; } = [];

    public List<RecentRow> Recent { get; } = [];

    public List<RemindedRow> Reminded { get; } = [];

    public List<KeyRow> Keys { get; } = [];

    public Dictionary<string, ClassState> Classes { get; } = new(StringComparer.Ordinal);

    public void Join()
    {
        var slots = SlotRows.ToLookup(row => row.ClassId, StringComparer.Ordinal);
        var seats = SeatRows.ToLookup(row => row.ClassId, StringComparer.Ordinal);
        var operations = OperationRows.ToLookup(row => row.ClassId, StringComparer.Ordinal);
        var proposals = ProposalRows.ToLookup(row => row.ClassId, StringComparer.Ordinal);
        foreach (var row in ClassRows)
        {
            Classes[row.Id] = row.ToState() with
            {
                Slots = [.. slots[row.Id].Select(slot => slot.ToSlot())],
                Seats = seats[row.Id].ToImmutableDictionary(seat => seat.Id, seat => seat.ToSeat()),
                Operations = operations[row.Id].ToImmutableDictionary(
                    each => each.Id, each => each.ToOperation()),
                Proposals = proposals[row.Id].ToImmutableDictionary(
                    each => each.Id, each => each.ToProposal()),
            };
        }
    }

    public DecisionContext Context(
        CommandEnvelope envelope, string correlationId, Func<string, string> nextId)
    {
        var personId = envelope.Command switch
        {
            ClassCommand.CreateClass create => create.InstructorId ?? envelope.Actor.UserId,
            ClassCommand.Enrol enrol => enrol.StudentId ?? envelope.Actor.UserId,
            _ => null,
        };
        var person = personId is null
            ? null
            : People.Find(row => row.Id == personId && row.TenantId == envelope.Actor.TenantId);
        var target = Targets.Find(row => row.UserId == personId);
        return new DecisionContext(envelope.Actor, envelope.Now, correlationId, nextId)
        {
            Options = options,
            Mode = envelope.Mode,
            IntentNamed = envelope.Idempotency is not null,
            Person = person is null
                ? null
                : new Person(
                    person.Id, Roles[person.Role], person.CalendarEmail, person.CalendarEmailVerified),
            Target = target is null ? null : new CalendarTarget(target.ConnectionId, target.CalendarId),
            FindLookalike = hash => Lookalike(hash, personId, envelope.Now - options.LookalikeWindow),
            Reminded = [.. Reminded.Select(row => (row.SlotId, row.EnrolmentId))],
        };
    }

    private Lookalike? Lookalike(string hash, string? instructorId, DateTimeOffset since) =>
        Recent.Find(
            row => row.ContentHash == hash && row.InstructorId == instructorId && row.CreatedAt >= since)
            is { } found
            ? new Lookalike(found.Id, found.CreatedAt)
            : null;
}
