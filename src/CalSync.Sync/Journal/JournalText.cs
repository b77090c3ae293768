using System.Collections;
using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace CalSync.Sync.Journal;

/// <summary>Writes what is recorded as JSON, names in camel case.</summary>
public static class JournalText
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerOptions.Web)
    {
        Converters = { new AnonymousConverter() },
    };

    /// <summary>The JSON of an anonymous object, or of anything else that can be serialised.</summary>
    public static string Of(object value) => JsonSerializer.Serialize(value, Options);
}

/// <summary>Writes anonymous objects, member by member.</summary>
/// <remarks>
/// The serialiser's own converter for them is made while the program runs, for which a program compiled ahead
/// has no code as soon as a member is a value type. This one needs none.
/// </remarks>
public sealed class AnonymousConverter : JsonConverter<object>
{
    private readonly ConcurrentDictionary<Type, (JsonEncodedText Name, PropertyInfo Property)[]> _members =
        new();

    /// <inheritdoc/>
    public override bool CanConvert(Type typeToConvert) =>
        typeToConvert.Name.StartsWith("<>f__AnonymousType", StringComparison.Ordinal)
        && typeToConvert.IsDefined(typeof(CompilerGeneratedAttribute));

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">Always: nothing is read into an anonymous object.</exception>
    public override object Read(
        ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        throw new NotSupportedException("Anonymous objects are only written.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, object value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        // The names are those of the one set of options this converter is of.
        foreach (var (name, property) in _members.GetOrAdd(value.GetType(), MembersOf, options))
        {
            var content = property.GetValue(value);
            if (content is null && options.DefaultIgnoreCondition == JsonIgnoreCondition.WhenWritingNull)
                continue;
            writer.WritePropertyName(name);
            WriteMember(writer, content, options);
        }

        writer.WriteEndObject();
    }

    private static (JsonEncodedText Name, PropertyInfo Property)[] MembersOf(
        Type type, JsonSerializerOptions options) =>
    [
        .. type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(property => (
            JsonEncodedText.Encode(
                options.PropertyNamingPolicy?.ConvertName(property.Name) ?? property.Name, options.Encoder),
            property)),
    ];

    private static void WriteMember(Utf8JsonWriter writer, object? content, JsonSerializerOptions options)
    {
        switch (content)
        {
            case null:
                writer.WriteNullValue();
                break;
            // Immutable arrays, which are value types too.
            case ValueType and IEnumerable items:
                writer.WriteStartArray();
                foreach (var item in items)
                    WriteMember(writer, item, options);
                writer.WriteEndArray();
                break;
            default:
                JsonSerializer.Serialize(writer, content, content.GetType(), options);
                break;
        }
    }
}
