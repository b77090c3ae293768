using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace CalSync.Lab.Bench;

/// <summary>
/// The calendar library on one thread, beside libical, ical.js, rrule-rust and python-icalendar.
/// </summary>
/// <remarks>
/// Every round measures ours and the rivals one after another, so that a busy machine hurts all alike; the
/// median of the rounds counts. Ours is compared with each peer by the clock that peer uses: processor time
/// with libical, wall time with the others.
/// </remarks>
internal static class CalendarBench
{
    private const int ResourceCount = 10_000;
    private const int WarmUpPassCount = 4;
    private const int PassCount = 3;
    private static readonly TimeSpan RuleFor = TimeSpan.FromMilliseconds(150);

    private static readonly (string Ratio, double Aim)[] Aims =
        [("parseVsLibical", 5), ("parseWriteVsLibical", 8), ("expandVsRruleRust", 1.2)];

    /// <summary>Runs and prints the figures.</summary>
    /// <param name="json">Whether the last line is JSON.</param>
    /// <param name="roundCount">How often everything is measured; 1 or more.</param>
    /// <returns>1 when a measured aim is missed or a result differs from the majority's.</returns>
    public static int Run(bool json, int roundCount)
    {
        var peers = CalendarPeers.Prepare();
        if (peers is null)
            Tell("The peers' programs are not here: ours alone is measured, on a corpus of its own.");
        var corpus = peers?.Corpus() ?? CalendarCorpus.Generate(ResourceCount);
        var samples = new Samples();
        var votes = new Dictionary<string, List<(string Engine, RuleSum Sum)>>(StringComparer.Ordinal);
        for (var pass = 0; pass < WarmUpPassCount; pass++)
            MeasureOurs(corpus, new Samples());
        for (var round = 1; round <= roundCount; round++)
        {
            Tell($"Round {round} of {roundCount}");
            MeasureOurs(corpus, samples);
            foreach (var figure in peers?.MeasureRivals() ?? [])
                Take(figure, samples, votes);
        }

        foreach (var figure in peers?.MeasureOthers() ?? [])
            Take(figure, samples, votes);
        var faults = Faults(corpus, votes).ToList();
        var figures = samples.Medians();
        AddRatios(figures);
        figures["resources"] = corpus.Resources.Count;
        figures["octets"] = corpus.OctetCount;
        foreach (var (name, value) in figures)
            Tell(string.Create(CultureInfo.InvariantCulture, $"  {name,-44} {value:0.##}"));
        var missed = Aims.Where(aim => figures.TryGetValue(aim.Ratio, out var got) && got < aim.Aim)
            .Select(aim => $"{aim.Ratio} is below {aim.Aim}");
        faults.AddRange(missed);
        foreach (var fault in faults)
            Tell($"MISSED: {fault}");
        if (json)
            Console.WriteLine(JsonSerializer.Serialize(figures));
        return faults.Count == 0 ? 0 : 1;
    }

    private static void MeasureOurs(CalendarCorpus corpus, Samples samples)
    {
        var events = CalendarWork.Parse(corpus.Resources);
        var before = GC.GetAllocatedBytesForCurrentThread();
        if (CalendarWork.ParseTyped(corpus.Resources) != events)
            throw new InvalidOperationException("Not every event was read.");
        samples.Add("allocatedBytesPerEvent",
            (double)(GC.GetAllocatedBytesForCurrentThread() - before) / events);
        if (CalendarWork.ParseWrite(corpus.Resources) != corpus.Resources.Count)
            throw new InvalidOperationException("A resource was written with other octets than it had.");
        samples.Add("events", events);
        foreach (var (name, work) in new (string, Func<IReadOnlyList<byte[]>, long>)[]
        {
            ("parseStructure", CalendarWork.Parse), ("parseTyped", CalendarWork.ParseTyped),
            ("parseWrite", CalendarWork.ParseWrite), ("parseEditWrite", CalendarWork.ParseEditWrite),
        })
        {
            for (var pass = 0; pass < PassCount; pass++)
            {
                var (cpu, wall) = Timed(() => work(corpus.Resources));
                samples.Add($"{name}MBPerCpuSecond", corpus.OctetCount / 1e6 / cpu);
                samples.Add($"{name}MBPerSecond", corpus.OctetCount / 1e6 / wall);
            }
        }

        samples.Add("expandInstancesPerSecond", RulesPerSecond(corpus, CalendarWork.Expand));
        samples.Add("expandResourceInstancesPerSecond",
            RulesPerSecond(corpus, CalendarWork.ExpandResource));
    }

    /// <summary>Instances a second of wall time, each rule repeated as the peers repeat it.</summary>
    private static double RulesPerSecond(CalendarCorpus corpus, Func<CalendarRule, RuleSum> expand)
    {
        var (instances, seconds) = (0L, 0.0);
        foreach (var rule in corpus.Rules)
        {
            var (started, repeats, result) = (Stopwatch.GetTimestamp(), 0, default(RuleSum));
            do
            {
                result = expand(rule);
                repeats++;
            }
            while (repeats < 3 || Stopwatch.GetElapsedTime(started) < RuleFor);
            seconds += Stopwatch.GetElapsedTime(started).TotalSeconds / repeats;
            instances += result.Count;
        }

        return instances / seconds;
    }

    private static (double Cpu, double Wall) Timed(Func<long> work)
    {
        var cpu = Environment.CpuUsage.TotalTime;
        var started = Stopwatch.GetTimestamp();
        _ = work();
        return ((Environment.CpuUsage.TotalTime - cpu).TotalSeconds,
            Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    private static void Take(
        PeerFigure figure, Samples samples, Dictionary<string, List<(string Engine, RuleSum Sum)>> votes)
    {
        var engine = figure.Engine.Split(' ')[0];
        if (figure.Number("median_mb_s") is { } rate)
        {
            samples.Add($"{engine}.{figure.Bench}MBPerSecond", rate);
        }
        else if (figure.Bench.EndsWith("-total", StringComparison.Ordinal))
        {
            samples.Add($"{engine}.{figure.Bench}InstancesPerSecond", figure.Number("inst_s") ?? 0);
        }
        else if (figure.Bench == "rrule" && figure.Number("n") is { } count)
        {
            var id = figure.All.GetProperty("id").GetString()!;
            if (!votes.TryGetValue(id, out var cast))
                votes[id] = cast = [];
            if (!cast.Exists(vote => vote.Engine == engine))
                cast.Add((engine, new RuleSum((long)count, (long)(figure.Number("sum") ?? 0))));
        }
    }

    /// <summary>
    /// Where ours gives other instances than most peers do; a tie, or one peer alone, decides nothing.
    /// </summary>
    private static IEnumerable<string> Faults(
        CalendarCorpus corpus, Dictionary<string, List<(string Engine, RuleSum Sum)>> votes)
    {
        foreach (var rule in corpus.Rules)
        {
            var ours = CalendarWork.Expand(rule);
            if (CalendarWork.ExpandResource(rule) is var whole && whole != ours)
                yield return $"{rule.Id}: {ours} as a rule, {whole} as a resource";
            if (!votes.TryGetValue(rule.Id, out var cast))
                continue;
            if (Majority(cast.Select(vote => vote.Sum.Count)) is { } count && count != ours.Count)
                yield return $"{rule.Id}: {ours.Count} instances, most peers have {count}";

            // rrule-rust gives wall times, which have no sum to compare.
            var sums = cast.Where(vote => vote.Engine != "rrule-rust" && vote.Sum.Count == ours.Count)
                .Select(vote => vote.Sum.Sum);
            if (Majority(sums) is { } sum && sum != ours.Sum)
                yield return $"{rule.Id}: instants differ from most peers' by {ours.Sum - sum} s in all";
        }
    }

    /// <summary>
    /// What two or more say and more of them than anything else; null when there is no such value.
    /// </summary>
    private static long? Majority(IEnumerable<long> values)
    {
        var groups = values.GroupBy(value => value).OrderByDescending(group => group.Count()).ToList();
        return groups is [var first, ..] && first.Count() > 1
            && (groups.Count == 1 || groups[1].Count() < first.Count())
                ? first.Key
                : null;
    }

    private static void AddRatios(Dictionary<string, double> figures)
    {
        Add("parseVsLibical", "parseTypedMBPerCpuSecond", "libical.parseMBPerSecond");
        Add("parseStructureVsLibical", "parseStructureMBPerCpuSecond", "libical.parseMBPerSecond");
        Add("parseWriteVsLibical", "parseWriteMBPerCpuSecond", "libical.roundtripMBPerSecond");
        Add("parseEditWriteVsLibical", "parseEditWriteMBPerCpuSecond", "libical.roundtripMBPerSecond");
        Add("parseVsIcalJs", "parseTypedMBPerSecond", "ical.js.parseMBPerSecond");
        Add("expandVsRruleRust", "expandInstancesPerSecond", "rrule-rust.rrule-totalInstancesPerSecond");

        void Add(string ratio, string ours, string theirs)
        {
            if (figures.TryGetValue(theirs, out var peer) && peer > 0)
                figures[ratio] = Math.Round(figures[ours] / peer, 2);
        }
    }

    // Progress and figures for people; stdout is kept for the JSON line.
    private static void Tell(string line) => Console.Error.WriteLine(line);

    /// <summary>What was measured, by name.</summary>
    private sealed class Samples
    {
        private readonly Dictionary<string, List<double>> _all = new(StringComparer.Ordinal);

        public void Add(string name, double value)
        {
            if (!_all.TryGetValue(name, out var values))
                _all[name] = values = [];
            values.Add(value);
        }

        public Dictionary<string, double> Medians() => _all.ToDictionary(
            each => each.Key, each => Math.Round(each.Value.Order().ElementAt(each.Value.Count / 2), 2),
            StringComparer.Ordinal);
    }
}
