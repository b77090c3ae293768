using CalSync.Classes;
using CalSync.Classes.People;
using CalSync.Storage;
using CalSync.Storage.Identity;
using CalSync.Storage.Journal;
using Xunit;

namespace CalSync.Tests.Contracts;

/// <summary>Profiles: all of a change or nothing, uniqueness by the schema, versions, proof of
/// addresses.</summary>
public abstract class ProfileContract : StoreContract
{
    private readonly ProfileStore _store;

    protected ProfileContract(TestDatabase fixture)
        : base(fixture) => _store = new ProfileStore(Database, TimeProvider.System);

    [Fact]
    [Trait("Requirement", "R-PROF-5")]
    public async Task Update_WithEveryMember_IsReadBackAndJournalledWithoutTheValues()
    {
        var (tenant, user) = await NewAsync();
        var done = Assert.IsType<ProfileChange.Done>(await UpdateAsync(tenant, user, 1, Whole));
        var read = await _store.FindAsync(tenant, user, Cancellation);
        Assert.Equal(done.Stored, read);
        Assert.Equal(2, read!.Version);
        var profile = read.Profile;
        Assert.Equal(
            ("Ana Lima", "Europe/Lisbon", "ana@work.test", "+15551234567", "1990-12-31"),
            (profile.Name, profile.TimeZone, profile.WorkEmail, profile.Phone!.E164,
                profile.DateOfBirth!.Value.ToString("yyyy-MM-dd", null)));
        Assert.Equal("(555) 123-4567", profile.Phone.Original);
        var entry = Assert.Single(
            await new JournalReader(Database).ReadAsync(
                new JournalQuery { SubjectId = user }, Cancellation),
            record => record.Entry.Kind == "profile.changed");
        Assert.Contains("\"dateOfBirth\"", entry.Entry.After, StringComparison.Ordinal);
        foreach (var secret in new[] { "1990", "555", "Lima", "work.test" })
            Assert.DoesNotContain(secret, entry.Entry.After, StringComparison.Ordinal);
        Assert.IsType<ProfileChange.Done>(await UpdateAsync(tenant, user, 2, new ProfileEdit
        {
            Phone = FieldEdit.To(null),
            DateOfBirth = FieldEdit.To(" "),
        }));
        profile = (await _store.FindAsync(tenant, user, Cancellation))!.Profile;
        Assert.Equal((null, null, "ana@work.test"), (profile.Phone, profile.DateOfBirth, profile.WorkEmail));
    }

    [Fact]
    [Trait("Requirement", "R-PROF-5")]
    [Trait("Requirement", "R-PROF-6")]
    public async Task Update_WithOneBadOfFive_ChangesNothingAndNamesAllThatIsBad()
    {
        var (tenant, user) = await NewAsync();
        var before = await _store.FindAsync(tenant, user, Cancellation);
        var refused = Assert.IsType<ProfileChange.Refused>(await UpdateAsync(tenant, user, 1, Whole with
        {
            Phone = FieldEdit.To("junk"),
            Website = FieldEdit.To("javascript:alert(1)"),
        }));
        Assert.Equal(["phone", "website"], refused.Errors.Select(error => error.Field));
        Assert.All(refused.Errors, error => Assert.NotNull(error.Example));
        Assert.Equal(before, await _store.FindAsync(tenant, user, Cancellation));
        Assert.Equal(0, await CountAsync("SELECT count(*) FROM profiles WHERE user_id = @user", user));
    }

    /// <summary>The schema, not a look before, says that an address is taken; so two are one.</summary>
    [Fact]
    [Trait("Requirement", "R-PROF-6")]
    public async Task Update_WorkAddressOfAnother_IsTakenAndChangesNothing()
    {
        var (tenant, one) = await NewAsync();
        var two = await NewUserAsync(tenant);
        var changes = await Task.WhenAll(
            UpdateAsync(tenant, one, 1, Whole), UpdateAsync(tenant, two, 1, Whole));
        Assert.Single(changes.OfType<ProfileChange.Done>());
        Assert.Equal("workEmail", Assert.Single(changes.OfType<ProfileChange.Taken>()).Field);
        var loser = changes[0] is ProfileChange.Taken ? one : two;
        var kept = (await _store.FindAsync(tenant, loser, Cancellation))!;
        Assert.Equal((1L, "Somebody", null), (kept.Version, kept.Profile.Name, kept.Profile.WorkEmail));
        var (elsewhere, third) = await NewAsync();
        Assert.IsType<ProfileChange.Done>(await UpdateAsync(elsewhere, third, 1, Whole));
    }

    [Fact]
    [Trait("Requirement", "R-CAL-13-P")]
    public async Task Update_OnAnOldVersionOrOfAStranger_IsAnOutcome()
    {
        var (tenant, user) = await NewAsync();
        Assert.IsType<ProfileChange.Done>(await UpdateAsync(tenant, user, 1, Whole));
        var stale = Assert.IsType<ProfileChange.Stale>(await UpdateAsync(tenant, user, 1, Whole));
        Assert.Equal(2, stale.Current.Version);
        // What is so already is no new version.
        Assert.Equal(2, Assert.IsType<ProfileChange.Done>(
            await UpdateAsync(tenant, user, 2, Whole)).Stored.Version);
        var (elsewhere, _) = await NewAsync();
        Assert.IsType<ProfileChange.NoSuchUser>(await UpdateAsync(elsewhere, user, 2, Whole));
        Assert.Null(await _store.FindAsync(elsewhere, user, Cancellation));
    }

    [Fact]
    [Trait("Requirement", "R-CAL-14-P")]
    public async Task Update_OfTheCalendarAddress_IsProvedOnlyByAccountOrProvider()
    {
        var (tenant, user) = await NewAsync();
        var account = (await _store.FindAsync(tenant, user, Cancellation))!;
        Assert.True(account.CalendarEmailVerified);
        await Database.WriteAsync(
            session => session.ExecuteAsync(
                """
                INSERT INTO connections (id, tenant_id, tenant_kind, user_id, provider, account_email,
                    account_subject, scopes, state, created_at, updated_at)
                VALUES (@id, @tenant, 'test', @user, 'google-sandbox', 'Ana@Home.test', @id, '', 'healthy',
                    @Start, @Start)
                """,
                new { id = Ids.Next("con"), tenant, user, Start }),
            Cancellation);
        var moved = await InviteAsync(tenant, user, 1, "ana@elsewhere.test");
        Assert.Equal(("ana@elsewhere.test", false), moved);
        Assert.Equal(("ana@home.test", true), await InviteAsync(tenant, user, 2, "ANA@home.test"));
        Assert.Equal((account.Email, true), await InviteAsync(tenant, user, 3, null));
    }

    [Theory]
    [Trait("Requirement", "R-PROF-6")]
    [InlineData(ConstraintKind.Unique, "profiles_work_email_tenant_id_key", "taken workEmail")]
    [InlineData(ConstraintKind.Check, "profiles_phone_form", "not_allowed phone")]
    [InlineData(
        ConstraintKind.Check, "profiles_emergency_contact_phone_form", "not_allowed emergencyContactPhone")]
    [InlineData(ConstraintKind.Check, "profiles_date_of_birth_form", "not_allowed dateOfBirth")]
    [InlineData(ConstraintKind.NotNull, "users.name", "required name")]
    [InlineData(ConstraintKind.NotNull, "users.time_zone", "required timeZone")]
    [InlineData(ConstraintKind.Check, "users.name", "bug")]
    [InlineData(ConstraintKind.ForeignKey, "profiles_user_id_tenant_id_fkey", "bug")]
    public void Explain_EachConstraint_SaysTheMember(ConstraintKind kind, string constraint, string said) =>
        Assert.Equal(said, ProfileStore.Explain(kind, constraint) switch
        {
            ProfileChange.Taken taken => $"taken {taken.Field}",
            ProfileChange.Refused { Errors: [var error] } => $"{error.Code} {error.Field}",
            _ => "bug",
        });

    /// <summary>The schema refuses what no reader lets through, under the names the mapping knows.</summary>
    [Theory]
    [InlineData("phone = '12345678'", "profiles_phone_form")]
    [InlineData("website = 'javascript:alert(1)'", "profiles_website_form")]
    [InlineData("date_of_birth = 'soon'", "profiles_date_of_birth_form")]
    [InlineData("work_email = 'Ana@work.test'", "profiles_work_email_form")]
    public async Task Schema_RefusesWhatNoReaderLetsThrough(string assignment, string constraint)
    {
        var (tenant, user) = await NewAsync();
        Assert.IsType<ProfileChange.Done>(await UpdateAsync(
            tenant, user, 1, new ProfileEdit { GitHub = FieldEdit.To("ana") }));
        Task SetAsync() => Database.WriteAsync(
            session => session.ExecuteAsync(
                $"UPDATE profiles SET {assignment} WHERE user_id = @user", new { user }),
            Cancellation);
        var violated = await Assert.ThrowsAsync<ConstraintViolatedException>(SetAsync);
        Assert.Equal((ConstraintKind.Check, constraint), (violated.Kind, violated.Constraint));
    }

    private static ProfileEdit Whole => new()
    {
        Name = FieldEdit.To(" Ana Lima "),
        TimeZone = FieldEdit.To("europe/lisbon"),
        WorkEmail = FieldEdit.To("Ana@Work.test"),
        Phone = FieldEdit.To("(555) 123-4567"),
        PhoneRegion = FieldEdit.To("us"),
        EmergencyContactName = FieldEdit.To("Rui"),
        EmergencyContactEmail = FieldEdit.To("rui@home.test"),
        EmergencyContactPhone = FieldEdit.To("+351 912 345 678"),
        DateOfBirth = FieldEdit.To("31/12/1990"),
        Website = FieldEdit.To("example.org"),
        LinkedIn = FieldEdit.To("linkedin.com/in/ana"),
        Twitter = FieldEdit.To("@ana"),
        GitHub = FieldEdit.To("github.com/ana"),
    };

    private async Task<(string Tenant, string User)> NewAsync()
    {
        var tenant = await NewTenantAsync();
        return (tenant, await NewUserAsync(tenant));
    }

    private Task<ProfileChange> UpdateAsync(string tenant, string user, long version, ProfileEdit edit) =>
        _store.UpdateAsync(
            new Actor(tenant, user, Role.Instructor), user, version, edit, (null, false), "cor_1",
            Cancellation);

    private async Task<(string Address, bool Verified)> InviteAsync(
        string tenant, string user, long version, string? address)
    {
        var done = Assert.IsType<ProfileChange.Done>(await UpdateAsync(
            tenant, user, version, new ProfileEdit { CalendarEmail = FieldEdit.To(address) }));
        Assert.Equal(done.Stored, await _store.FindAsync(tenant, user, Cancellation));
        return (done.Stored.Profile.CalendarEmail, done.Stored.CalendarEmailVerified);
    }

    private Task<long> CountAsync(string sql, string user) => Database.ReadAsync(
        session => session.ScalarAsync<long>(sql, new { user }), Cancellation);
}

[Trait("Requirement", "R-PROF-T")]
public sealed class SqliteProfileTests(SqliteTestDatabase fixture)
    : ProfileContract(fixture), IClassFixture<SqliteTestDatabase>;

[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-PROF-T")]
public sealed class PostgresProfileTests(PostgresTestDatabase fixture)
    : ProfileContract(fixture), IClassFixture<PostgresTestDatabase>;
