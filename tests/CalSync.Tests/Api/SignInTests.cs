using System.Text.Json.Nodes;
using CalSync.Classes;
using CalSync.Lab;
using CalSync.Lab.Running;
using CalSync.Storage.Identity;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>People sign in with a password, and nobody by guessing, over loopback HTTP.</summary>
public sealed class SignInTests : ProductTest
{
    private const string Password = "correct horse battery";
    private static readonly DateTimeOffset Now = new(2026, 12, 7, 9, 0, 0, TimeSpan.Zero);
    private readonly ManualTimeProvider _clock = new(Now);

    protected override ProductSettings Settings =>
        new() { RunsWorkers = false, VerificationWait = TimeSpan.Zero, Clock = _clock };

    [Fact]
    public async Task SignIn_ThenOut_WorksForEightHoursAndIsInTheJournal()
    {
        var bea = await Product.SignInAsync(Product.Bea, Password);
        Assert.Equal(Product.Bea.Id, (await bea.GetAsync("me")).Expect(200)["id"]);
        Assert.Equal(409, (await Product.Bea.DeleteAsync("auth/sessions/current", null)).Status);
        (await bea.DeleteAsync("auth/sessions/current", null)).Expect(204);
        _clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal("TOKEN_REVOKED", (await bea.GetAsync("me")).Expect(401)["code"]);

        var later = await Product.SignInAsync(Product.Bea, Password);
        _clock.Advance(TimeSpan.FromHours(8) + TimeSpan.FromSeconds(6));
        Assert.Equal("TOKEN_EXPIRED", (await later.GetAsync("me")).Expect(401)["code"]);
        Assert.Equal(2, await JournalledAsync("session.opened"));
        Assert.Equal(2, await JournalledAsync("password.set"));
        Assert.Equal(1, await JournalledAsync("session.ended"));
    }

    [Fact]
    public async Task Answer_IsNotKeptAnywhere_AndNeverCached()
    {
        var bea = await Product.SignInAsync(Product.Bea, Password);
        var kept = await Product.CountAsync("SELECT count(*) FROM idempotency_keys");
        var answer = await TryAsync(Product.Bea.Email, Password, ("Idempotency-Key", "k-1"));
        Assert.Equal("no-store", answer.Expect(201).Header("Cache-Control"));
        Assert.NotEqual(bea.Token, answer["token"]);
        Assert.Equal(kept, await Product.CountAsync("SELECT count(*) FROM idempotency_keys"));
        Assert.Equal(0, await Product.CountAsync(
            $"SELECT count(*) FROM passwords WHERE hash LIKE '%{Password}%'"));
    }

    /// <summary>An address nobody has, a person without a password and a wrong password are one and the same
    /// to whoever asks.</summary>
    [Fact]
    public async Task WrongPassword_UnknownAddressAndNoPassword_AreAnsweredAlike()
    {
        await Product.SignInAsync(Product.Bea, Password);
        var answers = new List<string>();
        foreach (var email in new[] { Product.Bea.Email, "nobody@mail.test", Product.Chen.Email })
        {
            var answer = (await TryAsync(email, "wrong horse battery")).Expect(401);
            Assert.Equal("Bearer realm=\"calsync\"", answer.Header("WWW-Authenticate"));
            var body = answer.Body!.DeepClone().AsObject();
            body.Remove("correlationId");
            answers.Add(body.ToJsonString());
        }

        Assert.Single(answers.Distinct());
        Assert.Equal(3, await JournalledAsync("sign_in.refused"));
    }

    /// <summary>Five wrong ones, then not even the right one, until the window is over; sessions go
    /// on.</summary>
    [Fact]
    public async Task Guessing_IsStoppedForAWhile_AndASessionGoesOn()
    {
        var bea = await Product.SignInAsync(Product.Bea, Password);
        for (var attempt = 0; attempt < 5; attempt++)
            (await TryAsync(Product.Bea.Email, $"wrong horse {attempt}")).Expect(401);
        var stopped = (await TryAsync(Product.Bea.Email, Password)).Expect(429);
        Assert.Equal(("too-many-attempts", "900"), (stopped["code"], stopped.Header("Retry-After")));
        (await bea.GetAsync("me")).Expect(200);
        // Somebody else from the same address signs in.
        await Product.SignInAsync(Product.Chen, Password);
        _clock.Advance(TimeSpan.FromMinutes(15));
        (await TryAsync(Product.Bea.Email, Password)).Expect(201);
        // Signing in has wiped the slate.
        for (var attempt = 0; attempt < 5; attempt++)
            (await TryAsync(Product.Bea.Email, $"wrong horse {attempt}")).Expect(401);
    }

    /// <summary>Many at once get no more attempts than one after the other.</summary>
    [Fact]
    public async Task Guessing_ByManyAtOnce_GetsNoMoreAttempts()
    {
        await Product.SignInAsync(Product.Bea, Password);
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(
            index => TryAsync(Product.Bea.Email, $"wrong horse {index}")));
        Assert.Equal(5, answers.Count(answer => answer.Status == 401));
        Assert.Equal(15, answers.Count(answer => answer.Status == 429));
    }

    [Fact]
    public async Task ChangePassword_NeedsTheOldOne_AndEndsOtherSessions()
    {
        var here = await Product.SignInAsync(Product.Bea, Password);
        var there = Product.Bea with { Token = (await TryAsync(Product.Bea.Email, Password))["token"] };
        (await ChangeAsync(here, "wrong horse battery", "another horse battery")).Expect(401);
        var easy = (await ChangeAsync(here, Password, "aaaaaaaaaaaaaaaa")).Expect(422);
        Assert.Equal("too_easy", (string?)easy.Body!["errors"]![0]!["code"]);
        (await ChangeAsync(here, Password, "another horse battery")).Expect(204);
        _clock.Advance(TimeSpan.FromSeconds(6));
        (await here.GetAsync("me")).Expect(200);
        (await there.GetAsync("me")).Expect(401);
        (await TryAsync(Product.Bea.Email, Password)).Expect(401);
        (await TryAsync(Product.Bea.Email, "another horse battery")).Expect(201);
        (await here.DeleteAsync("auth/sessions", null)).Expect(204);
        _clock.Advance(TimeSpan.FromSeconds(6));
        (await here.GetAsync("me")).Expect(401);
    }

    /// <summary>One address in two organisations: the one whose password it is; with the same password in
    /// both, the organisation must be named.</summary>
    [Fact]
    public async Task SameAddress_InTwoOrganisations_IsToldApart()
    {
        await Product.SignInAsync(Product.Bea, Password);
        var elsewhere = (await Product.Services.GetRequiredService<IdentityStore>().FindUserAsync(
            Product.Stranger.Id, CancellationToken.None))!.TenantId;
        var twin = await Product.AddPersonAsync("Bea", Product.Bea.Email, Role.Student, "UTC", elsewhere);
        Assert.Equal(Product.Bea.Id, (await TryAsync(Product.Bea.Email, Password)).Expect(201)["userId"]);
        await Assert.ThrowsAnyAsync<Exception>(() => Product.SignInAsync(twin, Password));
        var asked = (await TryAsync(Product.Bea.Email, Password)).Expect(422);
        Assert.Equal("tenantId", (string?)asked.Body!["errors"]![0]!["field"]);
        var named = await Product.Nobody.SendAsync(
            HttpMethod.Post, "auth/sessions",
            new JsonObject
            {
                ["email"] = Product.Bea.Email.ToUpperInvariant(),
                ["password"] = Password,
                ["tenantId"] = elsewhere,
            });
        Assert.Equal(twin.Id, named.Expect(201)["userId"]);
    }

    private Task<ApiAnswer> TryAsync(
        string email, string password, params (string, string)[] headers) => Product.Nobody.SendAsync(
        HttpMethod.Post, "auth/sessions",
        new JsonObject { ["email"] = email, ["password"] = password }, headers);

    private static Task<ApiAnswer> ChangeAsync(Lab.Running.Person person, string current, string next) =>
        person.SendAsync(
            HttpMethod.Put, "me/password", new JsonObject { ["current"] = current, ["new"] = next });

    private Task<long> JournalledAsync(string kind) =>
        Product.CountAsync($"SELECT count(*) FROM journal WHERE kind = '{kind}'");
}
