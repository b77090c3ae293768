using System.Globalization;

namespace CalSync.Lab.Bench;

/// <summary>What processes have used of the processors, from <c>/proc</c>.</summary>
internal static class ProcessorTime
{
    // USER_HZ, which Linux fixes for all programs.
    private const double TicksPerSecond = 100;

    /// <summary>The seconds of some processes and all their descendants, the ended ones included.</summary>
    public static double SecondsOf(params int[] roots)
    {
        var all = new Dictionary<int, (int Parent, long Ticks)>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var id)
                && Read(folder) is { } read)
            {
                all[id] = read;
            }
        }

        return all.Where(pair => Belongs(pair.Key)).Sum(pair => pair.Value.Ticks) / TicksPerSecond;

        bool Belongs(int id)
        {
            while (!roots.Contains(id))
            {
                if (!all.TryGetValue(id, out var process) || process.Parent == 0)
                    return false;
                id = process.Parent;
            }

            return true;
        }
    }

    private static (int Parent, long Ticks)? Read(string folder)
    {
        try
        {
            // After the name, which may hold anything and ends with the last bracket: state, parent, and from
            // the twelfth on the ticks in user and kernel mode, its own and of children waited for.
            var text = File.ReadAllText(Path.Combine(folder, "stat"));
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return (Number(fields[1]), fields[11..15].Sum(field => (long)Number(field)));
        }
        catch (IOException)
        {
            // It has ended meanwhile; whoever waited for it has its ticks.
            return null;
        }
    }

    private static int Number(string field) => int.Parse(field, CultureInfo.InvariantCulture);
}
