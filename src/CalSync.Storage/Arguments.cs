using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Reflection;

namespace CalSync.Storage;

/// <summary>One argument of a statement with its declared type, so that a null is typed too.</summary>
/// <param name="Value">The value; null is SQL NULL.</param>
/// <param name="Type">The declared type without its nullability; <see cref="object"/> when unknown.</param>
internal readonly record struct Argument(object? Value, Type Type)
{
    public static implicit operator Argument(string? text) => new(text, typeof(string));

    public static implicit operator Argument(bool flag) => new(flag, typeof(bool));

    public static implicit operator Argument(int number) => new(number, typeof(int));

    public static implicit operator Argument(DateTimeOffset? instant) => new(instant, typeof(DateTimeOffset));

    public static implicit operator Argument(ReadOnlyMemory<byte> octets) =>
        new(octets, typeof(ReadOnlyMemory<byte>));
}

/// <summary>Where in an object one argument is.</summary>
internal sealed record ArgumentPlace(PropertyInfo Property, Type Type);

/// <summary>Reads named arguments from an anonymous object, a record, or a dictionary.</summary>
internal static class Arguments
{
    private static readonly ConcurrentDictionary<Type, FrozenDictionary<string, PropertyInfo>> Properties =
        new();

    /// <summary>Finds where in arguments of one type those with given names are, ignoring case.</summary>
    /// <returns>One for each name; null where the type has none.</returns>
    public static ArgumentPlace?[] Places(Type type, IEnumerable<string> names)
    {
        var properties = Of(type);
        return [.. names.Select(name => properties.TryGetValue(name, out var property)
            ? new ArgumentPlace(
                property, Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType)
            : null)];
    }

    private static FrozenDictionary<string, PropertyInfo> Of(Type type) => Properties.GetOrAdd(
        type,
        static key => key.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.GetIndexParameters().Length == 0)
            .ToFrozenDictionary(property => property.Name, StringComparer.OrdinalIgnoreCase));
}
