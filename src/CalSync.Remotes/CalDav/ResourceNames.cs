using System.Security.Cryptography;
using System.Text;

namespace CalSync.Remotes.CalDav;

/// <summary>Names of new resources: the same UID always gets the same one.</summary>
internal static class ResourceNames
{
    private const int PlainLengthMax = 120;
    private const int BeginningLengthMax = 80;
    private const int HashLength = 24;

    /// <summary>
    /// The UID with <c>.ics</c> when every server takes it as it is, else what of it they take and a hash of
    /// it: servers disagree about anything but letters, digits, <c>-</c>, <c>_</c> and <c>.</c> in a name.
    /// </summary>
    /// <remarks>The names of UIDs in order are in order: so they lie together in an index.</remarks>
    public static string Of(string uid)
    {
        if (uid.Length is > 0 and <= PlainLengthMax && uid.All(IsPlain) && uid[0] is not ('.' or '-'))
            return uid + ".ics";
        var beginning = string.Concat(uid.Take(BeginningLengthMax).Select(c => IsPlain(c) ? c : '-'))
            .TrimStart('.', '-');
        return $"{(beginning.Length == 0 ? "calsync" : beginning)}-{Hash(uid)[..HashLength]}.ics";
    }

    private static string Hash(string uid) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(uid)));

    private static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.';
}
