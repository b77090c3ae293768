using System.Buffers;
using CalSync.Calendar.Document;

namespace CalSync.Calendar.Tests.Document;

/// <summary>What a document looks like after reading, for comparing.</summary>
internal static class Written
{
    /// <summary>The octets put together from the parts, so that a line in no part would be missed.</summary>
    public static byte[] FromParts(CalendarDocument document)
    {
        var writer = new ArrayBufferWriter<byte>();
        writer.Write(document.Source[..document.Line(0).Start]);
        for (var line = 0; line < document.LineCount; line++)
            writer.Write(document.LineBytes(line));
        return writer.WrittenSpan.ToArray();
    }

    /// <summary>Every property once: through its component, or among the stray ones.</summary>
    public static List<CalendarProperty> Properties(CalendarDocument document) =>
        [
            .. document.StrayProperties,
            .. document.AllComponents.SelectMany(component => component.Properties),
        ];

    /// <summary>The tree as text: names, with what stands in them in parentheses.</summary>
    public static string Tree(CalendarDocument document) => Tree(document.Components);

    private static string Tree(IEnumerable<CalendarComponent> components) =>
        string.Join(' ', components.Select(component =>
            component.Components.Any() ? $"{component.Name}({Tree(component.Components)})" : component.Name));
}
