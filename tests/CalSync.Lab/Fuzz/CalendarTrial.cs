using System.Collections;
using System.Diagnostics;
using System.Reflection;
using CalSync.Calendar;
using CalSync.Calendar.Comparison;
using CalSync.Calendar.Components;
using CalSync.Calendar.Document;
using CalSync.Calendar.Lint;
using CalSync.Calendar.Values;

namespace CalSync.Lab.Fuzz;

/// <summary>Takes one input through all that the calendar library does with a stream.</summary>
/// <param name="input">The octets of the stream.</param>
/// <param name="random">Chooses what is edited and from when is expanded.</param>
internal sealed class CalendarTrial(byte[] input, Random random)
{
    // The work that one input asks for is bounded, so that a second for it means something.
    private const int ComponentCountMax = 100;
    private const int PropertyCountMax = 300;
    private const int ZoneCountMax = 20;

    private static readonly OccurrenceLimits Limits = new(500, 20_000);

    // Found by their shape, so that a new view or reader cannot be forgotten here.
    private static readonly MethodInfo[] Readers =
    [
        .. typeof(PropertyValues).GetMethods(BindingFlags.Public | BindingFlags.Static)
            .Where(method => method.GetParameters() is [var only]
                && only.ParameterType == typeof(CalendarProperty)),
    ];

    private static readonly (ConstructorInfo Make, PropertyInfo[] Properties)[] Views =
    [
        .. typeof(CalendarEvent).Assembly.GetExportedTypes()
            .Select(type => type.GetConstructor([typeof(CalendarComponent)]))
            .OfType<ConstructorInfo>()
            .Select(make => (make, make.DeclaringType!.GetProperties())),
    ];

    private (long Clock, TimeSpan Processor) _stepStart = Now();

    /// <summary>What was done last, for the report.</summary>
    public string Step
    {
        get;
        private set
        {
            EndStep();
            field = value;
        }
    }
    = "start";

    /// <summary>
    /// The step that took longest, and how long: processor time where that is less, for on a busy machine the
    /// clock goes on while nothing is done.
    /// </summary>
    public (TimeSpan Time, string Step) Longest { get; private set; } = (TimeSpan.Zero, "none");

    /// <summary>Does it all; an exception is a finding.</summary>
    public void Run()
    {
        Step = "parse";
        var document = CalendarDocument.Parse(input);
        CheckOctets(document);
        Step = "lint";
        foreach (var problem in CalendarLint.Check(document))
            CheckProblem(problem);
        ReadEverything(document);
        EditSomething(document);
        Step = "expand";
        Expand(document);
        Step = "time zones";
        EvaluateZones(document);
        EndStep();
    }

    private void EndStep()
    {
        var (clock, processor) = (_stepStart.Clock, Environment.CpuUsage.TotalTime - _stepStart.Processor);
        var time = Stopwatch.GetElapsedTime(clock);
        time = time < processor ? time : processor;
        if (time > Longest.Time)
            Longest = (time, Step);
        _stepStart = Now();
    }

    private static (long Clock, TimeSpan Processor) Now() =>
        (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);

    private void CheckOctets(CalendarDocument document)
    {
        var length = document.Line(0).Start;
        for (var line = 0; line < document.LineCount; line++)
        {
            Require(document.Line(line).Start == length, "lines do not meet");
            length += document.LineBytes(line).Length;
        }

        Require(length == input.Length && document.Bytes.Span.SequenceEqual(input), "octets are lost");
        var lines = Enumerable.Range(0, document.LineCount)
            .Count(line => document.Line(line).Kind == LineKind.Property);
        Require(Properties(document).Count() == lines, "properties are in no component");
        foreach (var problem in document.Problems)
            CheckProblem(problem);
    }

    private void ReadEverything(CalendarDocument document)
    {
        foreach (var component in document.AllComponents.Take(ComponentCountMax))
        {
            foreach (var (make, properties) in Views)
            {
                var view = make.Invoke([component]);
                foreach (var property in properties)
                {
                    Step = $"view {make.DeclaringType!.Name}.{property.Name}, line {component.LineNumber}";
                    Touch(property.GetValue(view));
                }
            }
        }

        foreach (var property in Properties(document).Take(PropertyCountMax))
        {
            Step = $"content of line {property.LineNumber}";
            _ = property.Content.ToString();
            foreach (var reader in Readers)
            {
                Step = $"{reader.Name} of line {property.LineNumber}";
                Touch(reader.Invoke(null, [property]));
            }
        }
    }

    /// <summary>Reads what a view gives, to the end.</summary>
    private void Touch(object? value)
    {
        if (value is IEnumerable all and not string)
        {
            foreach (var item in all)
                _ = item.ToString();
        }
        else if (value?.GetType() is { IsGenericType: true } type
            && type.GetGenericTypeDefinition() == typeof(PropertyReading<>))
        {
            var state = (ReadingState)type.GetProperty("State")!.GetValue(value)!;
            var problem = (CalendarProblem?)type.GetProperty("Problem")!.GetValue(value);
            Require(state != ReadingState.Malformed || problem is not null, "malformed without a problem");
            if (problem is not null)
                CheckProblem(problem);
            if (state == ReadingState.Read)
                Touch(type.GetProperty("Value")!.GetValue(value));
        }
        else
        {
            _ = value?.ToString();
        }
    }

    private void EditSomething(CalendarDocument document)
    {
        var properties = Properties(document).ToList();
        if (properties.Count == 0)
            return;
        var property = properties[random.Next(properties.Count)];
        var content = NewContent(property);
        Step = $"edit of line {property.LineNumber} to {content.Name}";
        var edited = document.Edit().Replace(property, content).Apply();
        var start = property.Entry.Start;
        var after = input.AsSpan(start + property.Bytes.Length);
        Require(edited.Source.StartsWith(input.AsSpan(0, start)), "octets before the edit changed");
        Require(edited.Source.EndsWith(after), "octets behind the edit changed");
        Require(Properties(edited).Any(each => each.Content.Equals(content)), "the edit is not there");
        Step = "lint of what was edited";
        _ = CalendarLint.Check(edited);
        CompareAndMerge(document, edited);
    }

    private void CompareAndMerge(CalendarDocument document, CalendarDocument edited)
    {
        Step = "comparison";
        var again = CalendarDocument.Parse(input);
        Require(CalendarDiff.Compare(document, again).IsEmpty, "it differs from itself");
        Step = "merge";
        var merge = CalendarMerge.Merge(document, edited, again, MergePreference.Right);
        Require(merge.Conflicts.IsEmpty && merge.Document.Source.SequenceEqual(edited.Source),
            "one edit merged is another");
        if (!document.AllComponents.Any())
            return;
        var other = again.Edit()
            .Set(again.AllComponents.First(), new PropertyContent("X-OTHER", "1")).Apply();
        Step = "merge of two edits";
        merge = CalendarMerge.Merge(document, edited, other, MergePreference.Newest);
        Step = "comparison with the merge";
        foreach (var change in CalendarDiff.Compare(document, merge.Document))
            _ = change.ToString();
    }

    private PropertyContent NewContent(CalendarProperty property) => random.Next(4) switch
    {
        0 => property.Content with { RawValue = property.RawValue + "!" },
        1 => NewProperty.Text("SUMMARY", property.ReadText().Or("a;b,c\\d\n") + "é"),
        2 => NewProperty.Texts("CATEGORIES", ["A", property.Name, "b,c"]),
        _ => NewProperty.Recur("RRULE", property.ReadRecur().Or(new Recur(Frequency.Weekly))),
    };

    private void Expand(CalendarDocument document)
    {
        var expansion = CalendarExpansion.Read(document, CalendarZone.Utc);
        DateTimeOffset? from = random.Next(2) == 0
            ? null
            : new DateTimeOffset(random.Next(1, 9999), random.Next(1, 13), 1, 0, 0, 0, TimeSpan.Zero);
        var last = DateTimeOffset.MinValue;
        var isEnded = false;
        foreach (var step in expansion.Occurrences(from, null, Limits))
        {
            Require(!isEnded, "occurrences behind the end");
            isEnded = step is ExpansionStep.Ended;
            if (step is ExpansionStep.Found { Value: var found })
            {
                var start = found.Start.InstantIn(CalendarZone.Utc);
                Require(start >= last, "occurrences out of order");
                last = start;
                _ = found.ToString();
            }
        }

        Require(isEnded, "occurrences without an end");
        foreach (var problem in expansion.Problems)
            CheckProblem(problem);
    }

    private void EvaluateZones(CalendarDocument document)
    {
        var components = document.AllComponents.Where(component => component.Is("VTIMEZONE"u8));
        foreach (var component in components.Take(ZoneCountMax))
        {
            var embedded = EmbeddedTimeZone.Read(component);
            _ = CalendarZone.Resolve(embedded.TzId, embedded);
            _ = string.Concat(embedded.ToLines());
            if (CalendarZone.FromEmbedded(embedded) is not { } zone)
                continue;
            foreach (var year in new[] { 1900, 1970, random.Next(1971, 2038), 2100, 9990 })
            {
                var moment = new DateTimeOffset(year, random.Next(1, 13), 1, 12, 0, 0, TimeSpan.Zero);
                var time = ZonedTime.FromInstant(moment, zone);
                Require(time.Instant == moment, "the instant is another");
                _ = ZonedTime.Resolve(time.Local, zone).ToString();
            }
        }
    }

    private void CheckProblem(CalendarProblem problem) =>
        Require(problem.Offset >= 0 && problem.Offset <= input.Length && problem.Line > 0
            && problem.Column > 0, $"a problem without a place: {problem}");

    private static IEnumerable<CalendarProperty> Properties(CalendarDocument document) =>
        document.StrayProperties.Concat(document.AllComponents.SelectMany(each => each.Properties));

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
            throw new InvalidOperationException(otherwise);
    }
}
