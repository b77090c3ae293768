using CalSync.App.Configuration;
using CalSync.Storage;
using CalSync.Storage.Classes;
using CalSync.Storage.Connections;
using CalSync.Storage.Journal;
using CalSync.Storage.Pairs;
using CalSync.Storage.Running;
using CalSync.Storage.Secrets;

namespace CalSync.App.Commands;

/// <summary><c>calsync doctor</c>: looks at everything, changes nothing.</summary>
internal static class DoctorCommand
{
    private static readonly TimeSpan WorkerSilenceMax = TimeSpan.FromMinutes(1);

    /// <summary>One thing that was looked at.</summary>
    /// <param name="Check">What.</param>
    /// <param name="Ok">Whether it is as it should be.</param>
    /// <param name="Found">What was seen.</param>
    /// <param name="Advice">What to do; null when nothing is to be done.</param>
    internal sealed record Finding(string Check, bool Ok, string Found, string? Advice = null);

    public static Verb Create(GlobalOptions globals, Surroundings around) =>
        new Verb(
            "doctor",
            "Looks at everything, changes nothing; exit code 3 when something is not as it should be.",
            "calsync doctor").Does(globals, around, ExamineAsync);

    private static async Task<ExitCode> ExamineAsync(Invocation call, CancellationToken cancellation)
    {
        var settings = call.Settings();
        var set = settings.All.Count(setting => setting.Source != SettingSource.Default);
        var findings = new List<Finding>
        {
            new("configuration", true, $"{set} values set, profile {settings.Text(Keys.Profile)}"),
        };
        if (Missing(settings) is { } absent)
        {
            // Opening it would make it, and looking changes nothing.
            findings.Add(absent);
            return Tell(call, findings);
        }

        await using var place = Workplace.OpenAnySchema(settings, call.Around);
        findings.Add(new("database", true, place.Database.EngineDescription));
        var state = await new Migrator(place.Database, place.Clock).CheckAsync(cancellation);
        findings.Add(new(
            "schema", state is SchemaState.UpToDate, SchemaWords.Describe(state), SchemaWords.Advise(state)));
        findings.Add(Key(settings));
        if (state is SchemaState.UpToDate)
        {
            findings.Add(await JournalAsync(place, cancellation));
            findings.Add(await WorkersAsync(place, cancellation));
            findings.Add(await SwitchesAsync(place, cancellation));
            findings.Add(await OperationsAsync(place, cancellation));
            findings.Add(await PairsAsync(place, settings, cancellation));
        }

        return Tell(call, findings);
    }

    private static Finding? Missing(Settings settings)
    {
        var options = settings.Options<DatabaseOptions>();
        return options.Url is null && !Directory.Exists(options.DataDirectory)
            ? new Finding(
                "database", false, $"There is nothing at {options.DataDirectory}.", "calsync db upgrade")
            : null;
    }

    private static ExitCode Tell(Invocation call, List<Finding> findings)
    {
        call.Output.Table(
            findings,
            "",
            new("CHECK", finding => finding.Check),
            new("OK", finding => finding.Ok),
            new("FOUND", finding => finding.Found),
            new("DO", finding => finding.Advice));
        return findings.TrueForAll(finding => finding.Ok) ? ExitCode.Ok : ExitCode.Unhealthy;
    }

    private static Finding Key(Settings settings)
    {
        try
        {
            var keys = KeyRing.Load(settings.DataDirectory, settings.Text(Keys.SecretsKey));
            return new("encryption key", true, $"key {keys.CurrentId} from {keys.Source}");
        }
        catch (SecretException fault)
        {
            return new("encryption key", false, fault.Message, "Restore the key file, or set secrets.key.");
        }
    }

    private static async Task<Finding> JournalAsync(Workplace place, CancellationToken cancellation) =>
        await place.Journal.VerifyChainAsync(cancellation) switch
        {
            ChainCheck.Intact intact => new("journal", true, $"{intact.Count} entries, chain intact"),
            ChainCheck.Broken broken => new(
                "journal", false, $"broken at entry {broken.Seq}: {broken.Problem}",
                    "calsync journal verify"),
            _ => throw new System.Diagnostics.UnreachableException(),
        };

    private static async Task<Finding> WorkersAsync(Workplace place, CancellationToken cancellation)
    {
        var workers = await new WorkerStore(place.Database, place.Clock).ListAsync(cancellation);
        var now = place.Clock.GetUtcNow();
        var alive = workers.Count(worker => now - worker.SeenAt < WorkerSilenceMax);
        return new(
            "workers", alive > 0, $"{alive} alive, {workers.Count - alive} silent",
            alive > 0 ? null : "Nothing is written to calendars: start calsync serve or calsync worker.");
    }

    private static async Task<Finding> SwitchesAsync(Workplace place, CancellationToken cancellation)
    {
        var set = (await place.Switches.ReadAsync(cancellation)).Where(state =>
            state.ExpiresAt is not null).ToList();
        return new(
            "switches", set.Count == 0,
            set.Count == 0 ? "all normal" : string.Join(", ", set.Select(state =>
                $"{state.Name}={state.Value}")),
            set.Count == 0 ? null : "calsync switches list");
    }

    private static async Task<Finding> OperationsAsync(Workplace place, CancellationToken cancellation)
    {
        var reads = new OperationReads(place.Database);
        var stuck = 0;
        foreach (var actor in await place.ActorsAsync(cancellation))
        {
            var page = await reads.ListAsync(actor, "needs_attention", null, null, 200, cancellation);
            stuck += page.Items.Count;
        }

        return new(
            "operations", stuck == 0, $"{stuck} need attention",
            stuck == 0 ? null : "calsync operations list --state needs_attention");
    }

    private static async Task<Finding> PairsAsync(
        Workplace place, Settings settings, CancellationToken cancellation)
    {
        try
        {
            var connections = new ConnectionStore(
                place.Database,
                new TokenCipher(KeyRing.Load(settings.DataDirectory, settings.Text(Keys.SecretsKey))),
                place.Ids);
            var pairs = await StatusCommand.ReadAsync(
                new PairDirectory(place.Database, place.Ids), connections, place.Clock.GetUtcNow(),
                cancellation);
            var found = string.Join(
                ", ", pairs.GroupBy(pair => pair.State).Select(state => $"{state.Count()} {state.Key}"));
            var isWell = pairs.TrueForAll(pair => pair.Exit == SyncExit.Equal);
            return new("pairs", isWell, found.Length > 0 ? found : "none", isWell ? null : "calsync status");
        }
        catch (SecretException fault)
        {
            return new("pairs", false, fault.Message, "Restore the key file, or set secrets.key.");
        }
    }
}
