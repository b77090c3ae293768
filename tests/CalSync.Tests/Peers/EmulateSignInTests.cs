using CalSync.Lab.Peers;
using CalSync.Lab.Running;
using CalSync.Tests.Api;
using CalSync.Tests.Repository;
using Xunit;

namespace CalSync.Tests.Peers;

/// <summary>
/// Goal: a person signs in through a Google that nobody here wrote. Method: the whole product, and the real
/// process of the npm package emulate, which signs its own ID tokens.
/// </summary>
[Trait("Category", "Slow")]
public sealed class EmulateSignInTests : ProductTest
{
    private EmulateServer _server = null!;

    protected override ProductSettings Settings => new()
    {
        RunsWorkers = false,
        VerificationWait = TimeSpan.Zero,
        Connects = false,
        Set = new Dictionary<string, string>
        {
            ["sign_in.google_client_id"] = _server.Client.ClientId,
            ["sign_in.google_client_secret"] = _server.Client.ClientSecret,
            ["sign_in.google_return_url"] = EmulateServer.Redirect.AbsoluteUri,
            ["sign_in.google_issuer"] = _server.Issuer,
        },
    };

    public override async Task InitializeAsync()
    {
        _server = await EmulateServer.StartAsync(
            Path.Combine(SourceTree.Root, ".tools"), CancellationToken.None);
        await base.InitializeAsync();
    }

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    [Trait("Requirement", "R-OAUTH-17")]
    public async Task SignIn_ThroughIt_IsWhoConsented_AndItsCodeIsGoodOnce()
    {
        var begun = await GoogleSignInRig.BeginAsync(Product);
        var (code, state) = await EmulateServer.ConsentAsync(
            new Uri(_server.Address, begun.Page.PathAndQuery), null, CancellationToken.None);
        var answer = await GoogleSignInRig.FinishAsync(Product, state, code, begun.AttemptKey);
        Assert.Equal((Product.Maya.Id, "instructor"), (answer.Expect(201)["userId"], answer["role"]));

        var second = await GoogleSignInRig.BeginAsync(Product);
        var replayed = await GoogleSignInRig.FinishAsync(Product, second.State, code, second.AttemptKey);
        Assert.Equal("google-sign-in-refused", replayed.Expect(401)["code"]);
    }

    /// <summary>A token it made for another sign-in is refused.</summary>
    [Fact]
    [Trait("Requirement", "R-OAUTH-18")]
    public async Task SignIn_WithAnotherNonce_IsRefused()
    {
        var begun = await GoogleSignInRig.BeginAsync(Product);
        var (code, state) = await EmulateServer.ConsentAsync(
            new Uri(_server.Address, begun.Page.PathAndQuery), form => form["nonce"] = "another",
            CancellationToken.None);
        (await GoogleSignInRig.FinishAsync(Product, state, code, begun.AttemptKey)).Expect(401);
        Assert.Equal("TOKEN_NONCE_REFUSED", await GoogleSignInRig.LastReasonAsync(Product));
    }
}
