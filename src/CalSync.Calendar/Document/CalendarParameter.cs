using System.Collections;
using System.Collections.Immutable;
using System.Text;

namespace CalSync.Calendar.Document;

/// <summary>A parameter of a property. RFC 5545 section 3.2.</summary>
public readonly record struct CalendarParameter
{
    private readonly ReadOnlyMemory<byte> _name;
    private readonly ReadOnlyMemory<byte> _raw;

    internal CalendarParameter(ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> raw, int offset, bool hasValue)
    {
        _name = name;
        _raw = raw;
        Offset = offset;
        HasValue = hasValue;
    }

    /// <summary>Upper case, whatever the stream has: "TZID".</summary>
    public string Name => Encoding.UTF8.GetString(_name.Span).ToUpperInvariant();

    /// <summary>
    /// Whether an equals sign stands after the name. vCalendar 1.0 wrote parameters as bare values.
    /// </summary>
    public bool HasValue { get; }

    /// <summary>All of it after the equals sign, with quotes and RFC 6868 escapes.</summary>
    public string RawValue => Encoding.UTF8.GetString(_raw.Span);

    /// <summary>The first value, without quotes and escapes; empty when there is none.</summary>
    public string Value => ParameterText.Decode(_raw.Span[..ParameterText.ValueEnd(_raw.Span)]);

    /// <summary>
    /// The values that commas separate, without quotes and escapes; none without equals sign.
    /// </summary>
    public ImmutableArray<string> Values
    {
        get
        {
            if (!HasValue)
                return [];
            var values = ImmutableArray.CreateBuilder<string>(1);
            var rest = _raw.Span;
            while (ParameterText.ValueEnd(rest) is var end && end < rest.Length)
            {
                values.Add(ParameterText.Decode(rest[..end]));
                rest = rest[(end + 1)..];
            }

            values.Add(ParameterText.Decode(rest));
            return values.DrainToImmutable();
        }
    }

    /// <summary>Octets of the unfolded parameters before it.</summary>
    internal int Offset { get; }

    internal ReadOnlySpan<byte> NameOctets => _name.Span;

    internal ReadOnlySpan<byte> RawOctets => _raw.Span;

    /// <summary>Whether it has this name, in any letter case.</summary>
    /// <param name="name">For example <c>"TZID"u8</c>.</param>
    public bool Is(ReadOnlySpan<byte> name) => Ascii.EqualsIgnoreCase(_name.Span, name);
}

/// <summary>The parameters of one property.</summary>
public readonly record struct ParameterList : IEnumerable<CalendarParameter>
{
    private readonly CalendarProperty _property;

    internal ParameterList(CalendarProperty property) => _property = property;

    /// <summary>The parameters, in the order of the stream.</summary>
    public Enumerator GetEnumerator() => new(_property);

    IEnumerator<CalendarParameter> IEnumerable<CalendarParameter>.GetEnumerator() => GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Steps from semicolon to semicolon outside quotes.</summary>
    public struct Enumerator : IEnumerator<CalendarParameter>
    {
        private readonly ReadOnlyMemory<byte> _all;
        private readonly bool _quotesCount;
        private int _position;

        internal Enumerator(CalendarProperty property)
        {
            _all = property.ParameterMemory;
            _quotesCount = (property.Entry.Traits & LineTraits.OpenQuote) == 0;
        }

        /// <inheritdoc/>
        public CalendarParameter Current { get; private set; }

        readonly object IEnumerator.Current => Current;

        /// <inheritdoc/>
        public bool MoveNext()
        {
            if (_position >= _all.Length)
                return false;
            var start = _position + 1;
            var rest = _all.Span[start..];
            var length = _quotesCount ? ParameterText.End(rest, (byte)';') : rest.IndexOf((byte)';');
            length = length < 0 ? rest.Length : length;
            var equals = rest[..length].IndexOf((byte)'=');
            Current = equals < 0
                ? new CalendarParameter(_all.Slice(start, length), default, start, false)
                : new CalendarParameter(
                    _all.Slice(start, equals), _all[(start + equals + 1)..(start + length)], start, true);
            _position = start + length;
            return true;
        }

        /// <inheritdoc/>
        public readonly void Reset() => throw new NotSupportedException("Take a new enumerator.");

        /// <inheritdoc/>
        public readonly void Dispose()
        {
        }
    }
}
