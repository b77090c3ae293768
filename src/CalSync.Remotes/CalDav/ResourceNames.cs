using System.Security.Cryptography;
using System.Text;

namespace CalSync.Remotes.CalDav;

/// <summary>Names of new resources: the same UID always gets the same one.</summary>
internal static class ResourceNames
{
    private const int PlainLengthMax = 120;

    /// <summary>
    /// The UID with <c>.ics</c> when every server takes it as it is, else a hash of it: servers disagree
    /// about anything but letters, digits, <c>-</c>, <c>_</c> and <c>.</c> in a name.
    /// </summary>
    public static string Of(string uid) =>
        uid.Length is > 0 and <= PlainLengthMax && uid.All(IsPlain) && uid[0] is not ('.' or '-')
            ? uid + ".ics"
            : $"calsync-{Hash(uid)[..40]}.ics";

    private static string Hash(string uid) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(uid)));

    private static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.';
}
