using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace CalSync.Lab.Secrecy;

/// <summary>
/// Lets the <see cref="Witness"/> see what a process of the product writes to its two outputs.
/// </summary>
internal static class ProcessWatch
{
    /// <summary>Begins; the hosts of the process are watched as well.</summary>
    [SuppressMessage("Reliability", "CA2000", Justification = "The console has them until the process ends.")]
    public static void Begin()
    {
        HostWatch.Begin(withChildren: false);
        var verb = string.Join(' ', Environment.GetCommandLineArgs().Skip(1).Take(2));
        Console.SetOut(new Copies(Console.Out, $"console {verb}"));
        Console.SetError(new Copies(Console.Error, $"console {verb}"));
        // The runtime itself prints what nobody caught, past the console.
        AppDomain.CurrentDomain.UnhandledException += (_, fault) =>
            Witness.Saw($"console {verb}", fault.ExceptionObject.ToString() ?? "");
    }

    private sealed class Copies(TextWriter writer, string what) : TextWriter
    {
        private readonly StringBuilder _line = new();

        public override Encoding Encoding => writer.Encoding;

        public override void Write(char value)
        {
            writer.Write(value);
            Keep([value]);
        }

        public override void Write(char[] buffer, int index, int count)
        {
            writer.Write(buffer, index, count);
            Keep(buffer.AsSpan(index, count));
        }

        public override void Write(ReadOnlySpan<char> buffer)
        {
            writer.Write(buffer);
            Keep(buffer);
        }

        public override void Write(string? value)
        {
            writer.Write(value);
            Keep(value);
        }

        public override void WriteLine(string? value)
        {
            writer.WriteLine(value);
            Keep(value + "\n");
        }

        public override void Flush() => writer.Flush();

        // Whole lines, so that what is written in pieces is found in one.
        private void Keep(ReadOnlySpan<char> text)
        {
            lock (_line)
            {
                _line.Append(text);
                if (!text.Contains('\n'))
                    return;
                Witness.Saw(what, _line.ToString());
                _line.Clear();
            }
        }
    }
}
