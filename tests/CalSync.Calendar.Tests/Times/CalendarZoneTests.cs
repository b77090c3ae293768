using System.Runtime.CompilerServices;
using System.Text.Json;
using NodaTime;
using Xunit;

namespace CalSync.Calendar.Tests.Times;

/// <summary>
/// Zone names lead to one zone or to a question, never to UTC by default. Method: every kind of name.
/// </summary>
public sealed class CalendarZoneTests
{
    /// <summary>R-CAL-09-C: renamed zones are one zone, stored under the current name.</summary>
    [Theory]
    [Trait("Requirement", "R-CAL-09-C")]
    [InlineData("Asia/Kolkata", "Asia/Kolkata", ZoneMatch.Exact)]
    [InlineData("Asia/Calcutta", "Asia/Kolkata", ZoneMatch.Alias)]
    [InlineData("asia/kolkata", "Asia/Kolkata", ZoneMatch.Alias)]
    [InlineData("US/Eastern", "America/New_York", ZoneMatch.Alias)]
    [InlineData("Europe/Kiev", "Europe/Kyiv", ZoneMatch.Alias)]
    [InlineData("America/Buenos_Aires", "America/Argentina/Buenos_Aires", ZoneMatch.Alias)]
    [InlineData("Europe/Oslo", "Europe/Oslo", ZoneMatch.Exact)]
    [InlineData("CET", "CET", ZoneMatch.Exact)]
    [InlineData("Etc/GMT+5", "Etc/GMT+5", ZoneMatch.Exact)]
    [InlineData("UTC", "UTC", ZoneMatch.Exact)]
    [InlineData("Etc/UTC", "UTC", ZoneMatch.Alias)]
    [InlineData("Zulu", "UTC", ZoneMatch.Alias)]
    [InlineData("India Standard Time", "Asia/Kolkata", ZoneMatch.Windows)]
    [InlineData("Eastern Standard Time", "America/New_York", ZoneMatch.Windows)]
    [InlineData("W. Europe Standard Time", "Europe/Berlin", ZoneMatch.Windows)]
    [InlineData("/freeassociation.sourceforge.net/Tzfile/Europe/Oslo", "Europe/Oslo", ZoneMatch.VendorPrefix)]
    [InlineData("/freeassociation.sourceforge.net/Asia/Calcutta", "Asia/Kolkata", ZoneMatch.VendorPrefix)]
    [InlineData("/mozilla.org/20070129_1/America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires",
        ZoneMatch.VendorPrefix)]
    [InlineData("tzone://Microsoft/Utc", "UTC", ZoneMatch.VendorPrefix)]
    public void Resolve_WithAKnownName_FindsTheCanonicalZone(string name, string id, ZoneMatch how)
    {
        var found = Assert.IsType<ZoneResolution.Found>(CalendarZone.Resolve(name));
        Assert.Equal((id, how), (found.Zone.Id, found.How));
        Assert.True(found.Zone.SameZoneAs(name));
    }

    /// <summary>
    /// R-CAL-09-C: what several countries call by one abbreviation is asked, with suggestions.
    /// </summary>
    [Theory]
    [Trait("Requirement", "R-CAL-09-C")]
    [InlineData("IST", "Asia/Kolkata,Europe/Dublin,Asia/Jerusalem")]
    [InlineData("ist", "Asia/Kolkata,Europe/Dublin,Asia/Jerusalem")]
    [InlineData("EST", "America/New_York,America/Panama,Australia/Sydney")]
    [InlineData("Kolkatta", "Asia/Kolkata")]
    [InlineData("New York", "America/New_York")]
    [InlineData("Europe/Olso", "Europe/Oslo")]
    [InlineData("/example.org/IST", "")]
    [InlineData("Nowhere/At_All", "")]
    [InlineData("Factory", "")]
    [InlineData("+05:30", "")]
    [InlineData(" ", "")]
    [InlineData("", "")]
    [InlineData(null, "")]
    public void Resolve_WithAnAmbiguousOrUnknownName_AsksAndSuggests(string? name, string suggestions)
    {
        var unknown = Assert.IsType<ZoneResolution.Unknown>(CalendarZone.Resolve(name));
        Assert.Equal(suggestions, string.Join(',', unknown.Suggestions));
        Assert.False(CalendarZone.Utc.SameZoneAs(name));
    }

    /// <summary>REC-7: zones with merged rules are not one zone.</summary>
    [Fact]
    public void SameZoneAs_WithAZoneThatTzdataMerged_IsFalse()
    {
        Assert.False(Zones.Of("Europe/Oslo").SameZoneAs("Europe/Berlin"));
        Assert.NotEqual(Zones.Of("Europe/Amsterdam"), Zones.Of("Europe/Brussels"));
        Assert.Equal(Zones.Of("Asia/Calcutta"), Zones.Of("Asia/Kolkata"));
    }

    /// <summary>Every tzdata name either is a zone or is one of the few that must be asked.</summary>
    [Fact]
    public void Resolve_WithEveryTzdataName_FindsItOrAsks()
    {
        var asked = DateTimeZoneProviders.Tzdb.Ids
            .Where(id => CalendarZone.Resolve(id) is ZoneResolution.Unknown)
            .Order(StringComparer.Ordinal);
        Assert.Equal(["EST", "HST", "MST"], asked.Where(id => id != "Factory"));
    }

    /// <summary>Resolving the canonical name again gives the same zone, exactly.</summary>
    [Fact]
    public void Resolve_WithACanonicalName_IsExact()
    {
        foreach (var id in DateTimeZoneProviders.Tzdb.Ids)
        {
            if (CalendarZone.Resolve(id) is ZoneResolution.Found found)
            {
                var again = CalendarZone.Resolve(found.Zone.Id);
                Assert.Equal(new ZoneResolution.Found(found.Zone, ZoneMatch.Exact), again);
            }
        }
    }

    /// <summary>
    /// Every IANA, Windows and prefixed name found in calendars in the wild is known, but for the few that
    /// several countries use. Without the collection nothing is claimed.
    /// </summary>
    [Fact]
    public void Resolve_WithEveryCollectedName_FindsIt()
    {
        foreach (var row in Collected())
        {
            var name = row.GetProperty("tzid").GetString();
            if (row.GetProperty("kind").GetString() is "iana" or "iana-link" or "windows" or "prefixed"
                && name is not ("EST" or "MST" or "HST"))
            {
                Assert.True(CalendarZone.Resolve(name) is ZoneResolution.Found, name);
            }
        }
    }

    /// <summary>A hostile length ends at once.</summary>
    [Fact]
    public void Resolve_WithAHugeName_IsUnknownAndCut()
    {
        var unknown = Assert.IsType<ZoneResolution.Unknown>(CalendarZone.Resolve(new string('/', 1_000_000)));
        Assert.Equal(255, unknown.Name.Length);
    }

    private static JsonElement[] Collected([CallerFilePath] string thisFile = "")
    {
        for (var folder = Path.GetDirectoryName(thisFile);
            folder is not null;
            folder = Path.GetDirectoryName(folder))
        {
            var names = Path.Combine(folder, "shared", "data", "tzids-in-corpus.json");
            if (File.Exists(names))
            {
                return [.. JsonDocument.Parse(File.ReadAllText(names)).RootElement.EnumerateArray()];
            }
        }

        return [];
    }
}
