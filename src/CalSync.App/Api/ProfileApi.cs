using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using CalSync.App.Api.Authentication;
using CalSync.App.Api.Bodies;
using CalSync.App.Api.Idempotency;
using CalSync.App.Api.Preconditions;
using CalSync.App.Api.Problems;
using CalSync.Classes;
using CalSync.Classes.People;
using CalSync.Storage.Identity;
using static CalSync.App.Api.Problems.ProblemCatalogue;

namespace CalSync.App.Api;

/// <summary>What a person says of themselves.</summary>
/// <param name="Id">The user.</param>
/// <param name="Name">As people call them.</param>
/// <param name="Email">Account address.</param>
/// <param name="CalendarEmail">Where invitations go.</param>
/// <param name="CalendarEmailVerified">Whether it was proved to be theirs.</param>
/// <param name="TimeZone">IANA name.</param>
/// <param name="WorkEmail">Unique in the organisation.</param>
/// <param name="Phone">E.164.</param>
/// <param name="PhoneOriginal">As typed.</param>
/// <param name="PhoneRegion">ISO 3166-1; null for numbers of no country.</param>
/// <param name="EmergencyContactName">Whom to call.</param>
/// <param name="EmergencyContactEmail">Their address.</param>
/// <param name="EmergencyContactPhone">E.164.</param>
/// <param name="EmergencyContactPhoneOriginal">As typed.</param>
/// <param name="EmergencyContactPhoneRegion">ISO 3166-1.</param>
/// <param name="DateOfBirth">YYYY-MM-DD.</param>
/// <param name="Website">https.</param>
/// <param name="Linkedin">https.</param>
/// <param name="Twitter">https.</param>
/// <param name="Github">https.</param>
/// <param name="Version">For the ETag; the same as that of GET /me.</param>
/// <param name="Warnings">After a change: what should be looked at once more.</param>
internal sealed record ProfileView(
    string Id, string Name, string Email, string CalendarEmail, bool CalendarEmailVerified, string TimeZone,
    string? WorkEmail, string? Phone, string? PhoneOriginal, string? PhoneRegion,
    string? EmergencyContactName, string? EmergencyContactEmail, string? EmergencyContactPhone,
    string? EmergencyContactPhoneOriginal, string? EmergencyContactPhoneRegion, string? DateOfBirth,
    string? Website, string? Linkedin, string? Twitter, string? Github, long Version,
    IReadOnlyList<FieldWarning> Warnings);

/// <summary>Profiles: one's own, and for administrators everybody's.</summary>
internal static class ProfileApi
{
    private const string Strict = "handling=strict";

    /// <summary>Adds the routes.</summary>
    public static void MapProfiles(this IEndpointRouteBuilder api)
    {
        api.MapGet("/api/v1/me/profile", GetMineAsync).Allow(Roles.Any).Gives<ProfileView>(200)
            .Says("getMyProfile", "My profile", "Numbers and dates in one form, and numbers as typed.");
        Patch(api.MapPatch("/api/v1/me/profile", PatchMineAsync)).Allow(Roles.Any)
            .Says("updateMyProfile", "Change my profile", Words);
        api.MapGet("/api/v1/admin/users/{userId}/profile", GetAsync).Allow(Roles.Admin)
            .Gives<ProfileView>(200).Fails(NotFound)
            .Says("getProfile", "Read a profile", "Of anybody in the organisation.");
        Patch(api.MapPatch("/api/v1/admin/users/{userId}/profile", PatchAsync)).Allow(Roles.Admin)
            .Says("updateProfile", "Change a profile", Words);
    }

    private const string Words =
        "Absent members stay, null or blank clears. E-mail addresses, telephone numbers, dates and web "
        + "addresses are taken as people type them and stored in one form. Everything wrong is listed at "
        + "once. Content-Language (or else Accept-Language) with a region gives the order of dates and the "
        + "country of numbers; Prefer: handling=strict refuses dates that can be read in two ways.";

    private static RouteHandlerBuilder Patch(RouteHandlerBuilder route) =>
        route.Takes<PatchProfileRequest>().Gives<ProfileView>(200).KeyedHere().Conditional()
            .Fails(NotFound, ValidationFailed, AlreadyTaken);

    private static Task<Answer> GetMineAsync(
        RequestScope scope, ProfileStore profiles, CancellationToken cancellation) =>
        GetAsync(scope.Who.UserId, scope, profiles, cancellation);

    private static async Task<Answer> GetAsync(
        string userId, RequestScope scope, ProfileStore profiles, CancellationToken cancellation) =>
        await profiles.FindAsync(scope.Who.TenantId, userId, cancellation) is { } stored
            ? Tell(stored, [])
            : scope.Refuse(NotFound.With("There is no such person for you."));

    private static Task<Answer> PatchMineAsync(
        Body<PatchProfileRequest> body, Precondition version, RequestKey key, HttpRequest request,
        RequestScope scope, ProfileStore profiles) =>
        PatchAsync(scope.Who.UserId, body, version, key, request, scope, profiles);

    private static async Task<Answer> PatchAsync(
        string userId, Body<PatchProfileRequest> body, Precondition version, RequestKey _,
        HttpRequest request, RequestScope scope, ProfileStore profiles)
    {
        var strict = request.Headers["Prefer"].Any(
            header => header?.Contains(Strict, StringComparison.OrdinalIgnoreCase) == true);
        var edit = body.Value.ToEdit();
        // A change under way must finish: its journal entry is part of it.
        var change = await profiles.UpdateAsync(
            scope.Who.Actor, userId, version.Version, edit, (Language(request), strict), scope.CorrelationId,
            CancellationToken.None);
        return change switch
        {
            ProfileChange.Done done when strict =>
                Tell(done.Stored, done.Warnings).With("Preference-Applied", Strict),
            ProfileChange.Done done => Tell(done.Stored, done.Warnings),
            ProfileChange.NoSuchUser => scope.Refuse(NotFound.With("There is no such person for you.")),
            ProfileChange.Stale stale => scope.Refuse(new Refusal.StaleVersion(
                version.Version, stale.Current.Version,
                [.. body.Value.Differences(Tell(stale.Current, []))]).ToProblem()),
            ProfileChange.Refused refused =>
                scope.Refuse(new Refusal.ValidationFailed(refused.Errors).ToProblem()),
            ProfileChange.Taken taken => scope.Refuse(Taken(taken.Field)),
            _ => throw new UnreachableException($"Unknown outcome {change.GetType().Name}."),
        };
    }

    private static Problem Taken(string field) =>
        AlreadyTaken.With($"{field}: somebody else in your organisation has this value.")
            .And("member", field)
            .And("errors", new JsonArray(new JsonObject
            {
                ["member"] = field,
                ["field"] = field,
                ["code"] = "already_taken",
                ["message"] = "Somebody else in your organisation has this value.",
                ["example"] = "ana.lima@example.org",
            }));

    // What the client says of its own text wins over what it would like to read.
    private static string? Language(HttpRequest request)
    {
        var own = request.Headers.ContentLanguage.ToString();
        var wanted = own.Length > 0 ? own : request.Headers.AcceptLanguage.ToString();
        var first = wanted.Split(',', ';')[0].Trim();
        return first.Length is >= 2 and <= 35 ? first : null;
    }

    private static Answer Tell(StoredProfile stored, IReadOnlyList<FieldWarning> warnings)
    {
        var profile = stored.Profile;
        var view = new ProfileView(
            stored.UserId, profile.Name, stored.Email, profile.CalendarEmail, stored.CalendarEmailVerified,
            profile.TimeZone, profile.WorkEmail,
            profile.Phone?.E164, profile.Phone?.Original, profile.Phone?.Region,
            profile.EmergencyContactName, profile.EmergencyContactEmail,
            profile.EmergencyContactPhone?.E164, profile.EmergencyContactPhone?.Original,
            profile.EmergencyContactPhone?.Region,
            profile.DateOfBirth?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            profile.Website, profile.LinkedIn, profile.Twitter, profile.GitHub, stored.Version, warnings);
        return Answer.Json(200, view, ApiJson.Default.ProfileView).WithETag(view.Version);
    }
}

/// <summary>PATCH /me/profile: absent members stay, null clears.</summary>
internal sealed record PatchProfileRequest(
    Optional<string> Name, Optional<string> TimeZone, Optional<string> CalendarEmail,
    Optional<string> WorkEmail, Optional<string> Phone, Optional<string> PhoneRegion,
    Optional<string> EmergencyContactName, Optional<string> EmergencyContactEmail,
    Optional<string> EmergencyContactPhone, Optional<string> DateOfBirth, Optional<string> Website,
    Optional<string> Linkedin, Optional<string> Twitter, Optional<string> Github)
{
    /// <summary>The same in the words of the decision.</summary>
    public ProfileEdit ToEdit() => new()
    {
        Name = Edit(Name),
        TimeZone = Edit(TimeZone),
        CalendarEmail = Edit(CalendarEmail),
        WorkEmail = Edit(WorkEmail),
        Phone = Edit(Phone),
        PhoneRegion = Edit(PhoneRegion),
        EmergencyContactName = Edit(EmergencyContactName),
        EmergencyContactEmail = Edit(EmergencyContactEmail),
        EmergencyContactPhone = Edit(EmergencyContactPhone),
        DateOfBirth = Edit(DateOfBirth),
        Website = Edit(Website),
        LinkedIn = Edit(Linkedin),
        Twitter = Edit(Twitter),
        GitHub = Edit(Github),
    };

    /// <summary>What is asked and is not so now.</summary>
    /// <param name="current">The profile as it would be answered.</param>
    public IEnumerable<FieldDifference> Differences(Answer current)
    {
        var now = JsonNode.Parse(current.Body!)!;
        (string Member, Optional<string> Asked)[] members =
        [
            ("name", Name), ("timeZone", TimeZone), ("calendarEmail", CalendarEmail),
            ("workEmail", WorkEmail), ("phone", Phone), ("emergencyContactName", EmergencyContactName),
            ("emergencyContactEmail", EmergencyContactEmail),
            ("emergencyContactPhone", EmergencyContactPhone), ("dateOfBirth", DateOfBirth),
            ("website", Website), ("linkedin", Linkedin), ("twitter", Twitter), ("github", Github),
        ];
        return members.Where(row => row.Asked.IsGiven && row.Asked.Value != (string?)now[row.Member])
            .Select(row => new FieldDifference(row.Member, row.Asked.Value, (string?)now[row.Member]));
    }

    private static FieldEdit Edit(Optional<string> member) => new(member.IsGiven, member.Value);
}
