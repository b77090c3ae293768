using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CalSync.Lab.Running;

namespace CalSync.Tests.Api;

/// <summary>One operation of the OpenAPI description.</summary>
/// <param name="Id">Its operationId.</param>
/// <param name="Method">HTTP method.</param>
/// <param name="Path">Template.</param>
/// <param name="TakesBody">Whether a body is described.</param>
/// <param name="IsIdempotent">Whether it is marked as taking a key.</param>
internal sealed partial record Operation(
    string Id, HttpMethod Method, string Path, bool TakesBody, bool IsIdempotent)
{
    /// <summary>The address with these ids in it.</summary>
    public string Address(IReadOnlyDictionary<string, string> ids) => Address(name => ids[name]);

    /// <summary>The address with what is given for each name in braces.</summary>
    public string Address(Func<string, string> id) => Hole().Replace(Path, hole => id(hole.Groups[1].Value));

    /// <summary>Sends it with a fresh key.</summary>
    public Task<ApiAnswer> SendAsync(
        Person caller, IReadOnlyDictionary<string, string> ids, JsonObject body,
        params (string, string)[] headers) =>
        caller.SendAsync(
            Method, Address(ids), TakesBody ? body : null,
            [("Idempotency-Key", RunningProduct.NewKey()), .. headers]);

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex Hole();
}

/// <summary>The operations a running product describes.</summary>
internal static class Operations
{
    /// <summary>Changes that take no key: nothing of a password or of a new token may be kept under
    /// one.</summary>
    public static readonly IReadOnlySet<string> Unkeyed =
        new HashSet<string> { "signIn", "startGoogleSignIn", "finishGoogleSignIn", "changeMyPassword" };

    public static async Task<IReadOnlyList<Operation>> ReadAsync(RunningProduct product)
    {
        var document = (await product.Nobody.GetAsync("/openapi/v1.json")).Expect(200).Body!;
        return
        [
            .. from path in document["paths"]!.AsObject()
               from verb in path.Value!.AsObject()
               where verb.Key is "get" or "post" or "put" or "patch" or "delete"
               select new Operation(
                   (string?)verb.Value!["operationId"] ?? $"{verb.Key} {path.Key}",
                   new HttpMethod(verb.Key.ToUpperInvariant()),
                   path.Key, verb.Value["requestBody"] is not null,
                   (bool?)verb.Value["x-idempotent"] == true),
        ];
    }
}
