using System.Collections.Immutable;

namespace CalSync.Remotes.Google.Mapping;

/// <summary>Google's eleven event colours and the CSS name (RFC 7986 section 5.9) nearest to each.</summary>
internal static class GoogleColors
{
    private static readonly ImmutableArray<string> Names =
    [
        "cornflowerblue", "mediumseagreen", "darkorchid", "lightcoral", "gold", "orangered", "deepskyblue",
        "dimgray", "royalblue", "forestgreen", "crimson",
    ];

    /// <summary>The CSS name of a <c>colorId</c>; null when it is none of the eleven.</summary>
    public static string? Name(string colorId) =>
        int.TryParse(
            colorId, System.Globalization.NumberStyles.None,
            System.Globalization.CultureInfo.InvariantCulture, out var number)
        && number >= 1 && number <= Names.Length
            ? Names[number - 1]
            : null;

    /// <summary>The <c>colorId</c> of one of these CSS names; null for every other.</summary>
    public static string? Id(string name) =>
        Names.IndexOf(name.Trim().ToLowerInvariant()) is >= 0 and var index
            ? (index + 1).ToString(System.Globalization.CultureInfo.InvariantCulture)
            : null;
}
