using System.Text.Json.Nodes;
using CalSync.Lab.Running;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>With <c>idempotency.required</c> nothing changes without a key. Over real loopback
/// HTTP.</summary>
public sealed class KeyRequiredTests : ProductTest
{
    protected override ProductSettings Settings => new()
    {
        Set = new Dictionary<string, string> { ["idempotency.required"] = "true" },
        RunsWorkers = false,
        VerificationWait = TimeSpan.Zero,
    };

    [Fact]
    [Trait("Requirement", "R-FIX-4-D")]
    public async Task EveryChange_WithoutAKey_IsRefusedWithTheAddressOfThePage()
    {
        var before = await Product.CountAsync("SELECT count(*) FROM journal");
        foreach (var operation in await Operations.ReadAsync(Product))
        {
            if (operation.Method == HttpMethod.Get || Operations.Unkeyed.Contains(operation.Id))
                continue;
            var address = operation.Address(
                name => name == "name" ? "verification" : $"{name[..3]}_{new string('0', 26)}");
            var answers = new List<ApiAnswer>();
            foreach (var caller in new[] { Product.Admin, Product.Operator, Product.Maya, Product.Bea })
            {
                answers.Add(await caller.SendAsync(
                    operation.Method, address, operation.TakesBody ? new JsonObject() : null,
                    ("If-Match", "\"1\"")));
            }

            var refused = answers.Where(answer => answer.Status == 400).ToArray();
            Assert.NotEmpty(refused);
            Assert.All(answers, answer => Assert.Contains(answer.Status, new[] { 400, 403 }));
            Assert.All(refused, answer => Assert.Equal(
                ("idempotency-key-required", "</errors/idempotency-key-required>; rel=\"describedby\""),
                (answer["code"], answer.Header("Link"))));
        }

        Assert.Equal(before, await Product.CountAsync("SELECT count(*) FROM journal"));
        var page = (await Product.Nobody.GetAsync("/errors/idempotency-key-required")).Expect(200);
        Assert.Contains("Send Idempotency-Key", page.Text, StringComparison.Ordinal);
    }

    [Theory]
    [Trait("Requirement", "R-FIX-4-D")]
    [InlineData("Idempotency-Key")]
    [InlineData("X-Idempotency-Key")]
    public async Task Change_WithEitherHeader_IsTaken(string header)
    {
        var made = await Product.Maya.SendAsync(
            HttpMethod.Post, "classes", RunningProduct.ClassBody("Keyed"), (header, "k-1"));

        Assert.Equal((202, ""), (made.Status, made.Header("Warning")));
    }
}
