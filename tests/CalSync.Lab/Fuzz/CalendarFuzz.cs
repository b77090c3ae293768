namespace CalSync.Lab.Fuzz;

/// <summary>What an input showed that must not be.</summary>
/// <param name="Number">Which input.</param>
/// <param name="Step">What was being done.</param>
/// <param name="What">An exception, or the bound that was passed.</param>
public sealed record FuzzFinding(int Number, string Step, string What);

/// <summary>Torments the calendar library with spoiled streams, each from the seed and its number.</summary>
/// <remarks>
/// No exception, a second at most for each thing that is done with an input, memory within a bound, no octet
/// lost. Not for several threads; only <see cref="Current"/> may be read meanwhile.
/// </remarks>
/// <param name="corpus">The streams to spoil, in a fixed order.</param>
/// <param name="seed">Another seed gives other inputs.</param>
public sealed class CalendarFuzz(IReadOnlyList<byte[]> corpus, int seed)
{
    /// <summary>
    /// Most that one step may take. Default one second, which only means something where nothing else runs.
    /// </summary>
    public TimeSpan TimeMax { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Most octets that may be allocated for one input, which are more than it ever holds at once.
    /// </summary>
    public const long AllocatedBytesMax = 1L << 30;

    private readonly InputMaker _maker = new(corpus, seed);
    private long _processorBefore;
    private int _current;

    /// <summary>The input being tried, and the processor time since it began.</summary>
    public (int Number, TimeSpan Time) Current =>
        (Volatile.Read(ref _current),
            Environment.CpuUsage.TotalTime - TimeSpan.FromTicks(Volatile.Read(ref _processorBefore)));

    /// <summary>The longest that one step of an input took.</summary>
    public (TimeSpan Time, int Number) Slowest { get; private set; }

    /// <summary>The most octets that were allocated for an input.</summary>
    public (long Bytes, int Number) Largest { get; private set; }

    /// <summary>The octets of an input.</summary>
    /// <param name="number">Which, from 0.</param>
    public byte[] Input(int number) => _maker.Make(number, out _);

    /// <summary>Tries one input.</summary>
    /// <param name="number">Which, from 0.</param>
    /// <returns>What it showed; null when nothing.</returns>
    public FuzzFinding? Try(int number) => Try(_maker.Make(number, out var random), number, random);

    /// <summary>Tries a stream that is at hand, such as an earlier finding.</summary>
    /// <param name="input">Its octets.</param>
    /// <param name="number">Chooses, with the seed, what is done with it.</param>
    public FuzzFinding? Try(byte[] input, int number) =>
        Try(input, number, new Random(unchecked((seed * 1_000_003) ^ number)));

    private FuzzFinding? Try(byte[] input, int number, Random random)
    {
        var trial = new CalendarTrial(input, random);
        Volatile.Write(ref _processorBefore, Environment.CpuUsage.TotalTime.Ticks);
        Volatile.Write(ref _current, number);
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            trial.Run();
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            return new FuzzFinding(number, trial.Step, fault.ToString());
        }

        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        if (trial.Longest.Time > Slowest.Time)
            Slowest = (trial.Longest.Time, number);
        if (allocated > Largest.Bytes)
            Largest = (allocated, number);
        return trial.Longest.Time > TimeMax
                ? new FuzzFinding(
                    number, trial.Longest.Step, $"took {trial.Longest.Time.TotalSeconds:0.00} s")
            : allocated > AllocatedBytesMax ? new FuzzFinding(number, trial.Step, $"allocated {allocated}")
            : null;
    }
}
