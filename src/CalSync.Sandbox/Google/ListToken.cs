using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace CalSync.Sandbox.Google;

/// <summary>What a sync token or a page token stands for; opaque to clients.</summary>
/// <param name="Kind">"sync" or "page".</param>
/// <param name="Scope">What was listed (a calendar id, or an account for calendar lists) and how.</param>
/// <param name="Epoch">Tokens of an earlier epoch are no longer valid.</param>
/// <param name="Seconds">When it was made, in Unix seconds.</param>
/// <param name="After">The change number the listing starts after; -1 for a full listing.</param>
/// <param name="UpTo">The change number as of the first page: the next sync token continues there.</param>
/// <param name="Position">Page tokens: where the next page begins.</param>
internal sealed record ListToken(
    string Kind, string Scope, int Epoch, long Seconds, long After, long UpTo, long Position)
{
    public string Encode() => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture, $"{Kind}\n{Scope}\n{Epoch}\n{Seconds}\n{After}\n{UpTo}\n{Position}")));

    /// <summary>Null when this is not one of our tokens.</summary>
    public static ListToken? Decode(string text)
    {
        if (!Base64Url.IsValid(text))
            return null;
        var parts = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text)).Split('\n');
        if (parts.Length != 7
            || !parts[2..].All(part => long.TryParse(part, CultureInfo.InvariantCulture, out _)))
        {
            return null;
        }

        var numbers = parts[2..].Select(part => long.Parse(part, CultureInfo.InvariantCulture)).ToArray();
        return new ListToken(
            parts[0], parts[1], (int)numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]);
    }
}
