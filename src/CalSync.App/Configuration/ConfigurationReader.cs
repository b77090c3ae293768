using System.Collections.Immutable;
using System.Text.Json;

namespace CalSync.App.Configuration;

/// <summary>What the configuration is read from.</summary>
/// <param name="ConfigFile">The file named on the command line; null for <c>calsync.json</c> in the data
/// directory.</param>
/// <param name="CommandLine">Values of the command line by key name.</param>
/// <param name="Environment">The variables of the process.</param>
internal sealed record ConfigurationInput(
    string? ConfigFile,
    ImmutableDictionary<string, string> CommandLine,
    ImmutableDictionary<string, string> Environment);

/// <summary>Joins defaults, file, environment and command line, each winning over the one before.</summary>
/// <remarks>Reading never stops at the first mistake: the outcome holds all of them.</remarks>
internal sealed class ConfigurationReader
{
    private const string Shape = "write { \"section\": { \"key\": value } }";
    private static readonly JsonDocumentOptions Lenient =
        new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    private readonly Dictionary<string, Setting> _values = [];
    private readonly List<ConfigurationError> _errors = [];
    private readonly ConfigurationInput _input;

    private ConfigurationReader(ConfigurationInput input) => _input = input;

    /// <summary>Reads and checks the configuration.</summary>
    public static ConfigurationOutcome Read(ConfigurationInput input) =>
        new ConfigurationReader(input).Read();

    private ConfigurationOutcome Read()
    {
        foreach (var key in Keys.All)
        {
            var text = key == Keys.DataDirectory ? DefaultDataDirectory() : key.Default;
            _values[key.Name] = new Setting(key, text, SettingSource.Default, "default");
        }

        ReadEnvironment();
        foreach (var (name, text) in _input.CommandLine)
            Take(name, text, SettingSource.CommandLine, "command line");
        ReadFile();

        foreach (var setting in _values.Values)
        {
            if (setting.Text is { } text && SettingText.Problem(setting.Key, text) is { } problem)
                _errors.Add(Complaint(setting, problem));
        }

        if (_values[Keys.DataDirectory.Name].Text is null)
        {
            _errors.Add(new ConfigurationError(
                Keys.DataDirectory.Name, null, "default", "has no value, because HOME is not set",
                "name a folder with --data DIR", null));
        }

        var settings = new Settings(_values.ToImmutableDictionary());
        if (_errors.Count == 0)
            _errors.AddRange(ConfigurationRules.Check(settings));
        return _errors.Count == 0
            ? new ConfigurationOutcome.Valid(settings)
            : new ConfigurationOutcome.Invalid(
                [.. _errors.OrderBy(error => error.Key, StringComparer.Ordinal)]);
    }

    /// <summary>An error about a value, with the key's range and example.</summary>
    internal static ConfigurationError Complaint(Setting setting, string problem) =>
        new(setting.Key.Name, setting.Shown, setting.Origin, problem,
            setting.Key.Instead is { } instead ? $"{setting.Key.Range} ({instead})" : setting.Key.Range,
            setting.Key.Example);

    // Null when nobody says where a home is.
    private string? DefaultDataDirectory()
    {
        var data = _input.Environment.GetValueOrDefault("XDG_DATA_HOME");
        if (string.IsNullOrEmpty(data)
            && _input.Environment.GetValueOrDefault("HOME") is { Length: > 0 } home)
        {
            data = Path.Combine(home, ".local", "share");
        }

        return string.IsNullOrEmpty(data) ? null : Path.Combine(data, "calsync");
    }

    private void ReadEnvironment()
    {
        foreach (var (variable, text) in _input.Environment)
        {
            var key =
                Keys.All.FirstOrDefault(key => key.Variable == variable || key.Aliases.Contains(variable));
            if (key is not null)
            {
                Take(key.Name, text, SettingSource.Environment, $"environment variable {variable}");
            }
            else if (variable.StartsWith(Key.Prefix, StringComparison.Ordinal))
            {
                Unknown(variable, "environment", Keys.All.Select(known => known.Variable));
            }
            else if (MemoryDumps.Variables.Contains(variable) && text.Trim() is not ("" or "0"))
            {
                _errors.Add(new(
                    variable, text, "environment",
                    "has every token, password and key in memory written to a file when the process crashes",
                    "unset it", null));
            }
        }
    }

    private void ReadFile()
    {
        var folder = _values[Keys.DataDirectory.Name].Text;
        var path = _input.ConfigFile ?? (folder is null ? null : Path.Combine(folder, "calsync.json"));
        if (!File.Exists(path))
        {
            if (_input.ConfigFile is { } named)
                _errors.Add(new("--config", named, "command line", "does not exist", "name a file", null));
            return;
        }

        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path), Lenient);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                ReadObject(document.RootElement, "", path);
            else
                _errors.Add(new(path, null, "file", "is not a JSON object", Shape, null));
        }
        catch (JsonException fault)
        {
            var where = $"line {fault.LineNumber + 1}";
            _errors.Add(new(path, null, where, "is not JSON", Shape, null));
        }
        catch (UnauthorizedAccessException)
        {
            _errors.Add(new(path, null, "file", "may not be read by this user", "make it readable", null));
        }
    }

    private void ReadObject(JsonElement section, string prefix, string path)
    {
        foreach (var property in section.EnumerateObject())
        {
            var name = prefix + property.Name;
            var key = Keys.All.FirstOrDefault(key => key.Name == name || key.Aliases.Contains(name));
            var value = property.Value;
            if (key is not null)
            {
                var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
                Take(key.Name, text, SettingSource.File, $"file {path}");
            }
            else if (value.ValueKind == JsonValueKind.Object)
            {
                ReadObject(value, name + ".", path);
            }
            else
            {
                Unknown(name, $"file {path}", Keys.All.Select(known => known.Name));
            }
        }
    }

    // The file is read last, because the other sources may say where it is; so a value is only taken over a
    // lesser one.
    private void Take(string name, string text, SettingSource source, string origin)
    {
        if (!_values.TryGetValue(name, out var present))
            Unknown(name, origin, Keys.All.Select(known => known.Name));
        else if (present.Source <= source)
            _values[name] = present with { Text = text, Source = source, Origin = origin };
    }

    private void Unknown(string name, string origin, IEnumerable<string> known)
    {
        var nearest = known.MinBy(candidate => Distance(candidate, name))!;
        var advice = Distance(nearest, name) <= nearest.Length / 2
            ? $"did you mean {nearest}?"
            : "calsync config show lists the keys";
        _errors.Add(new(name, null, origin, "is not a key", advice, null));
    }

    /// <summary>Edits of one letter that lead from one name to the other (Levenshtein).</summary>
    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0]++;
            for (var j = 1; j <= right.Length; j++)
            {
                var replaced = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                (diagonal, row[j]) = (row[j], Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1));
            }
        }

        return row[^1];
    }
}
