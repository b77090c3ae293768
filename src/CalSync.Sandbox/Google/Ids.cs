using System.Text;

namespace CalSync.Sandbox.Google;

/// <summary>
/// Ids and secrets from the sandbox's seed, so that a run can be repeated. Callers hold the model's lock.
/// </summary>
internal sealed class Ids(Random random)
{
    private const string Base32HexAlphabet = "0123456789abcdefghijklmnopqrstuv";

    /// <summary>26 characters of base32hex, as Google gives an event inserted without an id.</summary>
    public string NextBase32Hex(int length = 26) => string.Create(length, random, static (span, random) =>
    {
        for (var index = 0; index < span.Length; index++)
            span[index] = Base32HexAlphabet[random.Next(32)];
    });

    public string NextSecret(string prefix) => prefix + NextBase32Hex(40);

    public double NextShare() => random.NextDouble();

    /// <summary>
    /// base32hex without padding, lower-case: how an imported event's id is derived from its iCalUID.
    /// </summary>
    public static string ToBase32Hex(string text)
    {
        var result = new StringBuilder();
        var buffer = 0;
        var bits = 0;
        foreach (var octet in Encoding.UTF8.GetBytes(text))
        {
            buffer = ((buffer << 8) | octet) & 0xFFFF;
            bits += 8;
            while (bits >= 5)
            {
                bits -= 5;
                result.Append(Base32HexAlphabet[(buffer >> bits) & 31]);
            }
        }

        if (bits > 0)
            result.Append(Base32HexAlphabet[(buffer << (5 - bits)) & 31]);
        return result.ToString();
    }

    /// <summary>
    /// Whether Google would take this as a client's own event id: base32hex lower-case, 5 to 1024 long.
    /// </summary>
    public static bool IsLegalEventId(string id) =>
        id.Length is >= 5 and <= 1024
        && id.All(letter => letter is (>= 'a' and <= 'v') or (>= '0' and <= '9'));
}
