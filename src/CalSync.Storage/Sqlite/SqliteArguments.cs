using System.Buffers;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using SQLitePCL;

namespace CalSync.Storage.Sqlite;

/// <summary>The values of one statement in the form SQLite takes them: numbers, and octets one after
/// another.</summary>
/// <remarks>
/// They are put together before the transaction in which they are used begins, and lent to SQLite for the one
/// execution, not copied: of the time a small statement takes, copying its texts would be a third.
/// </remarks>
internal sealed class SqliteArguments
{
    private readonly Slot[] _slots;
    private readonly byte[] _octets;

    /// <summary>A content, which is kept where it is: it is most of what its row has.</summary>
    private readonly ReadOnlyMemory<byte> _lent;

    private SqliteArguments(Span<object?> values)
    {
        _slots = new Slot[values.Length];
        var size = 0;
        for (var i = 0; i < values.Length; i++)
        {
            if (_lent.IsEmpty && values[i] is ReadOnlyMemory<byte> { IsEmpty: false } lent)
            {
                _lent = lent;
                _slots[i] = new Slot(SlotKind.Lent, lent.Length, 0);
                values[i] = null;
                continue;
            }

            values[i] = Value(values[i]);
            _slots[i] = values[i] switch
            {
                null => default,
                long number => new Slot(SlotKind.Integer, 0, number),
                double number => new Slot(SlotKind.Real, 0, BitConverter.DoubleToInt64Bits(number)),
                string text => new Slot(SlotKind.Text, Encoding.UTF8.GetByteCount(text), size),
                ReadOnlyMemory<byte> octets => new Slot(SlotKind.Blob, octets.Length, size),
                _ => throw new UnreachableException("Unknown kind of value."),
            };
            size += _slots[i].Length;
        }

        _octets = GC.AllocateUninitializedArray<byte>(size);
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] is string text)
                Encoding.UTF8.GetBytes(text, Place(i));
            else if (values[i] is ReadOnlyMemory<byte> octets)
                octets.Span.CopyTo(Place(i));
        }
    }

    /// <summary>Values in the order in which a statement names them.</summary>
    public static SqliteArguments Of(params object?[] values) => new(values);

    /// <summary>The values a statement names.</summary>
    /// <param name="text">The statement.</param>
    /// <param name="args">Where they are; as they come when they were put together before.</param>
    public static SqliteArguments Of(SqlText text, object? args)
    {
        if (args is SqliteArguments ready)
            return ready;
        var values = ArrayPool<object?>.Shared.Rent(text.Names.Length);
        for (var i = 0; i < text.Names.Length; i++)
            values[i] = text.Argument(args, i).Value;
        return Take(values, text.Names.Length);
    }

    /// <summary>The values a statement names, out of those given by name.</summary>
    public static SqliteArguments Of(SqlText text, ReadOnlySpan<(string Name, Argument Argument)> given)
    {
        var values = ArrayPool<object?>.Shared.Rent(text.Names.Length);
        for (var i = 0; i < text.Names.Length; i++)
            values[i] = text.Argument(given, i).Value;
        return Take(values, text.Names.Length);
    }

    /// <param name="rented">Values in order; goes back where it was rented.</param>
    /// <param name="count">How many there are.</param>
    private static SqliteArguments Take(object?[] rented, int count)
    {
        var arguments = new SqliteArguments(rented.AsSpan(0, count));
        ArrayPool<object?>.Shared.Return(rented, clearArray: true);
        return arguments;
    }

    /// <summary>Puts a number in the place of another.</summary>
    public void Set(int index, long number) => _slots[index] = _slots[index] with { Number = number };

    /// <summary>Puts an ASCII text in the place of one as long.</summary>
    public void Set(int index, string text) => Encoding.ASCII.GetBytes(text, Place(index));

    /// <summary>Binds them and runs the statement; nothing stays bound.</summary>
    /// <returns>What the last step said.</returns>
    public unsafe int Run(sqlite3_stmt statement)
    {
        var handle = statement.DangerousGetHandle();
        // Also of an empty array: the null pointer would be NULL, not an empty text.
        fixed (byte* octets = &MemoryMarshal.GetArrayDataReference(_octets), lent = _lent.Span)
        {
            var code = raw.SQLITE_OK;
            for (var i = 0; i < _slots.Length && code == raw.SQLITE_OK; i++)
                code = Bind(handle, i + 1, _slots[i], _slots[i].Kind == SlotKind.Lent ? lent : octets);
            while (code is raw.SQLITE_OK or raw.SQLITE_ROW)
                code = raw.sqlite3_step(statement);
            _ = raw.sqlite3_reset(statement);
            _ = raw.sqlite3_clear_bindings(statement);
            return code;
        }
    }

    private Span<byte> Place(int index) =>
        _octets.AsSpan((int)_slots[index].Number, _slots[index].Length);

    private static unsafe int Bind(nint statement, int index, Slot slot, byte* octets) =>
        slot.Kind switch
        {
            SlotKind.Text => SqliteLibrary.BindText(statement, index, octets + slot.Number, slot.Length),
            SlotKind.Integer => SqliteLibrary.BindInteger(statement, index, slot.Number),
            SlotKind.Real => SqliteLibrary.BindReal(
                statement, index, BitConverter.Int64BitsToDouble(slot.Number)),
            SlotKind.Blob or SlotKind.Lent => SqliteLibrary.BindBlob(
                statement, index, octets + slot.Number, slot.Length),
            SlotKind.Null => raw.SQLITE_OK,
        };

    /// <summary>A value as SQLite keeps it: text, whole or real number, octets, or null.</summary>
    public static object? Value(object? value) => value switch
    {
        null or DBNull => null,
        string or long or double or ReadOnlyMemory<byte> => value,
        byte[] bytes => (ReadOnlyMemory<byte>)bytes,
        int number => (long)number,
        short number => (long)number,
        bool flag => flag ? 1L : 0L,
        DateTimeOffset instant => Instant.Write(instant),
        IEnumerable<DateTimeOffset> instants => JsonSerializer.Serialize(instants.Select(Instant.Write)),
        IEnumerable<string> texts => JsonSerializer.Serialize(texts),
        IEnumerable<long> numbers => JsonSerializer.Serialize(numbers),
        IEnumerable<int> numbers => JsonSerializer.Serialize(numbers),
        _ => throw new ArgumentException($"A {value.GetType().Name} cannot be a parameter.", nameof(value)),
    };

    private enum SlotKind : byte
    {
        Null = 0,
        Integer = 1,
        Real = 2,
        Text = 3,
        Blob = 4,
        Lent = 5,
    }

    /// <summary>One value.</summary>
    /// <param name="Kind">What it is.</param>
    /// <param name="Length">How many octets a text or blob has.</param>
    /// <param name="Number">The number, or where a text or blob begins.</param>
    private readonly record struct Slot(SlotKind Kind, int Length, long Number);
}
