using CalSync.App.Api.Bodies;

namespace CalSync.App.Api;

// The bodies of requests. Everything is nullable on purpose: what is missing or out of range is told by the
// commands, all at once and by name; only the shape is refused while reading.

/// <summary>A request without members.</summary>
internal sealed record EmptyRequest;

/// <summary>POST /classes.</summary>
internal sealed record CreateClassRequest(
    string? Title, string? Description, string? Location, string? TimeZone, int? Capacity,
        PriceRequest? Price,
    bool? Conference, string? InstructorId, IReadOnlyList<ScheduleRequest?>? Schedules, string? Duplicate);

/// <summary>An amount in the smallest unit of its currency.</summary>
internal sealed record PriceRequest(long? Minor, string? Currency);

/// <summary>Slots, listed or repeated by a rule.</summary>
internal sealed record ScheduleRequest(string? Rrule, IReadOnlyList<SlotRequest?>? Slots);

/// <summary>The times of one slot on the wall of the class's zone.</summary>
internal sealed record SlotRequest(
    string? Start, string? End, int? DurationMinutes, string? Offset, int? Fold, int? EndFold);

/// <summary>PATCH /classes/{id}: absent members stay, null clears.</summary>
internal sealed record PatchClassRequest(
    Optional<string> Title, Optional<string> Description, Optional<string> Location, Optional<int?> Capacity);

/// <summary>POST /classes/{id}/enrollments.</summary>
internal sealed record EnrolRequest(string? StudentId, string? CalendarEmail);

/// <summary>POST /operations/{id}/abandon.</summary>
internal sealed record AbandonRequest(string? Reason);

/// <summary>POST /calendar/connections/google.</summary>
internal sealed record ConnectRequest(string? LoginHint, string? ReconnectId);

/// <summary>PUT /calendar/connections/{id}/calendar.</summary>
internal sealed record SelectCalendarRequest(string? CalendarId);

/// <summary>POST /auth/sessions.</summary>
internal sealed record SignInRequest(string? Email, string? Password, string? TenantId)
{
    /// <inheritdoc/>
    public override string ToString() => $"SignInRequest {{ Email = {Email} }}";
}

/// <summary>POST /auth/google/attempts.</summary>
internal sealed record GoogleAttemptRequest(string? TenantId, string? LoginHint);

/// <summary>POST /auth/google/sessions.</summary>
internal sealed record GoogleSignInRequest(string? State, string? Code, string? AttemptKey)
{
    /// <inheritdoc/>
    public override string ToString() => "GoogleSignInRequest { }";
}

/// <summary>PUT /me/password.</summary>
internal sealed record ChangePasswordRequest(string? Current, string? New)
{
    /// <inheritdoc/>
    public override string ToString() => "ChangePasswordRequest { }";
}

/// <summary>PUT /admin/switches/{name}.</summary>
internal sealed record SwitchRequest(string? Value, string? Reason, int? TtlMinutes);
