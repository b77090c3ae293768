using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace CalSync.Sync.Mirroring;

/// <summary>The findings of a turn as JSON, for operations, problems and people (R-FIX-1-D,
/// R-FIX-1-G).</summary>
internal static class MirrorDetail
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    };

    public static string Write(MirrorTurn turn, TurnEnd end, DateTimeOffset now) => JsonSerializer.Serialize(
        new Found(
            end is TurnEnd.Verified or TurnEnd.Unverified,
            end is TurnEnd.Verified,
            end is TurnEnd.Attention ? "VERIFICATION_FAILED" : null,
            turn.EventId,
            turn.Latest is { } shown
                ? new Shown(
                    shown.Status, shown.Summary, shown.Start?.ToString(), shown.End?.ToString(),
                    shown.HtmlLink, shown.ConferenceLink)
                : null,
            new Details(
                end switch
                {
                    TurnEnd.Retry retry => retry.Message,
                    TurnEnd.Park park => park.Message,
                    TurnEnd.Attention attention => attention.Message,
                    _ => null,
                },
                end is TurnEnd.Attention { Mismatches: { IsEmpty: false } mismatches }
                    ? mismatches
                    : turn.Mismatches,
                end is TurnEnd.Verified && !turn.Mismatches.IsEmpty),
            turn.Claim.CalendarKind,
            turn.Claim.CalendarKind == "SECONDARY" ? turn.Claim.RemoteCalendarId : null,
            null,
            turn.Desired.ContentHash(),
            (long)(now - turn.StartedAt).TotalMilliseconds,
            turn.Calls().Length),
        Options);

    private sealed record Found(
        bool Success, bool Verified, string? Code, string EventId, Shown? Event, Details VerificationDetails,
        string CalendarType, string? SecondaryCalendarId, string? SubscriptionPlan, string EventHash,
        long ExecutionTimeMs, int ProviderCalls);

    private sealed record Shown(
        string Status, string? Summary, string? Start, string? End, string? HtmlLink, string? ConferenceLink);

    private sealed record Details(string? Message, ImmutableArray<FieldMismatch> Mismatches, bool Repaired);
}
