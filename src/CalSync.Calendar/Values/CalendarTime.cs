using System.Globalization;
using NodaTime;

namespace CalSync.Calendar.Values;

/// <summary>What DTSTART, DTEND, DUE, RECURRENCE-ID and their like say: four kinds, never mixed up.</summary>
/// <remarks>
/// RFC 5545 sections 3.3.4 and 3.3.5. <see cref="ToString"/> is the strict text of the value.
/// </remarks>
public abstract record CalendarTime
{
    private CalendarTime()
    {
    }

    /// <summary>The local date, or the date of the wall time; for UTC the date in UTC.</summary>
    public abstract LocalDate Day { get; }

    /// <summary>A day without time and zone. Section 3.3.4: "20260308".</summary>
    /// <param name="Value">The day.</param>
    public sealed record Date(LocalDate Value) : CalendarTime
    {
        /// <inheritdoc/>
        public override LocalDate Day => Value;

        /// <summary>For example "20260308".</summary>
        public override string ToString() => Value.ToString("uuuuMMdd", CultureInfo.InvariantCulture);
    }

    /// <summary>The same wall time wherever the reader is. Section 3.3.5 form 1: "20260308T090000".</summary>
    /// <param name="Local">The wall time, whole seconds.</param>
    public sealed record Floating(LocalDateTime Local) : CalendarTime
    {
        /// <inheritdoc/>
        public override LocalDate Day => Local.Date;

        /// <summary>For example "20260308T090000".</summary>
        public override string ToString() => Write(Local);
    }

    /// <summary>A moment in UTC. Section 3.3.5 form 2: "20260308T140000Z".</summary>
    /// <param name="Time">The time a clock in UTC shows, whole seconds.</param>
    public sealed record Utc(LocalDateTime Time) : CalendarTime
    {
        /// <inheritdoc/>
        public override LocalDate Day => Time.Date;

        /// <summary>The moment, offset zero.</summary>
        public DateTimeOffset Moment => new(Time.ToDateTimeUnspecified(), TimeSpan.Zero);

        /// <summary>From a moment with any offset; parts of a second are cut off.</summary>
        public static Utc From(DateTimeOffset moment) => new(LocalDateTime.FromDateTime(
            moment.UtcDateTime.AddTicks(-(moment.UtcTicks % TimeSpan.TicksPerSecond))));

        /// <summary>For example "20260308T140000Z".</summary>
        public override string ToString() => Write(Time) + "Z";
    }

    /// <summary>
    /// A wall time in a zone that TZID names. Section 3.3.5 form 3. Which zone the name means is a question
    /// of its own: <see cref="CalendarZone.Resolve(string?)"/>.
    /// </summary>
    /// <param name="Local">The wall time, whole seconds.</param>
    /// <param name="TzId">The name as the stream has it, a leading slash included.</param>
    public sealed record Zoned(LocalDateTime Local, string TzId) : CalendarTime
    {
        /// <inheritdoc/>
        public override LocalDate Day => Local.Date;

        /// <summary>For example "20260308T090000"; the zone is a parameter, not part of the value.</summary>
        public override string ToString() => Write(Local);
    }

    private static string Write(LocalDateTime time) =>
        time.ToString("uuuuMMdd'T'HHmmss", CultureInfo.InvariantCulture);
}
