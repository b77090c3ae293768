using System.CommandLine;
using System.Text.Json.Nodes;
using CalSync.App.Configuration;
using CalSync.Storage.Journal;
using CalSync.Storage.Running;
using CalSync.Sync.Journal;

namespace CalSync.App.Commands;

/// <summary><c>calsync config</c>: what is in force, and whether it may be.</summary>
internal static class ConfigCommand
{
    public static Verb Create(GlobalOptions globals, Surroundings around) =>
        new("config", "Shows and checks the configuration.", "calsync config show")
        {
            new Verb("show", "Prints every value in force and where it comes from; secrets are redacted.",
                "calsync config show --data /var/lib/calsync").Does(globals, around, ShowAsync),
            new Verb("validate",
                "Checks the configuration and prints every error at once; exit code 78 when invalid.",
                "calsync config validate --config calsync.json").Does(globals, around, ValidateAsync),
            MakeSet(globals, around),
            new Verb(
                "history", "Prints every change of a setting: who, when, from what to what.",
                "calsync config history").Does(globals, around, HistoryAsync),
        };

    private static Verb MakeSet(GlobalOptions globals, Surroundings around)
    {
        var name = new Argument<string>("KEY") { Description = "Which, from 'calsync config show'." };
        var value = new Argument<string?>("VALUE")
        {
            Description = "The new value; without it the key goes back to its default.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var verb = new Verb(
            "set", "Changes a value in the configuration file; what is not valid is not written.",
            "calsync config set pair.interval 5min")
        {
            name, value,
        };
        return verb.Does(globals, around, async (call, cancellation) =>
        {
            var key = Keys.All.FirstOrDefault(key => key.Name == call.Get(name))
                ?? throw CommandException.Usage(
                    $"{call.Get(name)} is not a key.", "calsync config show lists the keys");
            if (key.Secret && call.Get(value) is not null)
            {
                throw CommandException.Usage(
                    "A secret on the command line is in everybody's sight.",
                    $"Write it into the file, or into {key.Variable}");
            }

            var before = call.Settings();
            var path = call.ConfigurationFile(before);
            var (old, text) = Changed(path, key, call.Get(value));
            var after = Checked(call, path, text);
            await using var place = await call.OpenAsync(cancellation);
            ConfigurationFile.Replace(path, text);
            try
            {
                await new SettingLog(place.Database, place.Clock).AddAsync(
                    [
                        new SettingChange(
                            "setting.set", key.Name, Shown(before, key), Shown(after, key), $"file {path}"),
                    ],
                    Workplace.ActorName, place.CorrelationId, cancellation);
            }
            catch
            {
                // What is not in the journal did not happen.
                if (old is null)
                    File.Delete(path);
                else
                    ConfigurationFile.Replace(path, old);
                throw;
            }

            var inForce = after.All.Single(setting => setting.Key == key);
            call.Output.Value(
                new { Key = key.Name, Before = Shown(before, key), After = Shown(after, key), key.IsLive },
                $"{key.Name}: {Shown(before, key) ?? "unset"} -> {Shown(after, key) ?? "unset"}.",
                inForce.Source > SettingSource.File
                    ? $"Still in force: the value of the {inForce.Origin}, which wins over the file."
                    : key.IsLive ? "Running processes take it within seconds."
                    : "It is in force after a restart.");
            return ExitCode.Ok;
        });
    }

    private static (string? Old, string Text) Changed(string path, Key key, string? value)
    {
        try
        {
            var old = File.Exists(path) ? File.ReadAllText(path) : null;
            return (old, ConfigurationFile.With(old, key, value));
        }
        catch (System.Text.Json.JsonException fault)
        {
            throw new CommandException(
                ExitCode.Failed, $"The file cannot be changed by a program. {fault.Message}", path,
                "Comments would be lost: change it by hand.");
        }
    }

    // The whole file is checked, as a start would.
    private static Settings Checked(Invocation call, string path, string text)
    {
        var draft = path + ".check";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            ConfigurationFile.Replace(draft, text);
            return Invocation.Valid(call.ReadConfigurationWith(draft));
        }
        finally
        {
            File.Delete(draft);
        }
    }

    private static string? Shown(Settings settings, Key key)
    {
        var setting = settings.All.Single(setting => setting.Key == key);
        return setting.Text is null ? null : setting.Shown;
    }

    private static async Task<ExitCode> HistoryAsync(Invocation call, CancellationToken cancellation)
    {
        await using var place = await call.OpenAsync(cancellation);
        var all = new List<JournalRecord>();
        var query = new JournalQuery { TenantId = SwitchStore.JournalTenant, CountMax = 1000 };
        while (true)
        {
            var page = await place.Journal.ReadAsync(query, cancellation);
            all.AddRange(page.Where(record => record.Entry.SubjectKind == SettingLog.SubjectKind));
            if (page.Length < query.CountMax)
                break;
            query = query with { After = page[^1].Seq };
        }

        call.Output.Table(
            all.ConvertAll(record => new
            {
                record.Entry.At,
                Who = record.Entry.Actor,
                What = record.Entry.Kind,
                Key = record.Entry.SubjectId,
                Before = Member(record.Entry.Before, "value"),
                After = Member(record.Entry.After, "value"),
                Note = Member(record.Entry.After, "note"),
            }),
            "No setting was changed yet.",
            new("AT", row => row.At), new("WHO", row => row.Who), new("WHAT", row => row.What),
            new("KEY", row => row.Key), new("BEFORE", row => row.Before), new("AFTER", row => row.After),
            new("NOTE", row => row.Note));
        return ExitCode.Ok;
    }

    private static string? Member(string? json, string name) =>
        json is null ? null : (string?)JsonNode.Parse(json)?[name];

    private static Task<ExitCode> ShowAsync(Invocation call, CancellationToken cancellation)
    {
        var rows = call.Settings().All
            .Select(setting => new
            {
                Key = setting.Key.Name,
                Value = setting.Text is null ? null : setting.Shown,
                setting.Key.Unit,
                setting.Source,
                setting.Origin,
            })
            .ToList();
        call.Output.Table(
            rows,
            "",
            new("KEY", row => row.Key),
            new("VALUE", row => row.Value),
            new("UNIT", row => row.Unit),
            new("FROM", row => row.Origin));
        return Task.FromResult(ExitCode.Ok);
    }

    private static Task<ExitCode> ValidateAsync(Invocation call, CancellationToken cancellation)
    {
        var count = call.Settings().All.Count();
        call.Output.Value(new { Valid = true, Keys = count }, $"The configuration is valid: {count} keys.");
        return Task.FromResult(ExitCode.Ok);
    }
}
