using CalSync.Calendar.Document;
using CalSync.Calendar.Values;

namespace CalSync.Calendar.Components;

/// <summary>A VALARM read as typed values. RFC 5545 section 3.6.6.</summary>
/// <param name="Component">The component it reads.</param>
public readonly record struct CalendarAlarm(CalendarComponent Component)
{
    /// <summary>ACTION in upper case: AUDIO, DISPLAY, EMAIL. Section 3.8.6.1.</summary>
    public PropertyReading<string> Action => Component.Keyword("ACTION"u8);

    /// <summary>TRIGGER: when it goes off. Section 3.8.6.3.</summary>
    public PropertyReading<AlarmTrigger> Trigger =>
        Component.Property("TRIGGER"u8) is { } property ? property.ReadTrigger() : default;

    /// <summary>REPEAT: how often it goes off again; absent means 0. Section 3.8.6.2.</summary>
    public PropertyReading<int> Repeat => Component.Integer("REPEAT"u8);

    /// <summary>DURATION: how long until it goes off again. Section 3.8.2.5.</summary>
    public PropertyReading<CalendarDuration> Duration => Component.Duration("DURATION"u8);

    /// <summary>DESCRIPTION: what it shows or mails. Section 3.8.1.5.</summary>
    public PropertyReading<string> Description => Component.Text("DESCRIPTION"u8);

    /// <summary>SUMMARY: the subject of a mail. Section 3.8.1.12.</summary>
    public PropertyReading<string> Summary => Component.Text("SUMMARY"u8);
}
