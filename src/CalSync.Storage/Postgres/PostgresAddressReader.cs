using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using static CalSync.Storage.DatabaseAddressReading;
using static CalSync.Storage.Postgres.PostgresAddressParts;

namespace CalSync.Storage.Postgres;

/// <summary>Takes the text of an address apart. Total: every text is understood or refused.</summary>
internal static partial class PostgresAddressReader
{
    private const int PortDefault = 5432;
    private const string Example = "postgres://user:password@host:5432/name?sslmode=verify-full";

    // Names of drivers for which SQLAlchemy and others write the same address.
    private static readonly ImmutableArray<string> Dialects =
        ["asyncpg", "psycopg", "psycopg2", "psycopg2cffi", "psycopg_async", "pg8000", "pygresql", "aiopg"];

    private static readonly ImmutableArray<string> Secrets = ["password", "sslpassword"];

    /// <inheritdoc cref="DatabaseAddress.Read"/>
    public static DatabaseAddressReading Read(string text)
    {
        try
        {
            return new Understood(ReadOrRefuse(text));
        }
        catch (RefusedAddressException refused)
        {
            return refused.Reading;
        }
    }

    /// <inheritdoc cref="DatabaseAddress.Redact"/>
    public static string Redact(string text)
    {
        var shown = SecretParameter().Replace(text, "$1***");
        var (at, scheme) = (shown.LastIndexOf('@'), shown.IndexOf("://", StringComparison.Ordinal));
        if (at < 0 || scheme < 0 || at < scheme)
            return shown;
        var colon = shown.IndexOf(':', scheme + 3);
        return colon < 0 || colon > at ? shown : $"{shown[..colon]}:***{shown[at..]}";
    }

    private static DatabaseAddress ReadOrRefuse(string text)
    {
        var (authority, database, query) = Split(text);
        var parts = new PostgresAddressParts();
        var at = authority.LastIndexOf('@');
        if (at >= 0)
            TakeUser(parts, authority[..at]);
        parts.TakeHosts(authority[(at + 1)..]);
        if (database.Length > 0)
            Once(ref parts.Database, "dbname", Decode(database, "the database's name"));
        foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
            TakeParameter(parts, pair);
        return parts.Build();
    }

    private static (string Authority, string Database, string Query) Split(string text)
    {
        var scheme = text.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0 || text[..scheme].Split('+', 2) is not [("postgres" or "postgresql"), ..] words)
        {
            throw Refuse(
                AddressProblem.NotAnAddress, null, "It does not begin with postgres:// or postgresql://.",
                Example);
        }

        if (words is [_, var dialect] && !Dialects.Contains(dialect))
        {
            throw Refuse(
                AddressProblem.UnknownDialect, null, "It is written for a driver that is not known here.",
                $"postgresql:// alone, or with one of {string.Join(", ", Dialects)}");
        }

        if (text.Any(char.IsControl) || text.Contains(' ', StringComparison.Ordinal))
            throw Unencoded("a space or a control character", "%20");
        if (text.Contains('#', StringComparison.Ordinal))
            throw Unencoded("#", "%23");
        var rest = text[(scheme + 3)..];
        var question = rest.IndexOf('?', StringComparison.Ordinal);
        var query = question < 0 ? "" : rest[(question + 1)..];
        var before = question < 0 ? rest : rest[..question];
        var slash = before.IndexOf('/', StringComparison.Ordinal);
        var authority = slash < 0 ? before : before[..slash];
        var database = slash < 0 ? "" : before[(slash + 1)..];
        if (database.Contains('@', StringComparison.Ordinal)
            || query.Split('&')[0].Contains('@', StringComparison.Ordinal))
        {
            throw Unencoded("/ or ? before the @", "%2F and %3F");
        }

        if (authority.Count(octet => octet == '@') > 1)
            throw Unencoded("@ within user or password", "%40");
        return (authority, database, query);
    }

    private static void TakeUser(PostgresAddressParts parts, string text)
    {
        var user = text.Split(':', 2);
        if (user[0].Length > 0)
            parts.User = Decode(user[0], "the user");
        if (user is [_, { Length: > 0 } password])
            parts.Password = Decode(password, "the password");
    }

    private static void TakeParameter(PostgresAddressParts parts, string pair)
    {
        if (pair.Split('=', 2) is not [var encoded, var value])
        {
            throw Refuse(
                AddressProblem.NotAnAddress, null, "A parameter has no equals sign.",
                "name=value, and & within a value as %26");
        }

        var name = Decode(encoded, "the name of a parameter");
        if (PostgresParameters.CannotBeKept.TryGetValue(name, out var instead))
        {
            throw Refuse(
                AddressProblem.CannotBeKept, name, $"{name} is understood and cannot be done here.", instead);
        }

        if (!PostgresParameters.Known.TryGetValue(name, out var parameter))
        {
            // A name that looks like none may be the rest of a password.
            var shown = ParameterName().IsMatch(name) ? name : "of this name";
            throw Refuse(
                AddressProblem.UnknownParameter, ParameterName().IsMatch(name) ? name : null,
                $"The parameter {shown} is not known.",
                $"one of {string.Join(", ", PostgresParameters.Known.Keys.Order(StringComparer.Ordinal))}");
        }

        var decoded = Decode(value, name);
        if (parts.Seen.TryGetValue(name, out var before) && before != decoded)
        {
            throw Refuse(
                AddressProblem.Contradiction, name, $"{name} is given twice with different values.",
                "say it once");
        }

        parts.Seen[name] = decoded;
        if (!parameter.Take(parts, decoded))
        {
            var said = Secrets.Contains(name) ? name : $"{name}={Short(decoded)}";
            throw Refuse(
                AddressProblem.InvalidValue, name, $"{said} is not {parameter.Allowed}.",
                $"{name} with {parameter.Allowed}");
        }
    }

    /// <summary>Hosts and ports as one list each, as in <c>host=a,b&amp;port=1,2</c>.</summary>
    public static ImmutableArray<PostgresHost> Hosts(string[] names, string[] ports)
    {
        if (ports.Length > 1 && ports.Length != names.Length)
        {
            throw Refuse(
                AddressProblem.Contradiction, "port", "There are not as many ports as hosts.",
                "one port for all, or one for each");
        }

        return [.. names.Select((name, index) =>
            new PostgresHost(Name(name), Port(ports.Length == 0 ? "" : ports[index % ports.Length])))];
    }

    /// <summary>One host as it stands before the path, with its port if it has one.</summary>
    public static PostgresHost Host(string text)
    {
        var bracket = text.StartsWith('[') ? text.IndexOf(']', StringComparison.Ordinal) : -1;
        var colon = text.IndexOf(':', Math.Max(bracket, 0));
        if (colon >= 0 && bracket < 0 && text.LastIndexOf(':') != colon)
        {
            throw Refuse(
                AddressProblem.NotAnAddress, null, "A host has several colons.",
                "an IPv6 address in brackets, [::1]:5432");
        }

        var name = Decode(colon < 0 ? text : text[..colon], "a host");
        return new PostgresHost(
            Name(bracket >= 0 ? name.TrimStart('[').TrimEnd(']') : name),
            Port(colon < 0 ? "" : text[(colon + 1)..]));
    }

    /// <summary>Makes a refusal.</summary>
    public static RefusedAddressException Refuse(
        AddressProblem problem, string? parameter, string what, string advice) =>
        new(new Refused(problem, parameter, what, advice));

    private static string Name(string name)
    {
        if (name.Length == 0)
        {
            throw Refuse(
                AddressProblem.NoHost, null, "It names no host.",
                "a name, an address, or ?host=/var/run/postgresql for a socket");
        }

        // The driver separates hosts by commas and ports by colons.
        var isClear = name.Contains(':', StringComparison.Ordinal)
            ? System.Net.IPAddress.TryParse(name, out _)
            : !name.Contains(',', StringComparison.Ordinal) && name.LastIndexOf('/') is var slash
                && (slash < 0 || name[0] == '/');
        return isClear
            ? name
            : throw Refuse(
                AddressProblem.NotAnAddress, null, "A host is neither a name, nor an address, nor a folder.",
                Example);
    }

    private static int Port(string text)
    {
        if (text.Length == 0)
            return PortDefault;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            && port is > 0 and < 65_536
            ? port
            : throw Refuse(
                AddressProblem.InvalidValue, "port", "A port is not a number from 1 to 65535.",
                "a colon within a password as %3A");
    }

    private static string Decode(string text, string what)
    {
        for (var percent = text.IndexOf('%', 0); percent >= 0; percent = text.IndexOf('%', percent + 1))
        {
            if (percent + 2 >= text.Length
                || !char.IsAsciiHexDigit(text[percent + 1]) || !char.IsAsciiHexDigit(text[percent + 2]))
            {
                throw BadEncoding(what);
            }
        }

        var octets = new List<byte>(text.Length);
        foreach (var part in Encoded().Matches(text).Select(match => match.Value))
        {
            if (part[0] == '%')
                octets.Add(byte.Parse(part.AsSpan(1), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
            else
                octets.AddRange(Encoding.UTF8.GetBytes(part));
        }

        try
        {
            var decoded = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString([.. octets]);
            return decoded.Contains('\0', StringComparison.Ordinal) ? throw BadEncoding(what) : decoded;
        }
        catch (ArgumentException)
        {
            throw BadEncoding(what);
        }
    }

    private static RefusedAddressException BadEncoding(string what) => Refuse(
        AddressProblem.BadEncoding, null, $"The encoding of {what} is broken.",
        "% and two hexadecimal digits of UTF-8; a percent sign itself as %25");

    private static RefusedAddressException Unencoded(string what, string encoded) => Refuse(
        AddressProblem.BadEncoding, null, $"It has {what}, so its parts cannot be told apart.",
        $"write {encoded}");

    private static string Short(string value) => value.Length <= 40 ? value : value[..40] + "…";

    [GeneratedRegex("%..|[^%]+")]
    private static partial Regex Encoded();

    [GeneratedRegex("^[A-Za-z][A-Za-z_]{2,39}$")]
    private static partial Regex ParameterName();

    [GeneratedRegex("((?:^|[?&])(?:ssl)?password=)[^&]*", RegexOptions.IgnoreCase)]
    private static partial Regex SecretParameter();
}

/// <summary>Carries a refusal out of the depth of reading; never leaves the reader.</summary>
/// <param name="reading">The refusal.</param>
internal sealed class RefusedAddressException(Refused reading) : Exception(reading.What)
{
    /// <summary>The refusal.</summary>
    public Refused Reading { get; } = reading;
}
