using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace CalSync.Remotes.Google.Mapping;

/// <summary>Google's descriptions may be HTML; iCalendar's are text.</summary>
/// <remarks>
/// Only what a person would see is taken over: line breaks, list items and links. The HTML itself goes along
/// as X-ALT-DESC and is restored as long as the text was not edited.
/// </remarks>
internal static partial class HtmlText
{
    /// <summary>Whether Google's pages would show this text as HTML.</summary>
    public static bool IsHtml(string text) =>
        text.Contains('<', StringComparison.Ordinal) && Tag().IsMatch(text);

    /// <summary>What a person reads.</summary>
    public static string ToText(string html)
    {
        var text = new StringBuilder(html.Length);
        var position = 0;
        string? link = null;
        var linkStart = 0;
        foreach (var tag in AnyTag().EnumerateMatches(html))
        {
            text.Append(WebUtility.HtmlDecode(html[position..tag.Index]));
            var markup = html.Substring(tag.Index, tag.Length);
            position = tag.Index + tag.Length;
            switch (TagName().Match(markup).Value.ToLowerInvariant())
            {
                case "br" or "/p" or "/div" or "/li" or "/ul" or "/ol" or "/h1" or "/h2" or "/h3":
                    text.Append('\n');
                    break;
                case "li":
                    text.Append("- ");
                    break;
                case "a":
                    link = WebUtility.HtmlDecode(Target().Match(markup).Groups[1].Value);
                    linkStart = text.Length;
                    break;
                case "/a" when link is not null:
                    if (link.Length > 0 && text.ToString(linkStart, text.Length - linkStart) != link)
                        text.Append(" <").Append(link).Append('>');
                    link = null;
                    break;
                default:
                    break;
            }
        }

        return text.Append(WebUtility.HtmlDecode(html[position..])).Replace("\u00a0", " ").ToString()
            .TrimEnd('\n');
    }

    [GeneratedRegex(
        "</?(a|b|br|div|em|font|h[1-6]|hr|html-blob|i|img|li|ol|p|pre|s|span|strong|table|td|tr|u|ul)"
            + @"\b[^<>]*>",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Tag();

    [GeneratedRegex("<[/a-zA-Z!][^<>]*>", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex AnyTag();

    [GeneratedRegex("/?[a-zA-Z][a-zA-Z0-9]*", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex TagName();

    [GeneratedRegex(
        "href\\s*=\\s*[\"']([^\"']*)[\"']",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Target();
}
