using System.Globalization;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>Reads Prometheus' text as far as the tests need it.</summary>
internal static class MetricsText
{
    /// <summary>The number of one series.</summary>
    public static double Number(string text, string series)
    {
        var line = text.Split('\n').FirstOrDefault(
            line => line.StartsWith(series + " ", StringComparison.Ordinal));
        Assert.True(line is not null, $"There is no {series} in:\n{text}");
        return double.Parse(line[(series.Length + 1)..], CultureInfo.InvariantCulture);
    }
}
