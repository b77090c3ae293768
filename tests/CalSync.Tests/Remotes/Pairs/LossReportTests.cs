using System.Globalization;
using System.Text.RegularExpressions;
using CalSync.Calendar.Comparison;
using CalSync.Sync.Pairs.Execution;
using Xunit;

namespace CalSync.Tests.Remotes.Pairs;

/// <summary>
/// Goal: what a server makes of what was PUT is said in the run's answer, is never taken for an edit, stays
/// in the ledger and comes back. Method: what goes to the practice iCloud is damaged on its way, and it says
/// nothing of that; whole runs over HTTP.
/// </summary>
public sealed partial class LossReportTests : GatedPair
{
    private const string Alarm =
        "BEGIN:VALARM|ACTION:DISPLAY|DESCRIPTION:Bring mats|TRIGGER:-PT20M|END:VALARM|";

    private const string Zoned =
        "DTSTART;TZID=Europe/Berlin:20260302T090000|DTEND;TZID=Europe/Berlin:20260302T100000|"
        + "RRULE:FREQ=WEEKLY;COUNT=10|";

    [Theory]
    [InlineData("alarms", "VALARM", "The server does not keep it.")]
    [InlineData("zones", "DTSTART", "The server keeps it otherwise than it was sent.")]
    [InlineData("extensions", "X-STUDIO", "The server does not keep it.")]
    [Trait("Requirement", "R-SYNC-6-C")]
    public async Task WhatAServerMakesOfAPut_IsSaidAndKeptAndNotTakenForAnEdit(
        string damage, string what, string why)
    {
        Right.OnRequest = request => request.Method == "PUT"
            ? request with { Body = Damaged(damage, request.Body) }
            : request;
        // Written by a device before the pair was made; from then on the server is as it is.
        await PutAsync(MergeSide.Right, "device", "Device", Zoned + "X-STUDIO:5|" + Alarm);
        await PutAsync(MergeSide.Left, "yoga", "Yoga");
        await RunAsync();
        await PutAsync(MergeSide.Left, "device", "Device and we");
        var report = await RunAsync();
        Assert.Equal(1, report.Updated);

        var loss = Assert.Single(report.Losses, each => each.Loss.What == what);
        Assert.Equal((MergeSide.Right, "device", why), (loss.Side, loss.Uid, loss.Loss.Why));
        Assert.Equal("Device and we", loss.Title);
        var right = (await RightAsync())["device"].Content;
        Assert.DoesNotContain(damage switch
        {
            "alarms" => "VALARM",
            "zones" => "TZID",
            _ => "X-STUDIO",
        }, right, StringComparison.Ordinal);

        // Nothing goes back and forth, and another edit of the damaged side takes nothing away.
        for (var idle = 0; idle < 3; idle++)
            Assert.Equal((RunOutcome.Equal, 0), await QuietAsync());
        await PutBackAsync("device", text => text.Replace(
            "SUMMARY:Device and we", "SUMMARY:Edited", StringComparison.Ordinal));
        Assert.Equal(1, (await RunAsync()).Updated);
        Assert.Equal("Edited", (await LeftAsync())["device"].Summary);
        var mapping = Assert.Single(Store.Mappings, each => each.Uid == "device");
        var kept = mapping.Base!.ToString();
        Assert.Contains("X-STUDIO:5", kept, StringComparison.Ordinal);
        Assert.Contains("TRIGGER:-PT20M", kept, StringComparison.Ordinal);
        Assert.Contains("DTSTART;TZID=Europe/Berlin", kept, StringComparison.Ordinal);

        // Made anew on a server that is whole again, it is what it was before the damage.
        Right.OnRequest = request => request;
        await DeleteAsync(MergeSide.Right, "device");
        await PutAsync(MergeSide.Left, "device", "Back");
        var again = await RunAsync();
        Assert.Equal((1, 0), (again.Created, again.Deleted));
        right = (await RightAsync())["device"].Content;
        Assert.Contains("X-STUDIO:5", right, StringComparison.Ordinal);
        Assert.Contains("TRIGGER:-PT20M", right, StringComparison.Ordinal);
        Assert.Contains("DTSTART;TZID=Europe/Berlin", right, StringComparison.Ordinal);
        Assert.Contains("SUMMARY:Back", right, StringComparison.Ordinal);
        Assert.DoesNotContain(again.Losses, each => each.Side == MergeSide.Right);
        Assert.Equal(RunOutcome.Equal, (await RunAsync()).Outcome);
    }

    /// <summary>What Google has no place for is said of the left, with the reason Google's side
    /// gives.</summary>
    [Fact]
    public async Task WhatGoogleCannotHold_IsSaidOfTheLeft()
    {
        await PutAsync(MergeSide.Right, "odd", "Odd", "CONTACT:Ann|RESOURCES:Projector|");
        var report = await RunAsync();
        Assert.All(report.Losses, each => Assert.Equal((MergeSide.Left, "odd"), (each.Side, each.Uid)));
        Assert.Contains(report.Losses, each => each.Loss.What == "CONTACT");
        Assert.All(report.Losses, each => Assert.NotEqual("", each.Loss.Why));
        Assert.Contains("CONTACT:Ann", (await RightAsync())["odd"].Content, StringComparison.Ordinal);
        Assert.Empty((await RunAsync()).Losses);
    }

    [GeneratedRegex("BEGIN:VALARM\r\n.*?END:VALARM\r\n", RegexOptions.Singleline)]
    private static partial Regex Alarms { get; }

    [GeneratedRegex(";TZID=Europe/Berlin:(\\d{8}T)(\\d{2})(\\d{4})")]
    private static partial Regex Zones { get; }

    [GeneratedRegex("X-STUDIO[^\r]*\r\n")]
    private static partial Regex Extensions { get; }

    private static string Damaged(string damage, string text) => damage switch
    {
        "alarms" => Alarms.Replace(text, ""),
        // One hour behind, as Berlin is in winter, and without its zone.
        "zones" => Zones.Replace(text, match => string.Create(
            CultureInfo.InvariantCulture,
            $":{match.Groups[1].Value}{Hour(match) - 1:00}{match.Groups[3].Value}Z")),
        _ => Extensions.Replace(text, ""),
    };

    private static int Hour(Match match) =>
        int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);

    private async Task<(RunOutcome Outcome, int Written)> QuietAsync()
    {
        var report = await RunAsync();
        return (report.Outcome, report.Written);
    }

    /// <summary>A device changes what it finds.</summary>
    private async Task PutBackAsync(string uid, Func<string, string> change)
    {
        var resource = (await RightAsync())[uid];
        await new CalSync.Sandbox.CalDavControl(Http).EditAsync(
            new CalSync.Sandbox.CalDavHandEdit(Apple, "home", resource.Name, "put")
            {
                Content = change(resource.Content),
            },
            None);
    }
}
