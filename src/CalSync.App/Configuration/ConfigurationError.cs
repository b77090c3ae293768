using System.Collections.Immutable;

namespace CalSync.App.Configuration;

/// <summary>One thing wrong with the configuration.</summary>
/// <param name="Key">The key, or the unknown name.</param>
/// <param name="Value">The value as it may be shown; null when the complaint is not about one.</param>
/// <param name="Origin">Where it was found.</param>
/// <param name="Problem">What is wrong, without subject: <c>is too large</c>.</param>
/// <param name="Allowed">What is allowed, or what to do.</param>
/// <param name="Example">A valid value; null when <paramref name="Allowed"/> says enough.</param>
internal sealed record ConfigurationError(
    string Key, string? Value, string Origin, string Problem, string Allowed, string? Example)
{
    /// <summary>One line for a person.</summary>
    public override string ToString() =>
        $"{Key}{(Value is null ? "" : $" = {Value}")} ({Origin}) {Problem}; "
        + (Example is null ? Allowed : $"allowed: {Allowed}; example: {Example}");
}

/// <summary>What reading the configuration gave.</summary>
internal abstract record ConfigurationOutcome
{
    private ConfigurationOutcome()
    {
    }

    /// <summary>Every value is valid and the rules between them hold.</summary>
    public sealed record Valid(Settings Settings) : ConfigurationOutcome;

    /// <summary>Everything that is wrong, at once.</summary>
    public sealed record Invalid(ImmutableArray<ConfigurationError> Errors) : ConfigurationOutcome;
}
