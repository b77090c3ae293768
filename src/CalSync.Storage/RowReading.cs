using System.Collections.Concurrent;
using System.Data.Common;
using System.Globalization;
using System.Reflection;

namespace CalSync.Storage;

/// <summary>
/// Turns result rows into values: one column into a scalar, several into a record, each column into the
/// property or constructor parameter of its name, underscores and case aside.
/// </summary>
/// <remarks>
/// Nothing is generated while it runs, so a program that is compiled ahead reads rows as every other does.
/// A column without a property is left out, NULL leaves a property as it is.
/// </remarks>
internal static class RowReading
{
    private static readonly ConcurrentDictionary<Type, Dictionary<string, PropertyInfo>> Properties = new();

    /// <summary>Reads rows to the end of the current result.</summary>
    /// <param name="reader">Before its first row.</param>
    /// <param name="countMax">Stops after so many rows.</param>
    /// <param name="cancellation">Stops between rows.</param>
    public static async Task<List<T>> ReadAsync<T>(
        DbDataReader reader, int countMax, CancellationToken cancellation)
    {
        var rows = new List<T>();
        if (!await reader.ReadAsync(cancellation))
            return rows;
        var parse = IsScalar(typeof(T)) ? ReadScalar<T> : Parser<T>(reader);
        do
            rows.Add(parse(reader));
        while (rows.Count < countMax && await reader.ReadAsync(cancellation));
        return rows;
    }

    /// <summary>Converts one value; NULL becomes the default.</summary>
    public static T? Scalar<T>(object? value) => value switch
    {
        null or DBNull => default,
        T exact => exact,
        _ => (T)Converted(value, typeof(T)),
    };

    private static T ReadScalar<T>(DbDataReader row) => Scalar<T>(row.GetValue(0))!;

    private static Func<DbDataReader, T> Parser<T>(DbDataReader reader)
    {
        var names = Enumerable.Range(0, reader.FieldCount)
            .Select(index => reader.GetName(index).Replace("_", "", StringComparison.Ordinal)).ToArray();
        if (typeof(T).GetConstructor(Type.EmptyTypes) is not { } make)
            return Constructed<T>(names);
        var known = Properties.GetOrAdd(
            typeof(T),
            static type => type.GetProperties().Where(property => property.CanWrite)
                .ToDictionary(property => property.Name, StringComparer.OrdinalIgnoreCase));
        var properties = names.Select(known.GetValueOrDefault).ToArray();
        return row =>
        {
            var made = make.Invoke(null);
            for (var index = 0; index < properties.Length; index++)
            {
                if (properties[index] is { } property && row.GetValue(index) is var value and not DBNull)
                    property.SetValue(made, Converted(value, property.PropertyType));
            }

            return (T)made;
        };
    }

    /// <summary>Rows of a type that is made by its longest constructor, all of whose parameters are
    /// columns.</summary>
    private static Func<DbDataReader, T> Constructed<T>(string[] names)
    {
        var make = typeof(T).GetConstructors().MaxBy(one => one.GetParameters().Length)
            ?? throw new InvalidOperationException($"A {typeof(T).Name} cannot be made of a row.");
        var places = make.GetParameters().Select(parameter => (
            Type: parameter.ParameterType, Index: Place<T>(names, parameter.Name!))).ToArray();
        return row =>
        {
            var values = new object?[places.Length];
            for (var index = 0; index < values.Length; index++)
            {
                var value = row.GetValue(places[index].Index);
                values[index] = value is DBNull ? null : Converted(value, places[index].Type);
            }

            return (T)make.Invoke(values);
        };
    }

    private static int Place<T>(string[] names, string wanted) => Array.FindIndex(
        names, name => name.Equals(wanted, StringComparison.OrdinalIgnoreCase)) is >= 0 and var at
        ? at
        : throw new InvalidOperationException($"No column gives the {wanted} of a {typeof(T).Name}.");

    /// <summary>A value as a type has it: engines have fewer types than records.</summary>
    private static object Converted(object value, Type wanted)
    {
        var type = Nullable.GetUnderlyingType(wanted) ?? wanted;
        return type.IsInstanceOfType(value) ? value
            : type == typeof(DateTimeOffset) ? Instant.Read(value)
            : type.IsEnum ? Enum.Parse(type, value.ToString()!, ignoreCase: true)
            : Convert.ChangeType(value, type, CultureInfo.InvariantCulture);
    }

    private static bool IsScalar(Type type)
    {
        var inner = Nullable.GetUnderlyingType(type) ?? type;
        return inner.IsPrimitive
            || inner == typeof(string) || inner == typeof(decimal) || inner == typeof(byte[])
            || inner == typeof(DateTimeOffset);
    }
}

/// <summary>The results of several SELECTs, read one after the other.</summary>
/// <param name="reader">Before the first; disposed of with this.</param>
/// <param name="owner">Disposed of after the reader; null for none.</param>
/// <param name="fault">The typed fault for an engine's error.</param>
/// <param name="cancellation">Stops between rows.</param>
public sealed class ResultSets(
    DbDataReader reader, IAsyncDisposable? owner, Func<DbException, Exception> fault,
    CancellationToken cancellation) : IAsyncDisposable
{
    /// <summary>All rows of the next result.</summary>
    public async Task<List<T>> ReadAsync<T>()
    {
        try
        {
            var rows = await RowReading.ReadAsync<T>(reader, int.MaxValue, cancellation);
            await reader.NextResultAsync(cancellation);
            return rows;
        }
        catch (DbException error)
        {
            throw fault(error);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await reader.DisposeAsync();
        if (owner is not null)
            await owner.DisposeAsync();
    }
}
