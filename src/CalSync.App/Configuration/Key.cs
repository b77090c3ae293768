using System.Collections.Immutable;
using System.Reflection;

namespace CalSync.App.Configuration;

/// <summary>What the text of a value has to be.</summary>
internal enum KeyType
{
    /// <summary>Any text that is not blank.</summary>
    Text = 1,

    /// <summary>A number between the key's bounds.</summary>
    Count = 2,

    /// <summary>A number in the key's unit, or with a unit of its own: <c>500ms</c>, <c>10s</c>, <c>5min</c>,
    /// <c>24h</c>.</summary>
    Duration = 3,

    /// <summary><c>true</c> or <c>false</c>.</summary>
    Flag = 4,

    /// <summary>One of the key's choices.</summary>
    Choice = 5,

    /// <summary>An absolute http or https address.</summary>
    Address = 6,

    /// <summary>A <c>postgres://</c> address.</summary>
    Database = 7,

    /// <summary>Keys of 32 bytes in base64, separated by commas.</summary>
    SecretKey = 8,
}

/// <summary>One configuration key: everything there is to know about it stands here once.</summary>
/// <param name="Name">Dotted path, which is also the path in the file: <c>provider.timeout</c>.</param>
/// <param name="Type">What the value has to be.</param>
/// <param name="Default">Text of the default; null when the key is unset unless somebody sets it.</param>
/// <param name="Example">A valid value to show beside an error.</param>
/// <param name="Meaning">One sentence for operators.</param>
internal sealed record Key(string Name, KeyType Type, string? Default, string Example, string Meaning)
{
    /// <summary>Unit of a number without one: <c>ms</c>, <c>s</c>, <c>min</c>, <c>h</c>, or a counted
    /// noun.</summary>
    public string? Unit { get; init; }

    /// <summary>Smallest value in <see cref="Unit"/>; null for none.</summary>
    public decimal? Min { get; init; }

    /// <summary>Largest value in <see cref="Unit"/>; null for none.</summary>
    public decimal? Max { get; init; }

    /// <summary>The values a <see cref="KeyType.Choice"/> accepts.</summary>
    public ImmutableArray<string> Choices { get; init; } = [];

    /// <summary>True when the value is never shown, only its length and the start of its hash.</summary>
    public bool Secret { get; init; }

    /// <summary>Other names, as variables of the environment or at the top of the file.</summary>
    public ImmutableArray<string> Aliases { get; init; } = [];

    /// <summary>A command that changes it for a time; null for none.</summary>
    public string? Live { get; init; }

    /// <summary>True when a change of the file is in force within seconds, without a restart.</summary>
    public bool IsLive { get; init; }

    /// <summary>What to do instead, said when a value is out of range.</summary>
    public string? Instead { get; init; }

    /// <summary>The option this value is for; null when the composition reads it by itself.</summary>
    public PropertyInfo? Target { get; init; }

    /// <summary>The same key, setting an option.</summary>
    public Key For<TOptions>(string property) =>
        this with { Target = typeof(TOptions).GetProperty(property) };

    /// <summary>The same key under more names.</summary>
    public Key Or(params string[] aliases) => this with { Aliases = [.. Aliases, .. aliases] };

    /// <summary>The same key, never shown.</summary>
    public Key KeptSecret() => this with { Secret = true };

    /// <summary>The same key, changed by the file, or for a time by a command, while the product
    /// runs.</summary>
    public Key ChangedLiveWith(string command) => this with { Live = command, IsLive = true };

    /// <summary>The same key, changed by the file while the product runs.</summary>
    public Key ChangedLive() => this with { IsLive = true };

    /// <summary>The same key, with words about what to do instead of leaving its range.</summary>
    public Key Otherwise(string advice) => this with { Instead = advice };

    /// <summary>The environment variable: <c>CALSYNC__PROVIDER__TIMEOUT</c>.</summary>
    public string Variable => Prefix + Name.Replace(".", "__", StringComparison.Ordinal).ToUpperInvariant();

    /// <summary>How every variable of the product starts.</summary>
    public const string Prefix = "CALSYNC__";

    /// <summary>The values that are allowed, in words.</summary>
    public string Range => Type switch
    {
        KeyType.Text => "text",
        KeyType.Count or KeyType.Duration => (Min, Max) switch
        {
            (null, null) => $"a number of {Unit}",
            (_, null) => $"at least {Min} {Unit}",
            (null, _) => $"at most {Max} {Unit}",
            _ => $"{Min} to {Max} {Unit}",
        },
        KeyType.Flag => "true or false",
        KeyType.Choice => string.Join(", ", Choices),
        KeyType.Address => "an http or https address",
        KeyType.Database => "a postgres:// address",
        KeyType.SecretKey => "keys of 32 bytes in base64",
    };
}
