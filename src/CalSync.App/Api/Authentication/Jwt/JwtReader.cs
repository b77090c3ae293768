using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace CalSync.App.Api.Authentication.Jwt;

/// <summary>Which of the two formats a token claims to be, by its header alone.</summary>
internal enum JwtFormat
{
    /// <summary><c>typ: at+jwt</c> with a <c>kid</c>, ES256 (RFC 9068).</summary>
    Enhanced = 1,

    /// <summary>No <c>typ</c> or <c>JWT</c>, no <c>kid</c>, HS256 with the shared secret.</summary>
    Legacy = 2,
}

/// <summary>A token taken apart; nothing in it is believed yet.</summary>
/// <param name="Format">By its header.</param>
/// <param name="KeyId">Of an enhanced token; empty of a legacy one.</param>
/// <param name="Signed">What the signature is over.</param>
/// <param name="Payload">JSON, not looked at.</param>
/// <param name="Signature">As decoded.</param>
internal sealed record JwtParts(
    JwtFormat Format, string KeyId, byte[] Signed, byte[] Payload, byte[] Signature);

/// <summary>A signed token in its parts; nothing in it is believed yet.</summary>
/// <param name="Header">JSON, not looked at.</param>
/// <param name="Signed">What the signature is over.</param>
/// <param name="Payload">JSON, not looked at.</param>
/// <param name="Signature">As decoded.</param>
internal sealed record JwtText(byte[] Header, byte[] Signed, byte[] Payload, byte[] Signature);

/// <summary>Takes a token apart and says which format it is, before any key is touched.</summary>
/// <remarks>
/// RFC 8725 section 3.12: the formats exclude each other by <c>typ</c> and <c>kid</c>, have one algorithm
/// each and no key in common, so a token that fails as one is never tried as the other. Header parameters
/// are an allow-list: <c>jku</c>, <c>jwk</c>, <c>x5u</c>, <c>x5c</c>, <c>crit</c>, <c>zip</c> and whatever
/// else is invented are refused by not being on it (sections 3.1, 3.10).
/// </remarks>
internal static class JwtReader
{
    /// <summary>Longest token, in characters.</summary>
    public const int LengthMax = 2_048;

    private const int KeyIdLengthMax = 64;

    private static readonly JsonDocumentOptions Strict =
        new() { MaxDepth = 3, AllowDuplicateProperties = false };

    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>True for what is a JSON web token by its shape; API tokens have no dot.</summary>
    public static bool LooksLike(string token) => token.Contains('.', StringComparison.Ordinal);

    /// <summary>Takes a token apart.</summary>
    /// <param name="token">Any text.</param>
    /// <param name="problem">Why not, when null is returned.</param>
    public static JwtParts? Read(string token, out JwtProblem problem)
    {
        problem = JwtProblem.Malformed;
        if (TakeApart(token, LengthMax) is not { } parts)
            return null;
        using var json = Parse(parts.Header);
        if (json is null)
            return null;
        problem = Dispatch(json.RootElement, out var format, out var keyId) ?? default;
        return problem == default
            ? new JwtParts(format, keyId, parts.Signed, parts.Payload, parts.Signature)
            : null;
    }

    /// <summary>Splits a signed token of any format; null when it is none.</summary>
    /// <param name="token">Any text.</param>
    /// <param name="lengthMax">A longer one is none.</param>
    public static JwtText? TakeApart(string token, int lengthMax)
    {
        if (token.Length > lengthMax)
            return null;
        var parts = token.Split('.');
        // Five parts are an encrypted token; there are none here. An unsigned one has an empty third part.
        return parts.Length == 3 && Decode(parts[0]) is { } header && Decode(parts[1]) is { } payload
            && Decode(parts[2]) is { } signature
                ? new JwtText(
                    header, Encoding.ASCII.GetBytes(token[..token.LastIndexOf('.')]), payload, signature)
                : null;
    }

    /// <summary>Reads a JSON object strictly: no repeated members, no depth; null when it is none.</summary>
    public static JsonDocument? Parse(byte[] bytes)
    {
        try
        {
            // The parser alone would let lone surrogates and broken UTF-8 pass until somebody reads them.
            var json = JsonDocument.Parse(Utf8.GetString(bytes), Strict);
            if (json.RootElement.ValueKind == JsonValueKind.Object)
                return json;
            json.Dispose();
            return null;
        }
        catch (Exception fault) when (fault is JsonException or DecoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>A text member; null when it is absent, no text, or not readable.</summary>
    public static string? Text(JsonElement json, string member)
    {
        if (!json.TryGetProperty(member, out var value) || value.ValueKind != JsonValueKind.String)
            return null;
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            // An escaped lone surrogate.
            return null;
        }
    }

    private static JwtProblem? Dispatch(JsonElement header, out JwtFormat format, out string keyId)
    {
        (format, keyId) = (JwtFormat.Legacy, "");
        foreach (var member in header.EnumerateObject())
        {
            if (member.Name is not ("alg" or "typ" or "kid"))
                return JwtProblem.HeaderRefused;
            if (Text(header, member.Name) is null)
                return JwtProblem.Malformed;
        }

        var (type, algorithm, key) = (Text(header, "typ"), Text(header, "alg"), Text(header, "kid"));
        if (algorithm is null)
            return JwtProblem.Malformed;
        if (string.Equals(type, "at+jwt", StringComparison.OrdinalIgnoreCase))
        {
            format = JwtFormat.Enhanced;
            if (algorithm != "ES256")
                return JwtProblem.AlgorithmRefused;
            if (key is not { Length: >= 1 and <= KeyIdLengthMax } || !key.All(IsKeyLetter))
                return JwtProblem.KeyUnknown;
            keyId = key;
            return null;
        }

        if (key is not null
            || !(type is null || string.Equals(type, "JWT", StringComparison.OrdinalIgnoreCase)))
        {
            return JwtProblem.TypeUnknown;
        }

        return algorithm == "HS256" ? null : JwtProblem.AlgorithmRefused;
    }

    private static bool IsKeyLetter(char letter) => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_';

    // One text for one meaning: no padding, no blanks, no loose bits at the end.
    private static byte[]? Decode(string text)
    {
        if (text.Length == 0 || !text.All(IsKeyLetter) || !Base64Url.IsValid(text))
            return null;
        var bytes = Base64Url.DecodeFromChars(text);
        return Base64Url.EncodeToString(bytes) == text ? bytes : null;
    }
}
