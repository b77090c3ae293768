using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace CalSync.Lab.Fuzz;

/// <summary>The verb <c>fuzz calendar</c>: runs <see cref="CalendarFuzz"/> and keeps what it finds.</summary>
internal sealed class FuzzCommand
{
    /// <summary>How it is called.</summary>
    public const string Usage =
        "       fuzz calendar [--minutes N] [--seed S] [--corpus DIR] [--findings DIR] [--input NUMBER]";

    // What takes longer may never end; the process does then.
    private static readonly TimeSpan HangTime = TimeSpan.FromSeconds(60);

    // As much as a request has in the product, so that deep recursion is found here.
    private const int StackBytes = 1 << 20;

    private readonly Dictionary<string, string> _options = [];
    private readonly CalendarFuzz _fuzz;
    private readonly string _findings;
    private readonly int _seed;
    private int _findingCount;
    private int _inputCount;

    private FuzzCommand(string[] arguments)
    {
        for (var index = 0; index + 1 < arguments.Length; index += 2)
            _options.Add(arguments[index], arguments[index + 1]);
        _seed = Number("--seed", unchecked((int)Stopwatch.GetTimestamp()));
        _findings = _options.GetValueOrDefault("--findings", Path.Combine("artifacts", "fuzz"));
        var folder = _options.GetValueOrDefault("--corpus", CollectionFolder());
        var files = Directory.EnumerateFiles(folder, "*.ics", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal).Select(File.ReadAllBytes).ToArray();
        _fuzz = new CalendarFuzz(files, _seed);
        Console.WriteLine($"seed {_seed}, {files.Length} files of {folder}, findings in {_findings}");
    }

    /// <summary>Runs until the minutes are over, five if none are given.</summary>
    /// <returns>0 without a finding, 1 with one, 2 when an input does not end.</returns>
    public static int Run(string[] arguments, CancellationToken cancellation) =>
        new FuzzCommand(arguments).Run(cancellation);

    private int Run(CancellationToken cancellation)
    {
        Directory.CreateDirectory(_findings);
        var loop = new Thread(() => Loop(cancellation), StackBytes) { IsBackground = true };
        loop.Start();
        while (!loop.Join(HangTime / 4))
        {
            var (number, time) = _fuzz.Current;
            if (time > HangTime)
            {
                Keep(new FuzzFinding(number, "unknown", "does not end"));
                return 2;
            }
        }

        Report("ended");
        return _findingCount == 0 ? 0 : 1;
    }

    private void Loop(CancellationToken cancellation)
    {
        var only = Number("--input", -1);
        var time = TimeSpan.FromMinutes(Number("--minutes", 5));

        // The compiler's time is not the library's.
        _ = _fuzz.Try(Math.Max(only, 0));
        var (started, told) = (Stopwatch.GetTimestamp(), Stopwatch.GetTimestamp());

        // A stack that overflows ends the process at once; the number of the input is left here.
        var current = Path.Combine(_findings, "current-input");
        for (var number = Math.Max(only, 0); Stopwatch.GetElapsedTime(started) < time; number++)
        {
            if (cancellation.IsCancellationRequested)
                break;
            File.WriteAllText(current, $"seed {_seed} input {number}\n");
            if (_fuzz.Try(number) is { } finding)
                Keep(finding);
            _inputCount++;
            if (only >= 0)
                break;
            if (Stopwatch.GetElapsedTime(told) > TimeSpan.FromMinutes(1))
            {
                told = Stopwatch.GetTimestamp();
                Report("running");
            }
        }

        File.Delete(current);
    }

    private void Keep(FuzzFinding finding)
    {
        _findingCount++;
        var name = Path.Combine(_findings, $"seed{_seed}-input{finding.Number}");
        File.WriteAllBytes(name + ".ics", _fuzz.Input(finding.Number));
        File.WriteAllText(name + ".txt",
            $"seed {_seed}\ninput {finding.Number}\nstep {finding.Step}\n{finding.What}\n");
        Console.WriteLine(
            $"FOUND input {finding.Number}, {finding.Step}: {finding.What.Split('\n')[0]} ({name}.txt)");
    }

    private void Report(string state) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{state}: seed {_seed}, {_inputCount} inputs, {_findingCount} findings, "
        + $"slowest {_fuzz.Slowest.Time.TotalSeconds:0.000} s (input {_fuzz.Slowest.Number}), "
        + $"most allocated {_fuzz.Largest.Bytes / 1e6:0.0} MB (input {_fuzz.Largest.Number}), "
        + $"working set {Environment.WorkingSet / 1e6:0} MB, "
        + $"processor {Environment.CpuUsage.TotalTime.TotalMinutes:0.0} minutes"));

    private int Number(string option, int other) => _options.TryGetValue(option, out var text)
        ? int.Parse(text, CultureInfo.InvariantCulture)
        : other;

    /// <summary>The whole collection if it lies beside the repository, or the committed sample.</summary>
    private static string CollectionFolder([CallerFilePath] string thisFile = "")
    {
        for (var above = Path.GetDirectoryName(thisFile);
            above is not null;
            above = Path.GetDirectoryName(above))
        {
            var beside = Path.Combine(above, "shared", "data", "ics");
            if (Directory.Exists(beside))
                return beside;
        }

        return Path.GetFullPath(Path.Combine(
            Path.GetDirectoryName(thisFile)!, "../../CalSync.Calendar.Tests/Fixtures/ics"));
    }
}
