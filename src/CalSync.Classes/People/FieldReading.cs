using System.Collections.Immutable;

namespace CalSync.Classes.People;

/// <summary>What became of reading one field that a person typed.</summary>
public abstract record FieldReading<T>
{
    private FieldReading()
    {
    }

    /// <summary>Understood.</summary>
    /// <param name="Value">In the one form it is stored in.</param>
    public sealed record Read(T Value) : FieldReading<T>
    {
        /// <summary>What the person should look at once more; none when it was plain.</summary>
        public ImmutableArray<FieldWarning> Warnings { get; init; } = [];
    }

    /// <summary>Not possible.</summary>
    /// <param name="Code">One word for programs.</param>
    /// <param name="Message">What is wrong, for a person.</param>
    /// <param name="Example">A value that would be accepted.</param>
    public sealed record Refused(string Code, string Message, string Example) : FieldReading<T>;
}

/// <summary>Something the person should look at once more; the value was taken.</summary>
/// <param name="Field">The member it is about.</param>
/// <param name="Code"><c>ambiguous_date</c>, <c>probable_typo</c>, <c>https_assumed</c> and so on.</param>
/// <param name="Message">For a person.</param>
/// <param name="Suggestion">What was probably meant; null when nothing is suggested.</param>
public sealed record FieldWarning(string Field, string Code, string Message, string? Suggestion = null);
