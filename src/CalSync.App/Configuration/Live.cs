using CalSync.App.Api.Authentication;
using CalSync.App.Pairs;

namespace CalSync.App.Configuration;

/// <summary>Options that may be others the next time they are asked for. Thread-safe.</summary>
/// <typeparam name="T">Immutable.</typeparam>
/// <param name="value">To begin with.</param>
internal sealed class Live<T>(T value)
    where T : class
{
    private volatile T _value = value;

    /// <summary>What is in force now; ask anew for each use.</summary>
    public T Value => _value;

    /// <summary>Puts others in force.</summary>
    public void Set(T value) => _value = value;
}

/// <summary>Where a running process finds its configuration again.</summary>
/// <param name="Current">What it was started with.</param>
/// <param name="FilePath">The file, whether it exists or not.</param>
/// <param name="Read">Reads and checks everything anew.</param>
internal sealed record ConfigurationSource(
    Settings Current, string FilePath, Func<ConfigurationOutcome> Read);

/// <summary>The options that change while a process runs.</summary>
internal sealed class LiveOptions(
    Live<PairWorkerOptions> pairs, Live<SignInOptions> signIn, Live<SwitchNormals> switches)
{
    /// <summary>Puts the values of valid settings in force.</summary>
    public void Apply(Settings settings)
    {
        pairs.Set(settings.Options<PairWorkerOptions>());
        signIn.Set(settings.Options<SignInOptions>());
        switches.Set(new SwitchNormals(HostConfiguration.SwitchNormals(settings)));
    }
}

/// <summary>What kill switches stand at while nobody has set them.</summary>
/// <param name="Values">By switch; absent: as defined.</param>
internal sealed record SwitchNormals(IReadOnlyDictionary<string, string> Values);
