using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;

namespace CalSync.App.Commands;

/// <summary>Where a password comes from: the terminal, a file or a command, never the command line.</summary>
internal sealed class PasswordSource
{
    private static readonly TimeSpan CommandWithin = TimeSpan.FromMinutes(1);

    private readonly Option<string?> _file = Words.Option<string?>(
        "--password-file", "FILE", "File whose first line is the password; - for standard input.");

    private readonly Option<string?> _command = Words.Option<string?>(
        "--password-command", "COMMAND",
        "Command, run by sh, that prints the password. Default: it is asked for.");

    /// <summary>Adds the options to a verb.</summary>
    public void AddTo(Verb verb)
    {
        verb.Options.Add(_file);
        verb.Options.Add(_command);
    }

    /// <summary>Gets the password.</summary>
    /// <param name="call">The call with the options.</param>
    /// <param name="prompt">What a person is asked.</param>
    /// <param name="hint">What they should know before; null for nothing.</param>
    /// <param name="cancellation">Ends the command.</param>
    /// <exception cref="CommandException">There is none.</exception>
    public async Task<string> ReadAsync(
        Invocation call, string prompt, string? hint, CancellationToken cancellation)
    {
        var (file, command) = (call.Get(_file), call.Get(_command));
        if (file is not null && command is not null)
        {
            throw CommandException.Usage(
                "Both --password-file and --password-command are given.", "one of them");
        }

        if (file is null && command is null && hint is not null)
            await call.Around.Error.WriteLineAsync(hint);
        var (password, origin) = file is not null ? (await OfFileAsync(file, cancellation), file)
            : command is not null ? (await OfCommandAsync(call, command, cancellation), command)
            : call.Around.AskSecret is { } ask ? (ask(prompt), "the terminal")
            : throw CommandException.Usage(
                "A password is needed and nobody can be asked.",
                "--password-file FILE or --password-command COMMAND");
        return !string.IsNullOrEmpty(password)
            ? password
            : throw new CommandException(ExitCode.Failed, "The password is empty.", origin);
    }

    private static async Task<string?> OfFileAsync(string file, CancellationToken cancellation)
    {
        try
        {
            using var reader = file == "-"
                ? new StreamReader(Console.OpenStandardInput())
                : new StreamReader(file);
            return await reader.ReadLineAsync(cancellation);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Failed, fault.Message, file, "--password-file FILE");
        }
    }

    private static async Task<string?> OfCommandAsync(
        Invocation call, string command, CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(CommandWithin, call.Around.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        using var child = new Process
        {
            StartInfo = new ProcessStartInfo("sh", ["-c", command]) { RedirectStandardOutput = true },
        };
        try
        {
            child.Start();
            var first = await child.StandardOutput.ReadLineAsync(either.Token);
            await child.StandardOutput.ReadToEndAsync(either.Token);
            await child.WaitForExitAsync(either.Token);
            return child.ExitCode == 0
                ? first
                : throw new CommandException(
                    ExitCode.Failed, $"The password command ended with {child.ExitCode}.", command);
        }
        catch (Win32Exception fault)
        {
            throw new CommandException(ExitCode.Failed, fault.Message, command);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            child.Kill(entireProcessTree: true);
            throw new CommandException(
                ExitCode.Failed, "The password command did not end within a minute.", command);
        }
    }
}
