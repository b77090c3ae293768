using System.Collections.Immutable;

namespace CalSync.Classes.Deciding;

/// <summary>Who may do what to the object at hand. Null means allowed.</summary>
internal static class Access
{
    /// <summary>Changing the class: its instructor, an admin, the product.</summary>
    public static Refusal? Teach(ClassState state, Actor actor, string action) => actor.Role switch
    {
        Role.System or Role.Admin => null,
        Role.Instructor when Is(actor, state.InstructorId) => null,
        // Another instructor's class is not in an instructor's view.
        Role.Instructor => new Refusal.NotFound("class"),
        Role.Operator or Role.Student => new Refusal.Forbidden(action),
    };

    /// <summary>A seat: its student, and whoever may change the class.</summary>
    public static Refusal? Sit(ClassState state, Seat seat, Actor actor, string action) =>
        actor.Role != Role.Student ? Teach(state, actor, action)
        : Is(actor, seat.StudentId) ? null
        : new Refusal.SeatNotYours();

    /// <summary>Operations: an operator, an admin, the product.</summary>
    public static Refusal? Operate(ClassState state, Actor actor, string action) => actor.Role switch
    {
        Role.System or Role.Admin or Role.Operator => null,
        Role.Instructor when !Is(actor, state.InstructorId) => new Refusal.NotFound("operation"),
        Role.Instructor => new Refusal.Forbidden(action),
        Role.Student => new Refusal.NotFound("operation"),
    };

    /// <summary>What only the product does.</summary>
    public static Refusal? Product(Actor actor, string action) =>
        actor.Role == Role.System ? null : new Refusal.Forbidden(action);

    public static bool Is(Actor actor, string userId) =>
        string.Equals(actor.UserId, userId, StringComparison.Ordinal);

    /// <summary>The asker must have seen the present version.</summary>
    public static Refusal? Fresh(
        long? expected, long current, Func<ImmutableArray<FieldDifference>> differences) =>
        expected is { } seen && seen != current
            ? new Refusal.StaleVersion(seen, current, differences())
            : null;
}
