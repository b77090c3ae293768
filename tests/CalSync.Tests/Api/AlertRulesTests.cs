using System.Text.RegularExpressions;
using CalSync.App.Metrics;
using CalSync.Tests.Repository;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>R-CAL-15-P: the alerts are shipped, each fires in its test and not before, asks only for numbers
/// that exist, and names a runbook that exists.</summary>
public sealed partial class AlertRulesTests
{
    private const string Rules = "deploy/prometheus/calsync.rules.yml";
    private const string Tests = "deploy/prometheus/calsync.rules.test.yml";

    /// <summary>R-CAL-15-A: half of the calls fail, and the alert is there within five minutes. R-CAL-15-C:
    /// thirty dead accounts are one alert.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-15-P")]
    [Trait("Requirement", "R-CAL-15-A")]
    [Trait("Requirement", "R-CAL-15-B")]
    [Trait("Requirement", "R-CAL-15-C")]
    public Task Alerts_OnRecordedSamples_FireWhenTheyShouldAndNotBefore() =>
        MetricsApiTests.PromtoolAsync(["test", "rules", Tests], "");

    [Fact]
    [Trait("Requirement", "R-CAL-15-P")]
    public void EveryAlert_HasATestAndARunbook()
    {
        var rules = SourceTree.Text(Rules);
        var alerts = Alert().Matches(rules).Select(match => match.Groups[1].Value).ToList();
        var tested = Tested().Matches(SourceTree.Text(Tests)).Select(match => match.Groups[1].Value);
        Assert.Equal(alerts.Order(StringComparer.Ordinal), tested.Order(StringComparer.Ordinal));
        var books = Runbook().Matches(rules).Select(match => match.Groups[1].Value).ToList();
        Assert.Equal(alerts.Count, books.Count);
        Assert.All(books, book => Assert.True(File.Exists(Path.Combine(SourceTree.Root, book)), book));
    }

    [Fact]
    [Trait("Requirement", "R-CAL-15-P")]
    public void EveryAlert_AsksForNumbersAndLabelsThatExist()
    {
        var expressions = string.Join('\n', SourceTree.Text(Rules).Split('\n')
            .Where(line => !line.TrimStart().StartsWith('#')
                && !line.Contains("summary:", StringComparison.Ordinal)));
        var names = Series().Matches(expressions).Select(match => match.Groups[1].Value).ToHashSet();
        Assert.InRange(names.Count, 15, 100);
        foreach (Match match in Series().Matches(expressions))
        {
            var name = match.Groups[1].Value;
            var metric = Assert.Single(
                MetricCatalogue.All,
                metric => metric.Name == name || metric.Name == Suffix().Replace(name, ""));
            var labels = Label().Matches(match.Groups[2].Value).Select(label => label.Groups[1].Value);
            Assert.Empty(labels.Except(metric.Labels));
        }
    }

    [GeneratedRegex(@"- alert: (\w+)")]
    private static partial Regex Alert();

    [GeneratedRegex(@"- name: (\w+)")]
    private static partial Regex Tested();

    [GeneratedRegex(@"runbook: (\S+)")]
    private static partial Regex Runbook();

    [GeneratedRegex(@"\b((?:calsync|sync|token|events|auth)_[a-z_]+)(\{[^}]*\})?")]
    private static partial Regex Series();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex Suffix();

    [GeneratedRegex(@"(\w+)(?:=|!=|=~)")]
    private static partial Regex Label();
}
