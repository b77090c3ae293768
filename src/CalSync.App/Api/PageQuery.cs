using System.Globalization;
using CalSync.App.Api.Problems;

namespace CalSync.App.Api;

/// <summary>Which page of a list is asked for.</summary>
/// <param name="Limit">1 to 200; 50 unless said otherwise.</param>
/// <param name="After">The cursor of the page before; null for the first page.</param>
internal readonly record struct PageQuery(int Limit, string? After)
{
    private const int LimitDefault = 50;
    private const int LimitMax = 200;
    private const int CursorLengthMax = 200;

    /// <summary>Reads <c>limit</c> and <c>after</c>; other parameters than those named are refused.</summary>
    /// <returns>Null when they are good.</returns>
    public static Problem? Read(HttpRequest request, out PageQuery page, params string[] others)
    {
        page = new PageQuery(LimitDefault, null);
        foreach (var (name, values) in request.Query)
        {
            if (values.Count != 1 || (name is not ("limit" or "after") && !others.Contains(name,
                StringComparer.Ordinal)))
            {
                return ProblemCatalogue.MalformedRequest.With("A query parameter is unknown or given twice.");
            }
        }

        if (request.Query.TryGetValue("limit", out var limit))
        {
            if (!int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
                || count is < 1 or > LimitMax)
            {
                return ProblemCatalogue.MalformedRequest.With("limit must be 1 to 200.");
            }

            page = page with { Limit = count };
        }

        if (!request.Query.TryGetValue("after", out var after))
            return null;
        var cursor = after.ToString();
        if (cursor.Length is 0 or > CursorLengthMax || cursor.Any(letter => letter is <= ' ' or > '~'))
            return ProblemCatalogue.MalformedRequest.With("after is not a cursor of this list.");
        page = page with { After = cursor };
        return null;
    }
}
