using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using CalSync.Storage;

namespace CalSync.App.Configuration;

/// <summary>Where a value comes from; a later source wins over an earlier one.</summary>
internal enum SettingSource
{
    /// <summary>The table of keys.</summary>
    Default = 0,

    /// <summary><c>calsync.json</c> or the file named with <c>--config</c>.</summary>
    File = 1,

    /// <summary>A variable of the environment.</summary>
    Environment = 2,

    /// <summary>An option of the command line.</summary>
    CommandLine = 3,
}

/// <summary>One value in force.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Text">The value as written; null when the key is unset.</param>
/// <param name="Source">Where it was found.</param>
/// <param name="Origin">The file, variable or option, in words.</param>
internal sealed record Setting(Key Key, string? Text, SettingSource Source, string Origin)
{
    /// <summary>The value as it may be shown and logged: secrets become their length and the start of their
    /// hash.</summary>
    public string Shown => Text is null ? "" : Redaction.Show(Key, Text);
}

/// <summary>All values in force. Only <see cref="ConfigurationReader"/> makes one, so every value is
/// valid.</summary>
internal sealed class Settings(ImmutableDictionary<string, Setting> values)
{
    /// <summary>Every value, in the order of the manual.</summary>
    public IEnumerable<Setting> All => Keys.All.Select(key => values[key.Name]);

    /// <summary>The value of a key as written; null when unset.</summary>
    public string? Text(Key key) => values[key.Name].Text;

    /// <summary>The value of a <see cref="KeyType.Duration"/>.</summary>
    public TimeSpan Duration(Key key) => SettingText.Duration(values[key.Name].Text!, key)!.Value;

    /// <summary>Options with every value that has a key of theirs; the others keep their defaults.</summary>
    /// <typeparam name="TOptions">A record of options; the records inside it are set too.</typeparam>
    public TOptions Options<TOptions>()
        where TOptions : class => (TOptions)Fill(typeof(TOptions));

    /// <summary>The value of a <see cref="KeyType.Flag"/>.</summary>
    public bool Flag(Key key) => SettingText.Flag(values[key.Name].Text!)!.Value;

    /// <summary>The value of a <see cref="KeyType.Address"/>; null when unset.</summary>
    public Uri? Address(Key key) => Text(key) is { } text ? new Uri(text) : null;

    /// <summary>True in the profile that refuses everything meant for practice.</summary>
    public bool IsProduction => Text(Keys.Profile) == "production";

    /// <summary>Folder of the embedded database, the key file and the configuration file.</summary>
    public string DataDirectory => Text(Keys.DataDirectory)!;

    private object Fill(Type type)
    {
        var options = Activator.CreateInstance(type)!;
        foreach (var property in type.GetProperties())
        {
            var setting = All.FirstOrDefault(setting => setting.Key.Target == property);
            if (setting?.Text is { } text)
                property.SetValue(options, SettingText.Read(setting.Key, text));
            else if (Keys.All.Any(key => key.Target?.DeclaringType == property.PropertyType))
                property.SetValue(options, Fill(property.PropertyType));
        }

        return options;
    }
}

/// <summary>Makes a secret showable.</summary>
internal static class Redaction
{
    /// <summary>The value, or <c>set(len=32, sha256:ab12…)</c> for a secret, or an address without its
    /// password.</summary>
    public static string Show(Key key, string text)
    {
        if (key.Secret)
        {
            var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
            return $"set(len={text.Length}, sha256:{hash[..4]}…)";
        }

        return key.Type == KeyType.Database ? DatabaseAddress.Redact(text) : text;
    }
}
