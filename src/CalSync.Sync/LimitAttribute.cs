namespace CalSync.Sync;

/// <summary>
/// The unit and the allowed range of a configured number, for validation at start and for the manual.
/// </summary>
/// <remarks>
/// On a property of an options class. The default is what a new instance holds. A <see cref="TimeSpan"/> is
/// read and written in <paramref name="unit"/>, which is then <c>ms</c>, <c>s</c>, <c>min</c> or <c>h</c>.
/// </remarks>
/// <param name="unit">
/// What one of the number means, such as <c>ms</c>, <c>calls</c> or <c>percent</c>.
/// </param>
/// <param name="min">The least allowed value, itself allowed.</param>
/// <param name="max">The greatest allowed value, itself allowed.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class LimitAttribute(string unit, double min, double max) : Attribute
{
    /// <summary>What one of the number means.</summary>
    public string Unit { get; } = unit;

    /// <summary>The least allowed value.</summary>
    public double Min { get; } = min;

    /// <summary>The greatest allowed value.</summary>
    public double Max { get; } = max;
}
