using System.Text.Json.Nodes;
using CalSync.App.Pairs;
using CalSync.Sync.Pairs;
using CalSync.Sync.Pairs.Execution;
using CalSync.Sync.Pairs.Planning;
using Spectre.Console;

namespace CalSync.App.Commands;

/// <summary>Prints what a run of a pair came to.</summary>
internal static class RunPrinting
{
    private const int StepCountMax = 200;
    private const int ValueLengthMax = 60;

    private static readonly Column<PlanStep>[] Columns =
    [
        new("DO", step => step.Kind),
        new("ON", step => step.Side.Word()),
        new("EVENT", step => Short(step.Title.Length > 0 ? step.Title : step.Uid)),
        new("BECAUSE", step => Because(step)),
    ];

    /// <summary>The run as programs read it.</summary>
    public static JsonObject View(PairRun run)
    {
        var report = run.Report;
        return new JsonObject
        {
            ["pair"] = run.Pair.Name,
            ["pairId"] = run.Pair.Id,
            ["run"] = report?.RunId,
            ["outcome"] = Output.Cell(run.Outcome),
            ["takeBack"] = report?.TakeBack?.Words,
            ["created"] = report?.Created ?? 0,
            ["updated"] = report?.Updated ?? 0,
            ["deleted"] = report?.Deleted ?? 0,
            ["linked"] = report?.Linked ?? 0,
            ["waiting"] = report?.Waiting ?? 0,
            ["deferred"] = report?.Deferred ?? 0,
            ["conflicts"] = report?.Conflicts ?? 0,
            ["losses"] = new JsonArray(
            [
                .. (report?.Losses ?? []).Select(each => new JsonObject
                {
                    ["side"] = each.Side.Word(),
                    ["uid"] = each.Uid,
                    ["title"] = each.Title,
                    ["what"] = each.Loss.What,
                    ["why"] = each.Loss.Why,
                }),
            ]),
            ["fullRead"] = report?.IsFullRead ?? false,
            ["untouched"] = new JsonArray([.. (report?.Untouched ?? []).Select(each => new JsonObject
            {
                ["uid"] = each.Uid,
                ["title"] = each.Title,
                ["side"] = each.Side?.Word(),
                ["why"] = each.Why,
            })]),
            ["plan"] = report?.Plan is { } plan ? JsonNode.Parse(PlanText.Write(plan)) : null,
            ["held"] = report?.Verdict is { } verdict
                ? new JsonObject
                {
                    ["reasons"] = new JsonArray([.. verdict.Reasons.Select(each => JsonValue.Create(each))]),
                    ["safe"] = verdict.Safe,
                    ["approve"] = Approval(run),
                }
                : null,
            ["trouble"] = run.Trouble is { } trouble
                ? new JsonObject
                {
                    ["side"] = trouble.Side?.Word(),
                    ["why"] = trouble.Why,
                    ["do"] = trouble.Advice,
                    ["needsConsent"] = trouble.NeedsConsent,
                }
                : null,
        };
    }

    /// <summary>Prints the run for a person.</summary>
    public static void Print(Invocation call, PairRun run)
    {
        var output = call.Around.Out;
        output.WriteLine($"{run.Pair.Name}: {Sentence(run)}");
        if (run.Outcome is RunOutcome.Planned or RunOutcome.Held)
            PrintPlan(call, run.Report!.Plan!);
        if (run.Report?.Verdict is { } verdict)
        {
            foreach (var reason in verdict.Reasons)
                output.WriteLine($"  why:  {reason}");
            output.WriteLine($"  safe: {verdict.Safe}");
            output.WriteLine($"  if that is what you want: {Approval(run)}");
        }
        else if (run.Outcome == RunOutcome.Planned && run.Report!.Plan!.Steps.Length > 0)
        {
            output.WriteLine(
                $"  do it: {run.Report.Command ?? $"calsync sync {PairRunner.Quoted(run.Pair.Name)}"}");
            output.WriteLine($"  do exactly this: {Approval(run)}");
        }

        if (run.Trouble is { } trouble)
        {
            call.Around.Error.WriteLine($"calsync: {trouble.Why}");
            if (trouble.Side is { } side)
                call.Around.Error.WriteLine($"  where: {run.Pair.Name}, {side.Word()}");
            call.Around.Error.WriteLine($"  do:    {trouble.Advice}");
        }

        PrintLosses(output, run.Report);
        foreach (var left in (run.Report?.Untouched ?? []).Take(StepCountMax))
        {
            output.WriteLine(
                $"  left as it is: {Short(left.Title.Length > 0 ? left.Title : left.Uid)}"
                + $"{(left.Side is { } one ? $", {one.Word()}" : "")}: {left.Why}");
        }

        if (run.Report is { TakeBack: null } and ({ Waiting: > 0 } or { Deferred: > 0 }))
            output.WriteLine("  what waits, and why: calsync quarantine list");
        if (run.Report is { Written: > 0 } report)
            output.WriteLine($"  take it back: calsync undo {report.RunId}");
    }

    /// <summary>One line for each kind of loss, however many events have it.</summary>
    private static void PrintLosses(TextWriter output, RunReport? report)
    {
        var kinds = (report?.Losses ?? []).GroupBy(each => (each.Side, each.Loss)).ToList();
        foreach (var kind in kinds.Take(StepCountMax))
        {
            var (side, loss) = kind.Key;
            var count = kind.Select(each => each.Uid).Distinct(StringComparer.Ordinal).Count();
            output.WriteLine(
                $"  not as written on the {side.Word()}: {loss.What} "
                + $"({(count == 1 ? Short(kind.First().Title) : $"{count} events")}). {loss.Why}");
        }

        if (kinds.Count > 0)
            output.WriteLine("  all of it stays on the other side and in the ledger: calsync verify");
    }

    private static string Approval(PairRun run) =>
        (run.Report!.Command ?? $"calsync sync {PairRunner.Quoted(run.Pair.Name)}")
        + $" --apply-plan {run.Report.Plan!.Id}";

    private static string Sentence(PairRun run) => run.Outcome switch
    {
        RunOutcome.Equal when run.Report!.TakeBack is not null => "nothing is to be taken back.",
        RunOutcome.Synced when run.Report!.TakeBack is { } done => $"{done.Words}: {Counts(run.Report)}.",
        RunOutcome.Partly when run.Report!.TakeBack is { } part =>
            $"{part.Words}: {Counts(run.Report)}; {run.Report.Untouched.Length} left as they are.",
        RunOutcome.Planned when run.Report!.TakeBack is { } plan =>
            $"{plan.Words} would make {run.Report.Plan!.Steps.Length} writes; nothing was written.",
        RunOutcome.Equal => run.Report!.Linked > 0
            ? $"both sides are equal; {run.Report.Linked} events were found on both and linked."
            : "both sides are equal.",
        RunOutcome.Synced => $"both sides are equal now; {Counts(run.Report!)}.",
        RunOutcome.Partly => $"{Counts(run.Report!)}; {run.Report!.Waiting} events wait, "
            + $"{run.Report.Deferred} are left for the next run.",
        RunOutcome.Planned => run.Report!.Plan is { Steps.IsEmpty: true }
            ? $"nothing is to be written; {run.Report.Plan.Linked} events would be linked."
            : $"a run would make {run.Report.Plan!.Steps.Length} writes and link "
                + $"{run.Report.Plan.Linked} events; nothing was written.",
        RunOutcome.Held => "held before the first write.",
        RunOutcome.PlanMoved => "not done.",
        RunOutcome.Busy => "not run.",
        RunOutcome.Failed => $"failed; {(run.Report is null ? "nothing was written" : Counts(run.Report))}.",
        RunOutcome.NeedsConsent => "waits for its owner.",
        RunOutcome.LeaseLost => "was cut off.",
    };

    private static string Counts(RunReport report) =>
        $"{report.Created} created, {report.Updated} changed, {report.Deleted} deleted"
        + (report.Linked > 0 ? $", {report.Linked} linked" : "")
        + (report.Conflicts > 0 ? $", {report.Conflicts} conflicts decided" : "");

    private static void PrintPlan(Invocation call, SyncPlan plan)
    {
        var shown = plan.Steps.Take(StepCountMax).ToList();
        if (shown.Count > 0)
            call.Output.Table(shown, "", Columns);
        if (plan.Steps.Length > shown.Count)
            call.Around.Out.WriteLine($"  and {plan.Steps.Length - shown.Count} more; all are in --json");
        foreach (var step in shown.Where(step => step.Kind == StepKind.Update))
            PrintChanges(call.Around, step);
        foreach (var why in plan.Waiting.Take(StepCountMax))
            call.Around.Out.WriteLine($"  waits: {why}");
    }

    private static void PrintChanges(Surroundings around, PlanStep step)
    {
        around.Out.WriteLine($"  {Short(step.Title)}, {step.Side.Word()}:");
        foreach (var change in step.Changes)
        {
            var what = change.Property ?? $"{change.Component}";
            if (change.Before is { } before)
                Line(around, "red", $"    - {what}: {Short(before)}");
            if (change.After is { } after)
                Line(around, "green", $"    + {what}: {Short(after)}");
        }

        foreach (var lost in step.Discarded)
        {
            around.Out.WriteLine(
                $"    ! both changed {lost.Property ?? "an occurrence"}: the {lost.Chosen.Word()} wins");
        }
    }

    private static void Line(Surroundings around, string colour, string text)
    {
        if (!around.IsTerminal)
        {
            around.Out.WriteLine(text);
            return;
        }

        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(around.Out) })
            .MarkupLine($"[{colour}]{Markup.Escape(text)}[/]");
    }

    private static string Because(PlanStep step) => step.Rule switch
    {
        SyncRule.CopiedNew => "it is new on the other side",
        SyncRule.Edited => "the other side was edited",
        SyncRule.MergedEdits => "both sides were edited, in different fields",
        SyncRule.HigherSequence => "both edited one field; the higher SEQUENCE wins",
        SyncRule.LaterModified => "both edited one field; the later edit wins",
        SyncRule.LeftByDefault => "both edited one field; nothing says which is later, the left wins",
        SyncRule.Chosen => "both edited one field; the pair's policy or a person chose",
        SyncRule.Deleted => step.Proof == DeletionProof.Tombstone
            ? "the other side says that it was deleted"
            : "it is gone on the other side",
        SyncRule.EditBeatsDelete => "it was deleted there and edited here: the edit stays",
        SyncRule.LinkedByUid or SyncRule.LinkedByContent => "both sides have it, and differ",
        SyncRule.Restored => "it was so at that time",
        SyncRule.Undone => "the run that is undone wrote it",
        SyncRule.PutBack => "words were written on the side that shows only busy",
        SyncRule.Equal or SyncRule.SameEdit or SyncRule.DeletedOnBoth => Output.Cell(step.Rule),
    };

    private static string Short(string text)
    {
        var line = text.ReplaceLineEndings(" ");
        return line.Length <= ValueLengthMax ? line : line[..(ValueLengthMax - 1)] + "…";
    }
}
