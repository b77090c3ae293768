using System.Globalization;
using CalSync.App.Api.Problems;

namespace CalSync.App.Api.Preconditions;

/// <summary>Strong entity tags made of row versions: <c>"7"</c> (RFC 9110 section 8.8.3).</summary>
internal static class EntityTag
{
    /// <summary>The tag of a version.</summary>
    public static string Of(long version) => string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");

    /// <summary>Reads If-Match of a change (RFC 9110 section 13.1.1).</summary>
    /// <remarks>
    /// One tag, because a change is decided on one version. <c>*</c> and weak tags are refused with 412: they
    /// would let
    /// a change pass that was decided on nothing.
    /// </remarks>
    public static IfMatch Read(HttpRequest request)
    {
        var values = request.Headers.IfMatch;
        if (values.Count == 0)
        {
            return new IfMatch.Refused(ProblemCatalogue.PreconditionRequired.With(
                "If-Match is missing; without it this change could overwrite someone else's."));
        }

        var text = values.ToString().Trim();
        return text.Length is >= 3 and <= 21 && text[0] == '"' && text[^1] == '"'
            && long.TryParse(text.AsSpan(1, text.Length - 2), NumberStyles.None,
                CultureInfo.InvariantCulture, out var version)
                ? new IfMatch.Version(version)
                : new IfMatch.Version(None);
    }

    /// <summary>A version no row ever has: a tag that is not one of ours matches nothing.</summary>
    public const long None = 0;
}

/// <summary>What If-Match said.</summary>
internal abstract record IfMatch
{
    private IfMatch()
    {
    }

    /// <summary>
    /// The version the change was decided on; <see cref="EntityTag.None"/> when the tag is not one of ours.
    /// </summary>
    public sealed record Version(long Value) : IfMatch;

    /// <summary>No If-Match: 428 (RFC 6585 section 3).</summary>
    public sealed record Refused(Problem Problem) : IfMatch;
}
