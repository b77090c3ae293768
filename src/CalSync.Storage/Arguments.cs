using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Reflection;

namespace CalSync.Storage;

/// <summary>One argument of a statement with its declared type, so that a null is typed too.</summary>
/// <param name="Value">The value; null is SQL NULL.</param>
/// <param name="Type">The declared type without its nullability; <see cref="object"/> when unknown.</param>
internal readonly record struct Argument(object? Value, Type Type);

/// <summary>Reads named arguments from an anonymous object, a record, or a dictionary.</summary>
internal static class Arguments
{
    private static readonly ConcurrentDictionary<Type, FrozenDictionary<string, PropertyInfo>> Properties =
        new();

    /// <summary>Finds one argument, ignoring case.</summary>
    /// <exception cref="ArgumentException">The statement names a parameter that was not given.</exception>
    public static Argument Find(object? args, string name)
    {
        if (args is IReadOnlyDictionary<string, object?> map && map.TryGetValue(name, out var value))
            return new Argument(value, value?.GetType() ?? typeof(object));
        if (args is not null && Of(args.GetType()).TryGetValue(name, out var property))
        {
            var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            return new Argument(property.GetValue(args), type);
        }

        throw new ArgumentException($"The statement names @{name}, which was not given.", nameof(args));
    }

    private static FrozenDictionary<string, PropertyInfo> Of(Type type) => Properties.GetOrAdd(
        type,
        static key => key.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.GetIndexParameters().Length == 0)
            .ToFrozenDictionary(property => property.Name, StringComparer.OrdinalIgnoreCase));
}
