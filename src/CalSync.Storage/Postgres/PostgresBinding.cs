using Npgsql;
using NpgsqlTypes;

namespace CalSync.Storage.Postgres;

/// <summary>
/// Binds arguments with their declared types, so that a null has a type and a plan stays prepared.
/// </summary>
internal static class PostgresBinding
{
    /// <summary>Adds the values of a statement in order of position.</summary>
    public static void BindPositions(NpgsqlParameterCollection parameters, SqlText text, object? args)
    {
        for (var i = 0; i < text.Names.Length; i++)
            parameters.Add(Parameter(text.Argument(args, i)));
    }

    /// <summary>Adds the values of a statement by name.</summary>
    public static void BindNames(NpgsqlParameterCollection parameters, SqlText text, object? args)
    {
        for (var i = 0; i < text.Names.Length; i++)
        {
            var parameter = Parameter(text.Argument(args, i));
            parameter.ParameterName = text.Names[i];
            parameters.Add(parameter);
        }
    }

    private static NpgsqlParameter Parameter(Argument argument) => argument.Value switch
    {
        null when TypeOf(argument.Type) is { } type =>
            new NpgsqlParameter { Value = DBNull.Value, NpgsqlDbType = type },
        null => new NpgsqlParameter { Value = DBNull.Value },
        // Npgsql wants offset zero and keeps microseconds.
        DateTimeOffset instant => new NpgsqlParameter
        {
            Value = Instant.Trim(instant).UtcDateTime,
            NpgsqlDbType = NpgsqlDbType.TimestampTz,
        },
        IEnumerable<DateTimeOffset> instants => new NpgsqlParameter
        {
            Value = instants.Select(instant => Instant.Trim(instant).UtcDateTime).ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz,
        },
        string text => new NpgsqlParameter { Value = text, NpgsqlDbType = NpgsqlDbType.Text },
        byte[] or ReadOnlyMemory<byte> => new NpgsqlParameter
        {
            Value = argument.Value,
            NpgsqlDbType = NpgsqlDbType.Bytea,
        },
        IEnumerable<string> texts => Array(texts, NpgsqlDbType.Text),
        IEnumerable<long> numbers => Array(numbers, NpgsqlDbType.Bigint),
        IEnumerable<int> numbers => Array(numbers, NpgsqlDbType.Integer),
        bool or int or long or short or double => new NpgsqlParameter
        {
            Value = argument.Value,
            NpgsqlDbType = TypeOf(argument.Value.GetType())!.Value,
        },
        _ => throw new ArgumentException($"A {argument.Type.Name} cannot be a parameter.", nameof(argument)),
    };

    private static NpgsqlParameter Array<T>(IEnumerable<T> values, NpgsqlDbType type) =>
        new() { Value = values as T[] ?? values.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | type };

    private static NpgsqlDbType? TypeOf(Type type) => Type.GetTypeCode(type) switch
    {
        TypeCode.String => NpgsqlDbType.Text,
        TypeCode.Boolean => NpgsqlDbType.Boolean,
        TypeCode.Int16 => NpgsqlDbType.Smallint,
        TypeCode.Int32 => NpgsqlDbType.Integer,
        TypeCode.Int64 => NpgsqlDbType.Bigint,
        TypeCode.Double => NpgsqlDbType.Double,
        _ when type == typeof(DateTimeOffset) => NpgsqlDbType.TimestampTz,
        _ when type == typeof(byte[]) => NpgsqlDbType.Bytea,
        _ => null,
    };
}
