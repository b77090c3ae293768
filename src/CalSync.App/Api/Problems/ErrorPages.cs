using System.Net;
using System.Text;
using CalSync.App.Api.Authentication;

namespace CalSync.App.Api.Problems;

/// <summary>
/// Serves the page behind every problem type URI: <c>/errors/{name}</c>, made from docs/errors.
/// </summary>
internal static class ErrorPages
{
    /// <summary>Adds the route. Unknown names answer 404.</summary>
    public static void MapErrorPages(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/errors/{name}", Page).WithMetadata(Access.Open).ExcludeFromDescription();

    /// <summary>The Markdown of a page.</summary>
    /// <returns>Null when there is none.</returns>
    internal static string? Read(string name)
    {
        using var stream = typeof(ErrorPages).Assembly.GetManifestResourceStream($"errors/{name}.md");
        if (stream is null)
            return null;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    private static Answer Page(string name, RequestScope scope) =>
        ProblemCatalogue.All.ContainsKey(name) && Read(name) is { } text
            ? new Answer(200, Html(name, text), "text/html; charset=utf-8", [])
            : scope.Refuse(ProblemCatalogue.NotFound.With("There is no problem of this name."));

    /// <summary>Renders the four forms the pages use: headings, lists, paragraphs and inline code.</summary>
    internal static string Html(string title, string markdown)
    {
        var html = new StringBuilder("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>")
            .Append(WebUtility.HtmlEncode(title))
            .Append("</title></head><body>");
        foreach (var block in markdown.Split("\n\n",
            StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (block.StartsWith("## ", StringComparison.Ordinal))
            {
                html.Append("<h2>").Append(Inline(block[3..])).Append("</h2>");
            }
            else if (block.StartsWith("# ", StringComparison.Ordinal))
            {
                html.Append("<h1>").Append(Inline(block[2..])).Append("</h1>");
            }
            else if (block.StartsWith("- ", StringComparison.Ordinal))
            {
                html.Append("<ul>").AppendJoin("", block.Split('\n')
                    .Select(line => $"<li>{Inline(line[2..])}</li>")).Append("</ul>");
            }
            else
            {
                html.Append("<p>").Append(Inline(block)).Append("</p>");
            }
        }

        return html.Append("</body></html>").ToString();
    }

    private static string Inline(string text)
    {
        var parts = WebUtility.HtmlEncode(text).Split('`');
        return string.Concat(parts.Select((part, at) => at % 2 == 1 ? $"<code>{part}</code>" : part));
    }
}
