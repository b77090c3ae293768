using CalSync.Lab.Peers;

namespace CalSync.Lab.Bench.Sync;

/// <summary>A sync tool: how it is told of two calendars, and how it is run.</summary>
internal abstract class SyncContender
{
    private static readonly int[] Success = [0];

    /// <summary>As it stands in the figures.</summary>
    public abstract string Name { get; }

    /// <summary>Exit codes of a run that did all it should.</summary>
    protected virtual IReadOnlyCollection<int> ExpectedCodes => Success;

    /// <summary>Tells it of two calendars, with an empty memory.</summary>
    /// <param name="directory">Empty; where it may keep what it likes.</param>
    /// <param name="left">A calendar.</param>
    /// <param name="right">The other one.</param>
    /// <param name="cancellation">Cancelling ends it.</param>
    public abstract Task PrepareAsync(
        string directory, Uri left, Uri right, CancellationToken cancellation);

    /// <summary>The command that synchronises both once.</summary>
    protected abstract IReadOnlyList<string> Line(string directory, Uri left, Uri right);

    /// <summary>Synchronises once.</summary>
    public Task<ProcessCost> RunAsync(
        string directory, Uri left, Uri right, CancellationToken cancellation) =>
        ProcessCost.OfAsync(Line(directory, left, right), ExpectedCodes, cancellation);
}

/// <summary>vdirsyncer, as Debian has it.</summary>
internal sealed class VdirsyncerContender : SyncContender
{
    private static readonly string? Program = Find();

    /// <summary>Whether it is installed.</summary>
    public static bool IsHere => Program is not null;

    /// <inheritdoc/>
    public override string Name => "vdirsyncer";

    /// <inheritdoc/>
    public override async Task PrepareAsync(
        string directory, Uri left, Uri right, CancellationToken cancellation)
    {
        await File.WriteAllTextAsync(
            Path.Combine(directory, "config"),
            $"""
            [general]
            status_path = "{directory}/status/"

            [pair both]
            a = "left"
            b = "right"
            collections = null
            conflict_resolution = "a wins"

            {Storage("left", left)}
            {Storage("right", right)}

            """,
            cancellation);
        await PeerProcess.RunAsync(
            [
                "sh", "-c", "yes | exec \"$0\" -v ERROR -c \"$1/config\" discover both >/dev/null", Program!,
                directory,
            ],
            null, cancellation);
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<string> Line(string directory, Uri left, Uri right) =>
        [Program!, "-v", "ERROR", "-c", $"{directory}/config", "sync", "both"];

    private static string Storage(string name, Uri address) =>
        $"""
        [storage {name}]
        type = "caldav"
        url = "{address}"
        username = "{CalDavPeer.UserName}"
        password = "{CalDavPeer.UserPassword}"

        """;

    private static string? Find()
    {
        try
        {
            return PeerProcess.Find("vdirsyncer", "/usr/bin/vdirsyncer");
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}

/// <summary>The product, by the commands its users type.</summary>
/// <param name="program">How it is started.</param>
internal sealed class ProductContender(IReadOnlyList<string> program) : SyncContender
{
    private const string Pair = "both";
    private static readonly string Root =
        Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "..", ".."));

    /// <summary>How ./calsync starts it from its sources.</summary>
    public static IReadOnlyList<string> Built =>
        ["dotnet", Path.Combine(Root, "artifacts", "bin", "CalSync.App", "release", "calsync.dll")];

    /// <summary>As it is installed for daily use, which is done here when it is not up to date.</summary>
    public static async Task<ProductContender> InstalledAsync(CancellationToken cancellation)
    {
        var place = Path.Combine(Root, "artifacts", "bench-installed");
        await PeerProcess.RunAsync([Path.Combine(Root, "deploy", "install"), place], null, cancellation);
        return new([Path.Combine(place, "calsync")]);
    }

    /// <inheritdoc/>
    public override string Name => "calsync";

    /// <inheritdoc/>
    public override async Task PrepareAsync(
        string directory, Uri left, Uri right, CancellationToken cancellation)
    {
        await ConnectAsync(directory, left, cancellation);
        await PairAsync(directory, left, right, cancellation);
    }

    /// <summary>Connects the account of a calendar.</summary>
    public async Task ConnectAsync(string directory, Uri calendar, CancellationToken cancellation)
    {
        var password = Path.Combine(directory, "password");
        await File.WriteAllTextAsync(password, CalDavPeer.UserPassword, cancellation);
        await AskAsync(
            directory, cancellation, "connect", "caldav", calendar.GetLeftPart(UriPartial.Authority),
            "--username", CalDavPeer.UserName, "--password-file", password);
    }

    /// <summary>Makes a pair of two calendars; a service begins to sync them.</summary>
    public Task PairAsync(string directory, Uri left, Uri right, CancellationToken cancellation) => AskAsync(
        directory, cancellation, "pairs", "add", Pair, left.AbsolutePath.Trim('/'),
        right.AbsolutePath.Trim('/'));

    /// <summary>The program that runs the pair several times in one process.</summary>
    public static IReadOnlyList<string> Runs(string directory, int count) =>
    [
        "dotnet", typeof(ProductContender).Assembly.Location, "sync-pair", directory, Pair,
        count.ToString(System.Globalization.CultureInfo.InvariantCulture),
    ];

    /// <inheritdoc/>
    protected override IReadOnlyList<string> Line(string directory, Uri left, Uri right) =>
        Command(directory, "sync", Pair, "--max-delete", "50%");

    private Task<string> AskAsync(
        string directory, CancellationToken cancellation, params string[] words) =>
        PeerProcess.RunAsync(Command(directory, words), null, cancellation);

    private string[] Command(string directory, params string[] words) =>
        [.. program, .. words, "--data", directory];
}
