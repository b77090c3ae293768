using System.Text.Json.Nodes;
using CalSync.Calendar;
using CalSync.Sandbox;
using NodaTime;

namespace CalSync.App.Demo;

/// <summary>The people and classes of the demo: the same every time, dated from the coming Monday.</summary>
/// <param name="now">UTC; only its date matters.</param>
internal sealed class DemoCatalogue(DateTimeOffset now)
{
    /// <summary>Instructor in New York.</summary>
    public const string Maya = "maya@studio.test";

    /// <summary>Instructor in Kolkata, who teaches in a secondary calendar.</summary>
    public const string Arjun = "arjun@studio.test";

    /// <summary>Runs the studio.</summary>
    public const string Admin = "ada@studio.test";

    /// <summary>The person on call.</summary>
    public const string OnCall = "omar@studio.test";

    /// <summary>The class that the tour works on.</summary>
    public const string TourTitle = "Watercolour for beginners";

    /// <summary>The class that is sent five times.</summary>
    public const string DoubleClickTitle = "Double click";

    /// <summary>The class whose insert loses its answer.</summary>
    public const string LostAnswerTitle = "Lost answer";

    /// <summary>The class in the secondary calendar.</summary>
    public const string SecondaryTitle = "Tabla, first steps";

    /// <summary>The class that needs attention.</summary>
    public const string FailedTitle = "Bookbinding";

    private const string NewYork = "America/New_York";

    /// <summary>Students in five zones, half-hour and 45-minute ones included; one has no account at the
    /// provider.</summary>
    public static IReadOnlyList<(string Name, string Email, string TimeZone)> Students { get; } =
    [
        ("Bea", "bea@mail.test", "America/New_York"),
        ("Chen", "chen@mail.test", "Asia/Kolkata"),
        ("Dilip", "dilip@mail.test", "Asia/Kathmandu"),
        ("Elin", "elin@mail.test", "Europe/London"),
        ("Finn", "finn@mail.test", "Australia/Lord_Howe"),
        ("Gita", "gita@mail.test", "Asia/Kolkata"),
        ("Hugo", "hugo@mail.test", "Europe/London"),
        ("Ines", "ines@mail.test", "America/New_York"),
        ("Jun", "jun@mail.test", "Australia/Lord_Howe"),
        ("Kiran", "kiran@mail.test", "Asia/Kathmandu"),
        ("Lou", "lou@elsewhere.test", "Europe/London"),
        ("Mika", "mika@gmial.test", "America/New_York"),
    ];

    private readonly LocalDate _monday =
        LocalDate.FromDateTime(now.UtcDateTime).Next(IsoDayOfWeek.Monday);

    /// <summary>The accounts the practice Google knows: instructors and students but for two
    /// addresses.</summary>
    public static IReadOnlyList<SandboxUser> Accounts =>
    [
        new SandboxUser(Maya, "Maya", "America/New_York"),
        new SandboxUser(Arjun, "Arjun", "Asia/Kolkata"),
        .. Students.Where(student => student.Email.EndsWith("@mail.test", StringComparison.Ordinal))
            .Select(student => new SandboxUser(student.Email, student.Name, student.TimeZone)),
    ];

    /// <summary>Six weeks, across the next change of the clocks.</summary>
    public JsonObject WeeklyClass() => Class(
        "Life drawing", NewYork, 8, Weekly(BeforeTheClocksChange(NewYork), 18, 6));

    /// <summary>Two seats.</summary>
    public JsonObject FullClass() => Class("Etching, small group", NewYork, 2, Slots((1, 10)));

    /// <summary>A slot a week from three weeks ago on; the last one moves.</summary>
    public JsonObject MovedClass() => Class(
        "Open studio", NewYork, 12, Slots((-21 + 4, 17), (-14 + 4, 17), (-7 + 4, 17), (4, 17)));

    /// <summary>In the secondary calendar.</summary>
    public JsonObject RagaClass() => Class("Raga listening", "Asia/Kolkata", 20, Slots((2, 19), (9, 19)));

    /// <summary>One that is called off.</summary>
    public JsonObject CancelledClass() => Class("Poster night", NewYork, 10, Slots((5, 20)));

    /// <summary>One whose second event Google refuses.</summary>
    public JsonObject FailedClass() => Class(FailedTitle, NewYork, 6, Slots((2, 13), (3, 13)));

    /// <summary>Three slots next week.</summary>
    public JsonObject TourClass() => Class(TourTitle, "America/New_York", 10, Slots((0, 9), (1, 9), (2, 9)));

    /// <summary>One slot.</summary>
    public JsonObject DoubleClickClass() => Class(DoubleClickTitle, "America/New_York", 10, Slots((3, 9)));

    /// <summary>One slot.</summary>
    public JsonObject LostAnswerClass() => Class(LostAnswerTitle, "America/New_York", 10, Slots((3, 11)));

    /// <summary>Two slots in Kolkata.</summary>
    public JsonObject SecondaryClass() => Class(SecondaryTitle, "Asia/Kolkata", 10, Slots((3, 8), (4, 8)));

    /// <summary>The body that moves a slot.</summary>
    public static JsonObject SlotTimes(string startLocal, int minutes) =>
        new() { ["start"] = startLocal, ["durationMinutes"] = minutes };

    /// <summary>A wall time some hours later.</summary>
    public static string Later(string startLocal, int hours) =>
        LocalTimeText.TryParse(startLocal, out var local)
            ? LocalTimeText.Write(local.PlusHours(hours))
            : throw new DemoFailedException($"'{startLocal}' is not a local time.");

    private static JsonObject Class(string title, string zone, int capacity, JsonObject schedule) => new()
    {
        ["title"] = title,
        ["timeZone"] = zone,
        ["capacity"] = capacity,
        ["price"] = new JsonObject { ["minor"] = 2500, ["currency"] = "USD" },
        ["schedules"] = new JsonArray(schedule),
    };

    private JsonObject Slots(params (int Day, int Hour)[] slots) => new()
    {
        ["slots"] = new JsonArray([.. slots.Select(slot =>
            SlotTimes(LocalTimeText.Write(_monday.PlusDays(slot.Day).At(new LocalTime(slot.Hour, 0))), 60))]),
    };

    private static JsonObject Weekly(LocalDate first, int hour, int count) => new()
    {
        ["rrule"] = $"FREQ=WEEKLY;COUNT={count}",
        ["slots"] = new JsonArray(SlotTimes(LocalTimeText.Write(first.At(new LocalTime(hour, 0))), 90)),
    };

    // Two weeks before the zone's next change of clocks, so that the series crosses it.
    private LocalDate BeforeTheClocksChange(string zoneName)
    {
        var zone = ((ZoneResolution.Found)CalendarZone.Resolve(zoneName)).Zone;
        var day = _monday;
        while (ZonedTime.FromInstant(Midnight(day), zone).Offset == ZonedTime.FromInstant(
            Midnight(day.PlusWeeks(2)), zone).Offset
            && day < _monday.PlusYears(1))
        {
            day = day.PlusWeeks(1);
        }

        return day;
    }

    private static DateTimeOffset Midnight(LocalDate day) => new(day.ToDateTimeUnspecified(), TimeSpan.Zero);
}
