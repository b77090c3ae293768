using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using CalSync.Sync.Journal;
using Spectre.Console;

namespace CalSync.App.Commands;

/// <summary>One column of a table for people; <c>--json</c> prints the whole row instead.</summary>
internal sealed record Column<T>(string Title, Func<T, object?> Value);

/// <summary>Prints results on stdout: a table on a terminal, aligned text elsewhere, one JSON value with
/// <c>--json</c>.</summary>
internal sealed class Output(Surroundings around, bool json)
{
    /// <summary>How every verb writes JSON: camelCase, enums by name, instants in UTC.</summary>
    public static readonly JsonSerializerOptions JsonOptions = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters =
        {
            new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower), new AnonymousConverter(),
        },
    };

    /// <summary>The JSON of a value, as every verb writes it.</summary>
    public static string Json(JsonNode value) => value.ToJsonString(JsonOptions);

    /// <summary>True when the verb was called with <c>--json</c>.</summary>
    public bool IsJson => json;

    /// <summary>Prints one value: its JSON, or the lines made for people.</summary>
    public void Value<T>(T value, params IEnumerable<string> lines)
    {
        if (json)
            lines = [JsonSerializer.Serialize(value, JsonOptions)];
        foreach (var line in lines)
            around.Out.WriteLine(line);
    }

    /// <summary>Prints rows: a JSON array, a table, or a sentence when there are none.</summary>
    public void Table<T>(IReadOnlyCollection<T> rows, string whenEmpty, params Column<T>[] columns)
    {
        if (json)
            around.Out.WriteLine(JsonSerializer.Serialize(rows, JsonOptions));
        else if (rows.Count == 0)
            around.Out.WriteLine(whenEmpty);
        else if (around.IsTerminal)
            Boxed(rows, columns);
        else
            Plain(rows, columns);
    }

    private void Boxed<T>(IReadOnlyCollection<T> rows, Column<T>[] columns)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(around.Out) });
        var table = new Table().Border(TableBorder.Rounded).BorderColor(Color.Grey);
        foreach (var column in columns)
            table.AddColumn(new TableColumn($"[bold]{Markup.Escape(column.Title)}[/]"));
        foreach (var row in rows)
            table.AddRow([.. columns.Select(column => Markup.Escape(Cell(column.Value(row))))]);
        console.Write(table);
    }

    private void Plain<T>(IReadOnlyCollection<T> rows, Column<T>[] columns)
    {
        string[][] cells =
        [
            [.. columns.Select(column => column.Title)],
            .. rows.Select(row => columns.Select(column => Cell(column.Value(row))).ToArray()),
        ];
        var widths = columns.Select((_, index) => cells.Max(row => row[index].Length)).ToArray();
        foreach (var row in cells)
        {
            var line = string.Join("  ", row.Select((cell, index) => cell.PadRight(widths[index])));
            around.Out.WriteLine(line.TrimEnd());
        }
    }

    internal static string Cell(object? value) => value switch
    {
        null => "-",
        DateTimeOffset instant => instant.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss'Z'", null),
        bool flag => flag ? "yes" : "no",
        Enum word => JsonNamingPolicy.SnakeCaseLower.ConvertName(word.ToString()),
        IFormattable formattable =>
            formattable.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "-",
    };
}
