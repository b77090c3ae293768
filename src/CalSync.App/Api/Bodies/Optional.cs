using System.Text.Json;
using System.Text.Json.Serialization;

namespace CalSync.App.Api.Bodies;

/// <summary>
/// A member of a PATCH body: absent (leave it), or present, possibly null (clear it). RFC 7396.
/// </summary>
/// <param name="Value">What was sent; meaningful only when <paramref name="IsGiven"/>.</param>
/// <param name="IsGiven">False when the member was absent.</param>
[JsonConverter(typeof(OptionalConverters))]
internal readonly record struct Optional<T>(T? Value, bool IsGiven)
{
    /// <summary>The new value, or the old one when the member was absent.</summary>
    public T? Or(T? old) => IsGiven ? Value : old;
}

/// <summary>
/// Makes the converters for <see cref="Optional{T}"/>; only for the types PATCH bodies use.
/// </summary>
internal sealed class OptionalConverters : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) => Create(typeToConvert) is not null;

    public override JsonConverter? CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        Create(typeToConvert);

    private static JsonConverter? Create(Type type)
    {
        if (type == typeof(Optional<string>))
            return new TextConverter();
        return type == typeof(Optional<int?>) ? new NumberConverter() : null;
    }

    private sealed class TextConverter : JsonConverter<Optional<string>>
    {
        public override bool HandleNull => true;

        public override Optional<string> Read(ref Utf8JsonReader reader, Type typeToConvert,
            JsonSerializerOptions options)
        {
            if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.Null))
                throw new JsonException();
            return new Optional<string>(reader.GetString(), true);
        }

        public override void Write(Utf8JsonWriter writer, Optional<string> value,
            JsonSerializerOptions options) =>
            writer.WriteStringValue(value.Value);
    }

    private sealed class NumberConverter : JsonConverter<Optional<int?>>
    {
        public override bool HandleNull => true;

        public override Optional<int?> Read(ref Utf8JsonReader reader, Type typeToConvert,
            JsonSerializerOptions options)
        {
            if (reader.TokenType == JsonTokenType.Null)
                return new Optional<int?>(null, true);
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out var number))
                throw new JsonException();
            return new Optional<int?>(number, true);
        }

        public override void Write(Utf8JsonWriter writer, Optional<int?> value, JsonSerializerOptions options)
        {
            if (value.Value is { } number)
                writer.WriteNumberValue(number);
            else
                writer.WriteNullValue();
        }
    }
}
