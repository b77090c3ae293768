using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using CalSync.App.Api.Problems;
using Microsoft.Net.Http.Headers;

namespace CalSync.App.Api.Bodies;

/// <summary>A request body that was read, or the problem with it.</summary>
internal abstract record JsonBody<T>
{
    private JsonBody()
    {
    }

    /// <summary>Read, with every member known and of its type.</summary>
    /// <param name="Value">What it says.</param>
    /// <param name="Fingerprint">
    /// Hex SHA-256 of the canonical rewriting: bodies that mean the same have the same, whatever their blanks
    /// and order.
    /// </param>
    public sealed record Read(T Value, string Fingerprint) : JsonBody<T>;

    /// <summary>Not readable.</summary>
    public sealed record Refused(Problem Problem) : JsonBody<T>;
}

/// <summary>
/// Reads bodies strictly: JSON in UTF-8, 64 KiB, 16 levels, no unknown and no repeated member.
/// </summary>
internal static class JsonBodies
{
    /// <summary>Largest body, in bytes.</summary>
    public const int BodySizeBytesMax = 64 * 1024;

    private static readonly string[] MediaTypes = ["application/json", "application/merge-patch+json"];

    /// <summary>Reads the whole body.</summary>
    /// <param name="request">The request.</param>
    /// <param name="type">How to read it; made from <see cref="ApiJson"/>.</param>
    /// <param name="cancellation">Cancelling leaves the connection unusable and nothing changed.</param>
    public static async Task<JsonBody<T>> ReadAsync<T>(
        HttpRequest request, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        if (!IsJson(request))
        {
            return new JsonBody<T>.Refused(ProblemCatalogue.UnsupportedMediaType.With(
                "Content-Type is not application/json in UTF-8, or the body is encoded.")
                with
            { Headers = [("Accept-Post", "application/json")] });
        }

        byte[] bytes;
        try
        {
            bytes = await ReadBytesAsync(request, cancellation);
        }
        catch (BadHttpRequestException fault)
        {
            // The rest of the body is not read, so nothing can follow it on this connection.
            request.HttpContext.Response.Headers.Connection = "close";
            return new JsonBody<T>.Refused(
                ProblemCatalogue.ForStatus(fault.StatusCode) ?? ProblemCatalogue.ForStatus(400)!);
        }

        catch (OperationCanceledException)
        {
            request.HttpContext.Response.Headers.Connection = "close";
            return new JsonBody<T>.Refused(ProblemCatalogue.ForStatus(408)!);
        }

        return Parse(bytes, type);
    }

    /// <summary>Reads a body that is already in memory.</summary>
    public static JsonBody<T> Parse<T>(ReadOnlySpan<byte> bytes, JsonTypeInfo<T> type)
    {
        try
        {
            var value = JsonSerializer.Deserialize(bytes, type);
            if (value is null)
                return Malformed<T>("The body is null; an object is expected.");
            var canonical = JsonSerializer.SerializeToUtf8Bytes(value, type);
            return new JsonBody<T>.Read(value, Convert.ToHexStringLower(SHA256.HashData(canonical)));
        }
        catch (JsonException fault)
        {
            return Malformed<T>(Explain(fault));
        }
        catch (ArgumentException)
        {
            // A lone surrogate written as an escape passes the reader and cannot be written back.
            return Malformed<T>("A text is not valid Unicode.");
        }
    }

    private static JsonBody<T>.Refused Malformed<T>(string detail) =>
        new(ProblemCatalogue.MalformedRequest.With(detail));

    private static string Explain(JsonException fault)
    {
        var place = string.IsNullOrEmpty(fault.Path) || fault.Path == "$" ? "the body" : Visible(fault.Path);
        var message = fault.Message;
        if (message.Contains("could not be mapped", StringComparison.Ordinal))
            return $"Unknown member: {place}.";
        if (message.Contains("Duplicate property", StringComparison.Ordinal))
            return $"Member given twice: {place}.";
        if (message.Contains("missing required", StringComparison.Ordinal))
            return $"A required member is missing in {place}: {Names(message)}.";
        if (message.Contains("maximum configured depth", StringComparison.Ordinal))
            return "The body is nested deeper than 16 levels.";
        return message.Contains("could not be converted", StringComparison.Ordinal)
            ? $"Wrong type or value out of range: {place}."
            : $"Not valid JSON at {place}, line {fault.LineNumber + 1}, byte {fault.BytePositionInLine}.";
    }

    /// <summary>The member names at the end of the serializer's sentence, after its last colon.</summary>
    private static string Names(string message)
    {
        var names = message[(message.LastIndexOf(':') + 1)..].Trim().TrimEnd('.');
        return names.Replace('\'', ' ').Trim();
    }

    private static string Visible(string path)
    {
        var text = string.Concat(path.Take(200)
            .Select(letter => char.IsControl(letter) || char.IsSurrogate(letter) ? '?' : letter));
        return text.StartsWith("$.", StringComparison.Ordinal) ? text[2..] : text;
    }

    private static bool IsJson(HttpRequest request)
    {
        if (request.Headers.ContentEncoding.Count > 0
            || !MediaTypeHeaderValue.TryParse(request.ContentType, out var given))
        {
            return false;
        }

        return MediaTypes.Contains(given.MediaType.Value, StringComparer.OrdinalIgnoreCase)
            && (!given.Charset.HasValue || given.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase));
    }

    private static async Task<byte[]> ReadBytesAsync(HttpRequest request, CancellationToken cancellation)
    {
        if (request.ContentLength > BodySizeBytesMax)
            throw new BadHttpRequestException("Too large.", StatusCodes.Status413PayloadTooLarge);
        var buffer = new ArrayBufferWriter<byte>(1024);
        int read;
        while ((read = await request.Body.ReadAsync(buffer.GetMemory(4096), cancellation)) > 0)
        {
            buffer.Advance(read);
            if (buffer.WrittenCount > BodySizeBytesMax)
                throw new BadHttpRequestException("Too large.", StatusCodes.Status413PayloadTooLarge);
        }

        return buffer.WrittenSpan.ToArray();
    }
}
