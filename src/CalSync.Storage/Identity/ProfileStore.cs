using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using CalSync.Classes;
using CalSync.Classes.People;
using CalSync.Sync.Journal;

namespace CalSync.Storage.Identity;

/// <summary>A profile as stored.</summary>
/// <param name="UserId">Whose.</param>
/// <param name="Email">The account's address.</param>
/// <param name="CalendarEmailVerified">
/// True when invitations go to the account's address, or to one that was proved to be the person's.
/// </param>
/// <param name="Version">Of the user; the ETag.</param>
/// <param name="Profile">What the person says.</param>
public sealed record StoredProfile(
    string UserId, string Email, bool CalendarEmailVerified, long Version, Profile Profile);

/// <summary>What became of changing a profile.</summary>
public abstract record ProfileChange
{
    private ProfileChange()
    {
    }

    /// <summary>Stored, or already so.</summary>
    /// <param name="Stored">As it is now.</param>
    /// <param name="Warnings">What the person should look at once more.</param>
    public sealed record Done(StoredProfile Stored, ImmutableArray<FieldWarning> Warnings) : ProfileChange;

    /// <summary>There is no such user in the tenant.</summary>
    public sealed record NoSuchUser : ProfileChange;

    /// <summary>Somebody else changed it since; nothing was changed.</summary>
    /// <param name="Current">As it is now.</param>
    public sealed record Stale(StoredProfile Current) : ProfileChange;

    /// <summary>Values are not possible; nothing was changed.</summary>
    /// <param name="Errors">All of them.</param>
    public sealed record Refused(ImmutableArray<FieldError> Errors) : ProfileChange;

    /// <summary>Somebody else in the tenant has the value; nothing was changed.</summary>
    /// <param name="Field">Which member.</param>
    public sealed record Taken(string Field) : ProfileChange;
}

/// <summary>What people say of themselves.</summary>
/// <param name="database">The database.</param>
/// <param name="clock">Dates the changes.</param>
public sealed class ProfileStore(Database database, TimeProvider clock)
{
    /// <summary>One profile; null when there is no such user in the tenant.</summary>
    /// <param name="tenantId">The reader's tenant.</param>
    /// <param name="userId">Whose.</param>
    /// <param name="cancellation">Cancelling leaves nothing behind.</param>
    public async Task<StoredProfile?> FindAsync(
        string tenantId, string userId, CancellationToken cancellation) =>
        (await database.ReadAsync(
            session => session.FirstOrDefaultAsync<ProfileRow>(ProfileRow.Select, new { tenantId, userId }),
            cancellation))?.ToProfile();

    /// <summary>Changes a profile: all of it, with its journal entry, or nothing.</summary>
    /// <param name="actor">Who asks; the tenant of the person.</param>
    /// <param name="userId">Whose.</param>
    /// <param name="expectedVersion">The version the change was decided on.</param>
    /// <param name="edit">What is wanted.</param>
    /// <param name="typed">The language it was typed in and how strictly to read it.</param>
    /// <param name="correlationId">The request.</param>
    /// <param name="cancellation">A cancelled call may still have changed it.</param>
    public async Task<ProfileChange> UpdateAsync(
        Actor actor, string userId, long expectedVersion, ProfileEdit edit,
        (string? LanguageTag, bool Strict) typed, string correlationId, CancellationToken cancellation)
    {
        try
        {
            return await database.WriteAsync(
                session => UpdateAsync(session, actor, userId, expectedVersion, edit, typed, correlationId),
                cancellation);
        }
        catch (ConstraintViolatedException violated) when (Explain(violated) is { } outcome)
        {
            // The transaction is rolled back whole; the schema knew what the decision could not.
            return outcome;
        }
    }

    /// <summary>What a broken invariant of the schema means to the person; null when it is our bug.</summary>
    internal static ProfileChange? Explain(ConstraintViolatedException violated) =>
        Explain(violated.Kind, violated.Constraint);

    /// <inheritdoc cref="Explain(ConstraintViolatedException)"/>
    internal static ProfileChange? Explain(ConstraintKind kind, string constraint)
    {
        if (constraint is "profiles_work_email_tenant_id_key")
            return new ProfileChange.Taken("workEmail");
        const string prefix = "profiles_";
        const string suffix = "_form";
        if (kind == ConstraintKind.Check && constraint.StartsWith(prefix, StringComparison.Ordinal)
            && constraint.EndsWith(suffix, StringComparison.Ordinal))
        {
            return Invalid(
                Member(constraint[prefix.Length..^suffix.Length]), "not_allowed",
                "The database does not take this value.");
        }

        return kind == ConstraintKind.NotNull && constraint is "users.name" or "users.time_zone"
            ? Invalid(Member(constraint["users.".Length..]), "required", "The field cannot be cleared.")
            : null;
    }

    private static ProfileChange.Refused Invalid(string field, string code, string message) =>
        new([new FieldError(field, code, message)]);

    // snake_case of the schema to camelCase of the interface.
    private static string Member(string column)
    {
        var words = column.Split('_');
        return words[0] + string.Concat(
            words.Skip(1).Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
    }

    private async Task<ProfileChange> UpdateAsync(
        WriteSession session, Actor actor, string userId, long expectedVersion, ProfileEdit edit,
        (string? LanguageTag, bool Strict) typed, string correlationId)
    {
        var now = Instant.Trim(clock.GetUtcNow());
        var current = (await session.FirstOrDefaultAsync<ProfileRow>(
            ProfileRow.Select + (session.Engine == Engine.Postgres ? " FOR UPDATE OF u" : ""),
            new { tenantId = actor.TenantId, userId }))?.ToProfile();
        if (current is null)
            return new ProfileChange.NoSuchUser();
        if (current.Version != expectedVersion)
            return new ProfileChange.Stale(current);
        var context = new ProfileContext(
            current.Email, typed.LanguageTag, typed.Strict, DateOnly.FromDateTime(now.UtcDateTime));
        var decision = ProfileDecider.Decide(current.Profile, edit, context);
        if (decision is not ProfileDecision.Accepted accepted)
            return new ProfileChange.Refused(((ProfileDecision.Refused)decision).Errors);
        var changed = Changed(current.Profile, accepted.Profile);
        if (changed.Length == 0)
            return new ProfileChange.Done(current, accepted.Warnings);
        var moved = accepted.Profile.CalendarEmail != current.Profile.CalendarEmail;
        await WriteAsync(session, actor.TenantId, current, accepted.Profile, moved, now);
        // Early, so that what the schema refuses is known before the journal is locked.
        await session.FlushAsync();
        session.Journal(new JournalEntry(
            now, actor.TenantId, actor.UserId, "request", correlationId, "profile.changed", "user", userId,
            Before: JsonSerializer.Serialize(new { version = current.Version }),
            // Which members, never what they hold: the journal outlives a person's wish to be forgotten.
            After: JsonSerializer.Serialize(new { version = current.Version + 1, changed })));
        var verified = moved
            ? await session.ScalarAsync<long>(ProvedBy, new { userId }) > 0
            : current.CalendarEmailVerified;
        return new ProfileChange.Done(
            new StoredProfile(userId, current.Email, verified, current.Version + 1, accepted.Profile),
            accepted.Warnings);
    }

    private const string ProvedBy =
        """
        SELECT count(*) FROM users
        WHERE id = @userId AND (calendar_email = email OR calendar_email_verified_at IS NOT NULL)
        """;

    private static async Task WriteAsync(
        WriteSession session, string tenantId, StoredProfile current, Profile profile, bool moved,
        DateTimeOffset now)
    {
        var values = new
        {
            current.UserId,
            tenantId,
            current.Version,
            moved,
            now,
            profile.Name,
            profile.TimeZone,
            profile.CalendarEmail,
            profile.WorkEmail,
            Phone = profile.Phone?.E164,
            PhoneOriginal = profile.Phone?.Original,
            PhoneRegion = profile.Phone?.Region,
            profile.EmergencyContactName,
            profile.EmergencyContactEmail,
            EmergencyContactPhone = profile.EmergencyContactPhone?.E164,
            EmergencyContactPhoneOriginal = profile.EmergencyContactPhone?.Original,
            EmergencyContactPhoneRegion = profile.EmergencyContactPhone?.Region,
            DateOfBirth = profile.DateOfBirth?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            profile.Website,
            profile.LinkedIn,
            profile.Twitter,
            profile.GitHub,
        };
        // An address the person signed in with at a provider is theirs.
        session.Queue(
            """
            UPDATE users SET name = @Name, time_zone = @TimeZone, calendar_email = @CalendarEmail,
                calendar_email_verified_at = CASE WHEN NOT @moved THEN calendar_email_verified_at
                    WHEN EXISTS (SELECT 1 FROM connections c WHERE c.user_id = users.id
                        AND lower(c.account_email) = @CalendarEmail AND c.state <> 'disconnected') THEN @now
                    ELSE NULL END,
                version = version + 1
            WHERE id = @UserId AND version = @Version
            """,
            values, expectRows: 1);
        session.Queue(
            """
            INSERT INTO profiles (user_id, tenant_id, work_email, phone, phone_original, phone_region,
                emergency_contact_name, emergency_contact_email, emergency_contact_phone,
                emergency_contact_phone_original, emergency_contact_phone_region, date_of_birth,
                website, linkedin, twitter, github, updated_at)
            VALUES (@UserId, @tenantId, @WorkEmail, @Phone, @PhoneOriginal, @PhoneRegion,
                @EmergencyContactName, @EmergencyContactEmail, @EmergencyContactPhone,
                @EmergencyContactPhoneOriginal, @EmergencyContactPhoneRegion, @DateOfBirth,
                @Website, @LinkedIn, @Twitter, @GitHub, @now)
            ON CONFLICT (user_id) DO UPDATE SET work_email = excluded.work_email, phone = excluded.phone,
                phone_original = excluded.phone_original, phone_region = excluded.phone_region,
                emergency_contact_name = excluded.emergency_contact_name,
                emergency_contact_email = excluded.emergency_contact_email,
                emergency_contact_phone = excluded.emergency_contact_phone,
                emergency_contact_phone_original = excluded.emergency_contact_phone_original,
                emergency_contact_phone_region = excluded.emergency_contact_phone_region,
                date_of_birth = excluded.date_of_birth, website = excluded.website,
                linkedin = excluded.linkedin, twitter = excluded.twitter, github = excluded.github,
                updated_at = excluded.updated_at
            """,
            values, expectRows: 1);
        await session.FlushAsync();
    }

    /// <summary>The members that differ, by name, in the order of the interface.</summary>
    internal static string[] Changed(Profile before, Profile after)
    {
        (string Member, object? Before, object? After)[] members =
        [
            ("name", before.Name, after.Name),
            ("timeZone", before.TimeZone, after.TimeZone),
            ("calendarEmail", before.CalendarEmail, after.CalendarEmail),
            ("workEmail", before.WorkEmail, after.WorkEmail),
            ("phone", before.Phone, after.Phone),
            ("emergencyContactName", before.EmergencyContactName, after.EmergencyContactName),
            ("emergencyContactEmail", before.EmergencyContactEmail, after.EmergencyContactEmail),
            ("emergencyContactPhone", before.EmergencyContactPhone, after.EmergencyContactPhone),
            ("dateOfBirth", before.DateOfBirth, after.DateOfBirth),
            ("website", before.Website, after.Website),
            ("linkedin", before.LinkedIn, after.LinkedIn),
            ("twitter", before.Twitter, after.Twitter),
            ("github", before.GitHub, after.GitHub),
        ];
        return [.. members.Where(row => !Equals(row.Before, row.After)).Select(row => row.Member)];
    }

}
