using System.Text.Json.Nodes;
using CalSync.Classes;
using CalSync.Lab;
using CalSync.Lab.Running;
using CalSync.Storage.Identity;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using static CalSync.Tests.Api.GoogleSignInRig;

namespace CalSync.Tests.Api;

/// <summary>People sign in through Google, the sandbox's, and only as who they are.</summary>
public sealed class GoogleSignInTests : ProductTest
{
    private static readonly DateTimeOffset Now = new(2026, 12, 7, 9, 0, 0, TimeSpan.Zero);
    private readonly ManualTimeProvider _clock = new(Now);

    protected override ProductSettings Settings => new()
    {
        RunsWorkers = false,
        VerificationWait = TimeSpan.Zero,
        Clock = _clock,
        Connects = false,
        Set = Set,
    };

    /// <summary>The address decides the first time, and never again.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-17")]
    public async Task SignIn_TheFirstTime_LinksByAddress_AndThenGoesByAccount()
    {
        var answer = (await SignInAsync(Product, Product.Bea.Email)).Expect(201);
        Assert.Equal("no-store", answer.Header("Cache-Control"));
        Assert.Equal((Product.Bea.Id, "student", "Bearer"),
            (answer["userId"], answer["role"], answer["tokenType"]));
        Assert.Equal(Product.Bea.Id, (await WithToken(answer).GetAsync("me")).Expect(200)["id"]);
        Assert.Equal(1, await JournalledAsync("google_account.linked"));

        // Somebody else has the address now; the account is still hers.
        await Product.ExecuteAsync(
            "UPDATE users SET email = 'beatrice@mail.test' WHERE id = @Id", new { Product.Bea.Id });
        await Product.AddPersonAsync("Beata", Product.Bea.Email, Role.Student, "UTC");
        Assert.Equal(
            Product.Bea.Id, (await SignInAsync(Product, Product.Bea.Email)).Expect(201)["userId"]);
        Assert.Equal(1, await JournalledAsync("google_account.linked"));
        Assert.Equal(2, await Product.CountAsync(
            "SELECT count(*) FROM sessions WHERE method = 'google' AND user_id = @Id",
            new { Product.Bea.Id }));
    }

    /// <summary>The same session as with a password: it ends by itself, by signing out, and
    /// everywhere.</summary>
    [Fact]
    [Trait("Requirement", "R-JWT-6")]
    public async Task Session_OfGoogle_EndsLikeAnyOther()
    {
        var here = WithToken((await SignInAsync(Product, Product.Bea.Email)).Expect(201));
        var there = WithToken((await SignInAsync(Product, Product.Bea.Email)).Expect(201));
        (await here.DeleteAsync("auth/sessions/current", null)).Expect(204);
        _clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal("TOKEN_REVOKED", (await here.GetAsync("me")).Expect(401)["code"]);
        (await there.GetAsync("me")).Expect(200);
        Assert.True(await Product.Services.GetRequiredService<GoogleAccountStore>().UnlinkAsync(
            Product.Bea.Id, "cli", "cor_1", CancellationToken.None));
        _clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal("TOKEN_REVOKED", (await there.GetAsync("me")).Expect(401)["code"]);
        var later = WithToken((await SignInAsync(Product, Product.Bea.Email)).Expect(201));
        _clock.Advance(TimeSpan.FromHours(8) + TimeSpan.FromSeconds(6));
        Assert.Equal("TOKEN_EXPIRED", (await later.GetAsync("me")).Expect(401)["code"]);
    }

    /// <summary>An account of nobody, and one of somebody who has another account, are the same to whoever
    /// asks; nobody is made.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-17")]
    public async Task Account_OfNobody_AndOfSomebodyWithAnother_AreRefusedAlike()
    {
        await Product.ExecuteAsync(
            "UPDATE users SET email = 'chen2@mail.test' WHERE id = @Id", new { Product.Chen.Id });
        var accounts = Product.Services.GetRequiredService<GoogleAccountStore>();
        var people = await Product.CountAsync("SELECT count(*) FROM users");
        var issuer = (await BeginAsync(Product)).Page.GetLeftPart(UriPartial.Authority);
        await accounts.FindAsync(
            issuer, "another account", Product.Arjun.Email, null, "cor_1", CancellationToken.None);
        var answers = new List<string>();
        foreach (var (account, reason) in new[]
        {
            ("chen@mail.test", "unknown"), (Product.Arjun.Email, "another-google-account"),
        })
        {
            answers.Add(Comparable((await SignInAsync(Product, account)).Expect(401)));
            Assert.Equal(reason, await LastReasonAsync(Product));
        }

        Assert.Contains(
            "google-sign-in-refused", Assert.Single(answers.Distinct()), StringComparison.Ordinal);
        Assert.Equal(people, await Product.CountAsync("SELECT count(*) FROM users"));
        Assert.Equal(0, await Product.CountAsync("SELECT count(*) FROM sessions"));
    }

    /// <summary>A state is good once, for ten minutes, in the browser that began; a stranger's attempt does
    /// not use it up.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-18")]
    public async Task State_ReplayedOrOfAnotherBrowserOrOld_SignsNobodyIn()
    {
        var (mine, other) = (await BeginAsync(Product), await BeginAsync(Product));
        var code = await ChooseAsync(mine, Product.Bea.Email);
        var refused = new List<ApiAnswer>
        {
            // Somebody who is made to follow a stranger's link has no key of that attempt.
            await FinishAsync(Product, mine.State, code, other.AttemptKey),
            await FinishAsync(Product, other.State, code, mine.AttemptKey),
            await FinishAsync(Product, "unknown", code, mine.AttemptKey),
        };
        (await FinishAsync(Product, mine.State, code, mine.AttemptKey)).Expect(201);
        refused.Add(await FinishAsync(Product, mine.State, code, mine.AttemptKey));
        var late = await BeginAsync(Product);
        var lateCode = await ChooseAsync(late, Product.Bea.Email);
        _clock.Advance(TimeSpan.FromMinutes(10));
        refused.Add(await FinishAsync(Product, late.State, lateCode, late.AttemptKey));
        Assert.Equal(
            "sign-in-attempt-over",
            Assert.Single(refused.Select(answer => answer.Expect(401)["code"]).Distinct()));
        Assert.Equal(5, await JournalledAsync("sign_in.refused"));
        Assert.Equal(1, await JournalledAsync("session.opened"));
    }

    /// <summary>A code is good once, and only with the verifier of its own sign-in.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-18")]
    public async Task Code_ReplayedOrOfAnotherSignIn_SignsNobodyIn()
    {
        var first = await BeginAsync(Product);
        var code = await ChooseAsync(first, Product.Bea.Email);
        (await FinishAsync(Product, first.State, code, first.AttemptKey)).Expect(201);
        var second = await BeginAsync(Product);
        var replayed = await FinishAsync(Product, second.State, code, second.AttemptKey);
        Assert.Equal("google-sign-in-refused", replayed.Expect(401)["code"]);

        var (victim, thief) = (await BeginAsync(Product), await BeginAsync(Product));
        var stolen = await ChooseAsync(victim, Product.Bea.Email);
        var injected = await FinishAsync(Product, thief.State, stolen, thief.AttemptKey);
        Assert.Equal("google-sign-in-refused", injected.Expect(401)["code"]);
        Assert.Equal("code-refused", await LastReasonAsync(Product));
        Assert.Equal(1, await JournalledAsync("session.opened"));
    }

    [Fact]
    [Trait("Requirement", "R-OAUTH-17")]
    public async Task SameAddress_InTwoOrganisations_MustBeNamed()
    {
        var elsewhere = (await Product.Services.GetRequiredService<IdentityStore>().FindUserAsync(
            Product.Stranger.Id, CancellationToken.None))!.TenantId;
        var twin = await Product.AddPersonAsync("Bea", Product.Bea.Email, Role.Student, "UTC", elsewhere);
        var asked = (await SignInAsync(Product, Product.Bea.Email)).Expect(422);
        Assert.Equal("tenantId", (string?)asked.Body!["errors"]![0]!["field"]);
        var named = (await SignInAsync(Product, Product.Bea.Email, elsewhere)).Expect(201);
        Assert.Equal(twin.Id, named["userId"]);
        // Who is linked in one organisation is meant, until the other is named.
        Assert.Equal(twin.Id, (await SignInAsync(Product, Product.Bea.Email)).Expect(201)["userId"]);
        var other = (await SignInAsync(Product, Product.Bea.Email, Product.Tenant.Id)).Expect(201);
        Assert.Equal(Product.Bea.Id, other["userId"]);
    }

    /// <summary>What is stored of a sign-in under way opens nothing, and nothing is shown twice.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-14")]
    public async Task Page_AsksWithPkceStateAndNonce_AndNothingOfThemIsStored()
    {
        var begun = await BeginAsync(Product);
        Assert.Equal(
            ("code", "openid email", "S256", "select_account"),
            (begun.Ask("response_type"), begun.Ask("scope"), begun.Ask("code_challenge_method"),
                begun.Ask("prompt")));
        Assert.Equal("http://127.0.0.1:9/signed-in", begun.Ask("redirect_uri"));
        var stored = await Product.TextAsync(
            "SELECT state_hash || attempt_hash || nonce_hash FROM google_sign_ins");
        foreach (var secret in new[] { begun.State, begun.AttemptKey, begun.Ask("nonce") })
        {
            Assert.Equal(43, secret.Length);
            Assert.DoesNotContain(secret, stored, StringComparison.Ordinal);
        }

        Assert.Equal(422, (await FinishAsync(Product, "", "a b", begun.AttemptKey)).Status);
    }

    private Lab.Running.Person WithToken(ApiAnswer answer) => Product.Bea with { Token = answer["token"] };

    private Task<long> JournalledAsync(string kind) =>
        Product.CountAsync($"SELECT count(*) FROM journal WHERE kind = '{kind}'");
}

/// <summary>Attempts are counted with those at passwords.</summary>
public sealed class GoogleSignInLimitTests : ProductTest
{
    protected override ProductSettings Settings => new()
    {
        RunsWorkers = false,
        VerificationWait = TimeSpan.Zero,
        Connects = false,
        Set = new Dictionary<string, string>(Set) { ["sign_in.per_address"] = "2" },
    };

    [Fact]
    [Trait("Requirement", "R-OAUTH-18")]
    public async Task Attempts_FromOneAddress_AreLimited()
    {
        (await Product.Nobody.SendAsync(
            HttpMethod.Post, "auth/sessions",
            new JsonObject { ["email"] = "nobody@mail.test", ["password"] = "wrong horse battery" }))
            .Expect(401);
        (await SignInAsync(Product, Product.Bea.Email)).Expect(201);
        var begun = await BeginAsync(Product);
        var stopped = await FinishAsync(Product, begun.State, "code", begun.AttemptKey);
        Assert.Equal("too-many-attempts", stopped.Expect(429)["code"]);
        var third = await Product.Nobody.SendAsync(
            HttpMethod.Post, "auth/google/attempts", new JsonObject());
        Assert.Equal("900", third.Expect(429).Header("Retry-After"));
    }
}

/// <summary>Where it is not set up there is nothing.</summary>
public sealed class GoogleSignInOffTests : ProductTest
{
    protected override ProductSettings Settings =>
        new() { RunsWorkers = false, VerificationWait = TimeSpan.Zero, Connects = false };

    [Fact]
    public async Task Google_WhereItIsNotSetUp_IsNotFound()
    {
        var begun = await Product.Nobody.SendAsync(
            HttpMethod.Post, "auth/google/attempts", new JsonObject());
        Assert.Equal("not-found", begun.Expect(404)["code"]);
        Assert.Equal("not-found", (await FinishAsync(Product, "s", "c", "k")).Expect(404)["code"]);
    }
}
