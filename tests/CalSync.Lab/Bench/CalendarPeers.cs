using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;

namespace CalSync.Lab.Bench;

/// <summary>One line of a peer: an engine, what it did, and its figures.</summary>
internal sealed record PeerFigure(string Engine, string Bench, JsonElement All)
{
    public double? Number(string name) =>
        All.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            ? value.GetDouble()
            : null;
}

/// <summary>
/// The other engines, measured by the programs that lie beside the repository. An engine that cannot be
/// made ready is left out with a word.
/// </summary>
internal sealed class CalendarPeers
{
    private static readonly string[] Npm =
        ["install", "--no-audit", "--no-fund", "--no-save", "ical.js@2.2.1", "rrule-rust@3.1.1"];

    private readonly string _sources;
    private readonly string _folder;
    private readonly bool _hasLibical;
    private readonly bool _hasNode;
    private readonly bool _hasPython;

    private CalendarPeers(string sources, string folder)
    {
        (_sources, _folder) = (sources, folder);
        Generate("gencorpus.py", "10000", Path.Combine(folder, "corpus10k"));
        Generate("ical/rules.py", Path.Combine(folder, "rules"));
        _hasLibical = Compile() || (Environment.IsPrivilegedProcess && Install() && Compile());
        _hasNode = Directory.Exists(Path.Combine(folder, "node_modules", "rrule-rust"))
            || Run("npm", Npm, folder) is not null;
        _hasPython = Run("/usr/bin/python3", ["-c", "import icalendar, dateutil"], folder) is not null;
        foreach (var (isHere, name) in new[]
        {
            (_hasLibical, "libical"), (_hasNode, "ical.js and rrule-rust"), (_hasPython, "python-icalendar"),
        })
        {
            if (!isHere)
                Console.Error.WriteLine($"Not here, so not measured: {name}");
        }
    }

    /// <summary>Makes corpus and engines ready; null when their programs are not there.</summary>
    public static CalendarPeers? Prepare()
    {
        for (var at = new DirectoryInfo(Environment.CurrentDirectory); at is not null; at = at.Parent)
        {
            var found = Path.Combine(at.FullName, "shared", "perf");
            if (!File.Exists(Path.Combine(found, "gencorpus.py")))
                continue;
            var folder = Path.Combine(Path.GetTempPath(), "calsync-bench-calendar");
            Directory.CreateDirectory(folder);
            return new CalendarPeers(found, folder);
        }

        return null;
    }

    private string Pack => Path.Combine(_folder, "corpus10k.pack");

    private string Rules => Path.Combine(_folder, "rules.json");

    /// <summary>The same resources and rules as the peers read.</summary>
    public CalendarCorpus Corpus() => CalendarCorpus.Load(Pack, Rules);

    /// <summary>Runs those that ours is compared with.</summary>
    public IEnumerable<PeerFigure> MeasureRivals() =>
    [
        .. _hasLibical ? Figures("./bench_libical", Pack, Path.Combine(_folder, "rules.pack")) : [],
        .. _hasNode ? Figures("node", Script("bench_js.cjs"), Pack, Rules, "rrulerust") : [],
    ];

    /// <summary>Runs the slower ones, whose counts and sums matter.</summary>
    public IEnumerable<PeerFigure> MeasureOthers() =>
    [
        .. _hasNode ? Figures("node", Script("bench_js.cjs"), Pack, Rules, "icaljs") : [],
        .. _hasPython ? Figures("/usr/bin/python3", Script("bench_pyical.py"), Pack, Rules) : [],
    ];

    private string Script(string name) => Path.Combine(_sources, "ical", name);

    private void Generate(string script, params string[] arguments) =>
        _ = Run("python3", [Path.Combine(_sources, script), .. arguments], _folder)
            ?? throw new InvalidOperationException($"{script} failed.");

    private bool Compile() =>
        Run("gcc", ["-O2", "-o", "bench_libical", Script("bench_libical.c"), "-lical"], _folder) is not null;

    private bool Install() =>
        Run("apt-get", ["update"], _folder) is not null
        && Run("apt-get", ["install", "-y", "--no-install-recommends", "gcc", "libical-dev"], _folder)
            is not null;

    private IEnumerable<PeerFigure> Figures(string program, params string[] arguments)
    {
        var path = program.StartsWith("./", StringComparison.Ordinal)
            ? Path.Combine(_folder, program[2..]) : program;
        var output = Run(path, arguments, _folder)
            ?? throw new InvalidOperationException($"{program} failed.");
        foreach (var line in output.Split('\n').Where(line => line.StartsWith('{')))
        {
            using var json = JsonDocument.Parse(line);
            yield return new PeerFigure(
                json.RootElement.GetProperty("engine").GetString()!,
                json.RootElement.GetProperty("bench").GetString()!, json.RootElement.Clone());
        }
    }

    /// <summary>What a program writes; null when it is not there or fails.</summary>
    private static string? Run(string program, string[] arguments, string folder)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
        };
        try
        {
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? output : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
