using System.Data.Common;
using System.Globalization;
using Dapper;

namespace CalSync.Storage;

/// <summary>Turns result rows into values: scalars here, records by Dapper.</summary>
internal static class RowReading
{
    /// <summary>Registers what Dapper has to know; repeating it changes nothing.</summary>
    public static void Register()
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        SqlMapper.RemoveTypeMap(typeof(DateTimeOffset));
        SqlMapper.RemoveTypeMap(typeof(DateTimeOffset?));
        SqlMapper.AddTypeHandler(new Instant.Handler());
    }

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
        var parse = IsScalar(typeof(T)) ? ReadScalar<T> : reader.GetRowParser<T>();
        do
            rows.Add(parse(reader));
        while (rows.Count < countMax && await reader.ReadAsync(cancellation));
        return rows;
    }

    /// <summary>Converts one value; NULL becomes the default.</summary>
    public static T? Scalar<T>(object? value)
    {
        if (value is null or DBNull)
            return default;
        if (value is T exact)
            return exact;
        var type = Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T);
        return (T)(type == typeof(DateTimeOffset)
            ? Instant.Read(value)
            : Convert.ChangeType(value, type, CultureInfo.InvariantCulture));
    }

    private static T ReadScalar<T>(DbDataReader row) => Scalar<T>(row.GetValue(0))!;

    private static bool IsScalar(Type type)
    {
        var inner = Nullable.GetUnderlyingType(type) ?? type;
        return inner.IsPrimitive
            || inner == typeof(string) || inner == typeof(decimal) || inner == typeof(byte[])
            || inner == typeof(DateTimeOffset);
    }
}
