using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace CalSync.Remotes.CalDav;

/// <summary>Names of new resources: the same UID always gets the same one.</summary>
internal static class ResourceNames
{
    private const int PlainLengthMax = 120;
    private const int BeginningLengthMax = 80;
    private const int HashSize = 12;

    private static readonly SearchValues<char> Plain = SearchValues.Create(
        "-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz");

    /// <summary>
    /// The UID with <c>.ics</c> when every server takes it as it is, else what of it they take and a hash of
    /// it: servers disagree about anything but letters, digits, <c>-</c>, <c>_</c> and <c>.</c> in a name.
    /// </summary>
    /// <remarks>The names of UIDs in order are in order: so they lie together in an index.</remarks>
    public static string Of(string uid)
    {
        if (uid.Length is > 0 and <= PlainLengthMax && !uid.AsSpan().ContainsAnyExcept(Plain)
            && uid[0] is not ('.' or '-'))
        {
            return uid + ".ics";
        }

        Span<char> letters = stackalloc char[Math.Min(uid.Length, BeginningLengthMax)];
        for (var i = 0; i < letters.Length; i++)
            letters[i] = Plain.Contains(uid[i]) ? uid[i] : '-';
        var beginning = letters.TrimStart(".-");
        return $"{(beginning.IsEmpty ? "calsync" : beginning)}-{Hash(uid)}.ics";
    }

    private static string Hash(string uid)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(uid), hash);
        return Convert.ToHexStringLower(hash[..HashSize]);
    }
}
