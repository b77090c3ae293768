using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CalSync.App.Configuration;
using CalSync.Storage;
using CalSync.Storage.Secrets;

namespace CalSync.App.Commands;

/// <summary>The command line: one table of verbs, one place where every verb ends.</summary>
internal static partial class CommandLine
{
    // The dispatch table. One line a verb, one file a line. The question is answered when the program is
    // compiled, so nothing is in the native one but what its verb needs.
    private static readonly Func<GlobalOptions, Surroundings, Verb>[] Verbs =
        !RuntimeFeature.IsDynamicCodeSupported ? [SyncCommand.Create] :
    [
        DemoCommand.Create, ServeCommand.Create, ServeCommand.CreateWorker,
        SandboxCommand.Create, DbCommand.Create, ConfigCommand.Create, TenantsCommand.Create,
            UsersCommand.Create, SessionsCommand.Create, KeysCommand.Create,
        ConnectCommand.Create, ConnectionsCommand.Create, TokensCommand.Create, CalendarsCommand.Create,
        PairsCommand.Create, SyncCommand.Create, StatusCommand.Create, VerifyCommand.Create,
        ConflictsCommand.Create, QuarantineCommand.Create, ReportCommand.Create,
        HistoryCommand.Create, ExplainCommand.Create, UndoCommand.Create, RestoreCommand.Create,
        SwitchesCommand.Create, BreakersCommand.Create, OperationsCommand.Create, ProposalsCommand.Create,
            EventsCommand.Create,
            TraceCommand.Create, JournalCommand.Create,
        IdempotencyCommand.Create, DoctorCommand.Create, IcsCommand.Create,
    ];

    /// <summary>Builds the commands; docs/cli.md is made from them.</summary>
    public static RootCommand Build(Surroundings around)
    {
        var globals = new GlobalOptions();
        var root = new RootCommand("Keeps every copy of a calendar event in agreement, and proves it.");
        foreach (var option in globals.All)
            root.Options.Add(option);
        foreach (var create in Verbs)
            root.Subcommands.Add(create(globals, around));
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExample((HelpAction)help.Action!);
        return root;
    }

    /// <summary>Runs one command line and gives the exit code of the process.</summary>
    /// <param name="arguments">Without the name of the program.</param>
    /// <param name="around">What the process has around it.</param>
    /// <param name="cancellation">Ends the verb early; what it wrote so far stays.</param>
    public static async Task<int> RunAsync(
        string[] arguments, Surroundings around, CancellationToken cancellation)
    {
        var parsed = Build(around).Parse(arguments.Length == 0 ? ["--help"] : arguments);
        var json = arguments.Contains("--json");
        var isAboutPairs = parsed.CommandResult.Command is Verb { IsAboutPairs: true };
        int Number(ExitCode code) => isAboutPairs ? (int)SyncExits.Of(code) : (int)code;
        int End(ExitCode code, string what, string? where, string? advice)
        {
            var word = isAboutPairs ? $"{SyncExits.Of(code)}" : $"{code}";
            Complain(around, json, word, what, where, advice);
            return Number(code);
        }

        if (parsed.Errors.Count > 0 && parsed.Action is not HelpWithExample)
        {
            var verb = string.Join(' ', Names(parsed.CommandResult.Command));
            var advice = $"{verb} --help";
            foreach (var mistake in Mistakes(parsed))
                End(ExitCode.Usage, mistake, verb, advice);
            return Number(ExitCode.Usage);
        }

        var invocation = new InvocationConfiguration
        {
            Output = around.Out,
            Error = around.Error,
            EnableDefaultExceptionHandler = false,
            // More than a stopping worker takes to let its writes finish.
            ProcessTerminationTimeout = TimeSpan.FromSeconds(15),
        };
        try
        {
            return await parsed.InvokeAsync(invocation, cancellation);
        }
        catch (CommandException fault)
        {
            return End(fault.Code, fault.Message, fault.Where, fault.Advice);
        }
        catch (SecretException fault)
        {
            return End(ExitCode.Failed, fault.Message, "encryption key", "calsync doctor");
        }
        catch (DatabaseCertificateException fault)
        {
            return End(ExitCode.Failed, fault.Message, "database", fault.Advice);
        }
        catch (DatabaseUnavailableException fault)
            when (fault.InnerException is DatabaseCertificateException certificate)
        {
            return End(ExitCode.Failed, certificate.Message, "database", certificate.Advice);
        }
        catch (StorageException fault)
        {
            return End(ExitCode.Failed, fault.Message, "database", "calsync db check");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return End(
                ExitCode.Failed, fault.Message, "data directory",
                "--data DIR with a folder this user may write");
        }
        catch (OperationCanceledException)
        {
            return End(ExitCode.Failed, "Interrupted.", null, null);
        }
        catch (InvalidConfigurationException fault)
        {
            Complain(around, json, fault.Errors);
            return (int)ExitCode.InvalidConfiguration;
        }
    }

    // What the parser makes of the words after an unknown one is noise.
    private static IEnumerable<string> Mistakes(ParseResult parsed) =>
        parsed.UnmatchedTokens is [var word, ..]
            ? [$"There is no {(word.StartsWith('-') ? "option" : "verb or argument")} '{word}' here."]
            : parsed.Errors.Select(error => NetType().Replace(error.Message, ""));

    private static IEnumerable<string> Names(Command command) =>
        command is RootCommand ? ["calsync"] : [.. Names((Command)command.Parents.First()), command.Name];

    private static void Complain(
        Surroundings around, bool json, string word, string what, string? where, string? advice)
    {
        if (json)
        {
            var code = JsonNamingPolicy.SnakeCaseLower.ConvertName(word);
            around.Error.WriteLine(Output.Json(new JsonObject
            {
                ["code"] = code,
                ["what"] = what,
                ["where"] = where,
                ["advice"] = advice,
            }));
            return;
        }

        around.Error.WriteLine($"calsync: {what}");
        if (where is not null)
            around.Error.WriteLine($"  where: {where}");
        if (advice is not null)
            around.Error.WriteLine($"  do:    {advice}");
    }

    private static void Complain(Surroundings around, bool json, IReadOnlyList<ConfigurationError> errors)
    {
        if (json)
        {
            around.Error.WriteLine(Output.Json(new JsonObject
            {
                ["errors"] = new JsonArray([.. errors.Select(error => new JsonObject
                {
                    ["key"] = error.Key,
                    ["value"] = error.Value,
                    ["origin"] = error.Origin,
                    ["problem"] = error.Problem,
                    ["allowed"] = error.Allowed,
                    ["example"] = error.Example,
                })]),
            }));
        }

        foreach (var error in json ? [] : errors)
            around.Error.WriteLine($"calsync: {error}");
    }

    [GeneratedRegex(" as expected type '.*'")]
    private static partial Regex NetType();

    // The library's help, and the example of the verb below it.
    private sealed class HelpWithExample(HelpAction inner) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            var code = inner.Invoke(parseResult);
            var example = parseResult.CommandResult.Command is Verb verb ? verb.Example : "calsync demo";
            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Example:");
            output.WriteLine($"  {example}");
            return code;
        }
    }
}
