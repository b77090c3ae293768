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
        };

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
