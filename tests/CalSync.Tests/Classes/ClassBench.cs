using System.Collections.Immutable;
using System.Globalization;
using CalSync.Classes;
using Xunit;

namespace CalSync.Tests.Classes;

/// <summary>A class in memory, with a calendar that is verified when the test says so.</summary>
internal sealed class ClassBench
{
    private int _ids;

    public static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public static readonly Actor Teacher = new("ten_a", "usr_teacher", Role.Instructor);

    public ClassState? State { get; private set; }

    public DateTimeOffset Now { get; set; } = Noon;

    public EnrolmentMode Mode { get; set; }

    public List<ClassEvent> Happened { get; } = [];

    public ImmutableHashSet<(string SlotId, string EnrolmentId)> Reminded { get; set; } = [];

    public IEnumerable<Notice> Notices => Happened.OfType<ClassEvent.NoticeWritten>().Select(e => e.Notice);

    public static ClassCommand.CreateClass Creation(int slots = 2, int capacity = 5, Price? price = null) =>
        new(
        "Pottery",
        null,
        null,
        "Europe/Lisbon",
        capacity,
        price,
        false,
        null,
        [new ScheduleDraft(null, [.. Enumerable.Range(0, slots).Select(Day)])]);

    public static Actor Student(string name) => new("ten_a", $"usr_{name}", Role.Student);

    public static Actor Product { get; } = Actor.System("ten_a");

    public Decision Decide(
        Actor actor, ClassCommand command, Lookalike? lookalike = null, bool intentNamed = false)
    {
        var person = command switch
        {
            ClassCommand.Enrol enrol =>
                new Person(
                    enrol.StudentId ?? actor.UserId, Role.Student,
                    $"{enrol.StudentId ?? actor.UserId}@x.org"),
            ClassCommand.CreateClass create =>
                new Person(create.InstructorId ?? actor.UserId, Role.Instructor, "t@x.org"),
            _ => null,
        };
        return ClassDecider.Decide(State, command, new DecisionContext(actor, Now, "cor_1", NextId)
        {
            Mode = Mode,
            Person = person,
            Target = new CalendarTarget("con_1", "cal_1"),
            FindLookalike = _ => lookalike,
            IntentNamed = intentNamed,
            Reminded = Reminded,
        });
    }

    public Decision.Accepted Do(Actor actor, ClassCommand command)
    {
        var before = State;
        var accepted = Assert.IsType<Decision.Accepted>(Decide(actor, command));
        Assert.Equal(Text(accepted.Events.Aggregate(before, ClassDecider.Apply)), Text(accepted.State));
        Keep(accepted);
        return accepted;
    }

    public Refusal Refused(Actor actor, ClassCommand command) =>
        Assert.IsType<Decision.Refused>(Decide(actor, command)).Refusal;

    public void Keep(Decision.Accepted accepted)
    {
        State = accepted.State;
        Happened.AddRange(accepted.Events);
    }

    /// <summary>The worker's part: reads every event back, and marks what that satisfies.</summary>
    public void VerifyAll()
    {
        State = State! with
        {
            Slots =
            [
                .. State.Slots.Select(slot => slot with
                {
                    Mirror = slot.Mirror with { VerifiedVersion = slot.Mirror.DesiredVersion },
                }),
            ],
            Operations = State.Operations.ToImmutableDictionary(
                pair => pair.Key, pair => pair.Value.State switch
            {
                OperationState.Pending or OperationState.Parked =>
                    pair.Value with { State = OperationState.Verified },
                _ => pair.Value,
            }),
        };
    }

    /// <summary>The worker's part: one operation will not come right, or waits.</summary>
    public void Mark(string operationId, OperationState state, string? reason = null) => State = State! with
    {
        Operations = State.Operations.SetItem(
            operationId, State.Operations[operationId] with { State = state, Reason = reason }),
    };

    /// <summary>The settle worker's part.</summary>
    public void SettleAll()
    {
        foreach (var operation in State!.Operations.Values.Where(each => !each.Settled)
            .OrderBy(each => each.Id))
        {
            Do(Product, new ClassCommand.SettleOperation(operation.Id));
        }
    }

    public Seat SeatOf(string student) =>
        State!.Seats.Values.Last(seat => seat.StudentId == $"usr_{student}" && seat.State.IsLive());

    private static SlotDraft Day(int day) => new(
        new DateTime(2026, 3, 10, 10, 0, 0).AddDays(day).ToString("s", CultureInfo.InvariantCulture),
        DurationMinutes: 60);

    private string NextId(string prefix) =>
        string.Create(CultureInfo.InvariantCulture, $"{prefix}_{++_ids:d6}");

    private static string Text(ClassState? state) => System.Text.Json.JsonSerializer.Serialize(new
    {
        state!.Title,
        state.Stage,
        state.Version,
        state.SeatsTaken,
        state.Capacity,
        Slots = state.Slots.Select(slot => slot.ToString()),
        Seats = state.Seats.Values.OrderBy(seat => seat.Id).Select(seat => seat.ToString()),
        Operations = state.Operations.Values.OrderBy(each => each.Id)
            .Select(each => $"{each.Id} {each.State} {each.Settled}"),
    });
}
