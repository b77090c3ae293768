using System.Globalization;
using System.Text;
using CalSync.Lab.Running;
using CalSync.Tests.Api;
using CalSync.Tests.Repository;
using Xunit;

namespace CalSync.Tests.Drills;

/// <summary>
/// What a Prometheus would have of a running product: its metrics, taken every 15 s by a clock, and the
/// shipped alerts over them.
/// </summary>
internal sealed class Scrapes(RunningProduct product, TimeProvider clock)
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);
    private static readonly string Rules =
        Path.Combine(SourceTree.Root, "deploy/prometheus/calsync.rules.yml");

    private readonly Dictionary<string, Dictionary<int, string>> _series = new(StringComparer.Ordinal);
    private DateTimeOffset? _start;
    private int _count;

    /// <summary>How long after the first the last one was taken.</summary>
    public TimeSpan At => Interval * (_count - 1);

    /// <summary>Takes as many as fit into a time, one every <see cref="Interval"/>.</summary>
    public async Task TakeForAsync(TimeSpan time)
    {
        for (var end = _count + (int)(time / Interval); _count < end;)
        {
            _start ??= clock.GetUtcNow();
            if (_start.Value + (Interval * _count) - clock.GetUtcNow() is var wait && wait > TimeSpan.Zero)
                await Task.Delay(wait, clock);
            await TakeAsync();
        }
    }

    /// <summary>Takes the next one now.</summary>
    public async Task TakeAsync()
    {
        Keep((await product.Operator.GetAsync("/metrics")).Expect(200).Text);
        _count++;
    }

    /// <summary>Goes on as if every number stayed as it is.</summary>
    public void Repeat(TimeSpan time)
    {
        for (var end = _count + (int)(time / Interval); _count < end; _count++)
        {
            foreach (var samples in _series.Values)
            {
                if (samples.TryGetValue(_count - 1, out var last))
                    samples[_count] = last;
            }
        }
    }

    /// <summary>Requires what promtool says of the shipped rules over these samples.</summary>
    /// <param name="tests">Under <c>alert_rule_test</c> or <c>promql_expr_test</c>, in YAML.</param>
    public async Task AssertAsync(string tests)
    {
        var text = new StringBuilder(
            $"rule_files: [{Rules}]\nevaluation_interval: 15s\n"
            + "tests:\n  - interval: 15s\n    input_series:\n");
        foreach (var (name, samples) in _series)
        {
            var values = Enumerable.Range(0, _count).Select(at => samples.GetValueOrDefault(at, "_"));
            text.Append(CultureInfo.InvariantCulture, $"      - series: '{name}'\n")
                .Append(CultureInfo.InvariantCulture, $"        values: '{string.Join(' ', values)}'\n");
        }

        var file = Path.Combine(product.DataDirectory, "scrapes.test.yml");
        var checks = string.Join('\n', tests.Split('\n').Select(line => "    " + line));
        await File.WriteAllTextAsync(file, $"{text}{checks}\n");
        await MetricsApiTests.PromtoolAsync(["test", "rules", file], "");
    }

    /// <summary>Test tenants never alert; so these numbers go as those of live ones.</summary>
    private void Keep(string text)
    {
        foreach (var line in text.Split('\n').Where(line => line.Length > 0 && line[0] != '#'))
        {
            var at = line.LastIndexOf(' ');
            var name = line[..at];
            Assert.DoesNotContain('\'', name);
            if (name.Contains("_bucket{", StringComparison.Ordinal)
                || name.Contains("tenant_kind=\"live\"", StringComparison.Ordinal))
            {
                continue;
            }

            name = name.Replace("tenant_kind=\"test\"", "tenant_kind=\"live\"", StringComparison.Ordinal);
            if (!_series.TryGetValue(name, out var samples))
                _series[name] = samples = [];
            samples[_count] = line[(at + 1)..];
        }
    }
}
