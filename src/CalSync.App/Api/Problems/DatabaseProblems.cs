using CalSync.Storage;

namespace CalSync.App.Api.Problems;

/// <summary>What callers are told when the database fails them; never where it is.</summary>
internal static class DatabaseProblems
{
    /// <summary>The problem of a fault, with the time after which trying again makes sense.</summary>
    public static Problem Of(Exception fault) => (fault as DatabaseUnavailableException)?.Reason switch
    {
        UnavailableReason.PoolExhausted => After(
            2, ProblemCatalogue.DatabaseBusy, "Every connection of this process was in use."),
        UnavailableReason.ServerFull => After(
            5, ProblemCatalogue.DatabaseBusy, "The database server takes no more connections."),
        UnavailableReason.ReadOnly => After(
            10, ProblemCatalogue.DatabaseReadOnly, "The database server that answers takes no changes."),
        UnavailableReason.TimedOut => After(
            5, ProblemCatalogue.DependencyUnavailable, "The database did not answer in time."),
        UnavailableReason.Ended => After(
            2, ProblemCatalogue.DependencyUnavailable,
            "The connection to the database was ended; what was begun was rolled back."),
        UnavailableReason.SignInRefused or UnavailableReason.CertificateRefused => After(
            30, ProblemCatalogue.DependencyUnavailable,
            "The database cannot be used until its operator has looked at it."),
        UnavailableReason.Unreachable => After(
            5, ProblemCatalogue.DependencyUnavailable, "The database cannot be reached."),
        null => After(
            2, ProblemCatalogue.DependencyUnavailable, "Other changes of the same things were in the way."),
    };

    private static Problem After(int seconds, ProblemType type, string detail) =>
        type.With(detail) with { RetryAfter = TimeSpan.FromSeconds(seconds) };
}
