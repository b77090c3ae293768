using FsCheck;

namespace CalSync.Calendar.Tests;

/// <summary>
/// How properties are checked: a failure throws and its message carries the seed to replay it.
/// </summary>
internal static class Properties
{
    public static Config Config => FsCheck.Config.QuickThrowOnFailure.WithMaxTest(300);
}
