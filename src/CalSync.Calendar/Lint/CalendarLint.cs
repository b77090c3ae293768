using System.Collections.Immutable;
using CalSync.Calendar.Document;

namespace CalSync.Calendar.Lint;

/// <summary>Checks a stream against the standard, rule by rule.</summary>
/// <remarks>RFC 5545, RFC 5546 section 3, RFC 7986. Nothing is changed, nothing throws.</remarks>
public static class CalendarLint
{
    /// <summary>Most problems that are listed.</summary>
    public const int ProblemCountMax = 10_000;

    /// <summary>Everything that is wrong, in the order of the stream.</summary>
    public static ImmutableArray<CalendarProblem> Check(CalendarDocument document)
    {
        var report = new LintReport(document);
        foreach (var problem in document.Problems)
            report.Add(problem);
        LineLint.Check(document, report);
        var zones = new ZoneLint(document);
        foreach (var property in document.StrayProperties)
            ValueLint.Check(property, report);
        foreach (var component in document.AllComponents)
        {
            if (report.IsFull)
                break;
            ComponentLint.Check(component, report);
            TimeLint.Check(component, zones, report);
            MethodLint.Check(component, report);
            foreach (var property in component.Properties)
            {
                ValueLint.Check(property, report);
                zones.Check(property, report);
            }
        }

        return report.Sorted();
    }
}

/// <summary>The problems found so far.</summary>
internal sealed class LintReport(CalendarDocument document)
{
    private readonly List<CalendarProblem> _problems = [];

    /// <summary>Whether no more are listed.</summary>
    public bool IsFull => _problems.Count > CalendarLint.ProblemCountMax;

    public void Add(CalendarProblem? problem)
    {
        if (problem is null || IsFull)
            return;
        _problems.Add(_problems.Count < CalendarLint.ProblemCountMax
            ? problem
            : document.Problem(0, document.Line(0).Start, CalendarProblemCode.LimitReached,
                ProblemSeverity.Error, "RFC 5545 3.4", $"at most {CalendarLint.ProblemCountMax} problems"));
    }

    /// <summary>In the order of the stream, each once.</summary>
    public ImmutableArray<CalendarProblem> Sorted() =>
        [.. _problems.Distinct().OrderBy(problem => problem.Offset)];
}
