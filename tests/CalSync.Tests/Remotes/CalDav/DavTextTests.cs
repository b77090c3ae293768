using System.Text;
using CalSync.Remotes.CalDav;
using CalSync.Remotes.Dav;
using Xunit;

namespace CalSync.Tests.Remotes.CalDav;

/// <summary>Goal: addresses, tags, names and hosts mean the same however a server writes them.</summary>
public sealed class DavTextTests
{
    [Theory]
    [InlineData("/cal/a.ics", "/cal/a.ics")]
    [InlineData("a.ics", "/dav/cal/a.ics")]
    [InlineData("http://other.test:8080/cal/a.ics", "/cal/a.ics")]
    [InlineData("//other.test/cal/a.ics", "/cal/a.ics")]
    [InlineData("https://p01.test", "/")]
    [InlineData("/cal/x@y.ics", "/cal/x%40y.ics")]
    [InlineData("/cal/x%40y.ics", "/cal/x%40y.ics")]
    [InlineData("/cal/%c3%a9.ics", "/cal/%C3%A9.ics")]
    [InlineData("/cal/é日.ics", "/cal/%C3%A9%E6%97%A5.ics")]
    [InlineData("/cal/o'(1).ics", "/cal/o%27%281%29.ics")]
    [InlineData("/cal/%61.ics", "/cal/a.ics")]
    [InlineData("/cal/a%2Fb.ics", "/cal/a%2Fb.ics")]
    [InlineData("/cal/50%.ics", "/cal/50%25.ics")]
    [InlineData("/cal/a b.ics", "/cal/a%20b.ics")]
    [InlineData("  /cal/a.ics\n", "/cal/a.ics")]
    [InlineData("/cal/..a.ics", "/cal/..a.ics")]
    public void Normalise_AnyWriting_IsOneForm(string href, string normal)
    {
        Assert.Equal(normal, DavHref.Normalise(href, "/dav/cal/"));
        Assert.Equal(normal, DavHref.Normalise(normal, "/dav/cal/"));
    }

    [Theory]
    [InlineData(250)]
    [InlineData(251)]
    [InlineData(500)]
    [InlineData(4000)]
    public void Normalise_APathOfAnyLength_EscapesAllOfIt(int length)
    {
        var path = "/cal/" + new string('日', length) + "%";
        var normal = DavHref.Normalise(path, "/dav/cal/");
        Assert.Equal("/cal/" + string.Concat(Enumerable.Repeat("%E6%97%A5", length)) + "%25", normal);
    }

    [Theory]
    [InlineData("\"a\"", "\"a\"")]
    [InlineData("W/\"a\"", "\"a\"")]
    [InlineData(" \"a\" ", "\"a\"")]
    [InlineData("a", "\"a\"")]
    [InlineData("\"", null)]
    [InlineData("\"\"", null)]
    [InlineData("\"a\"b\"", null)]
    public void Normalise_ATag_IsItInQuotesOrNone(string written, string? tag) =>
        Assert.Equal(tag, DavETag.Normalise(written));

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("#x")]
    [InlineData("/cal/../other/a.ics")]
    [InlineData("/cal/%2e%2E/a.ics")]
    [InlineData("../a.ics")]
    public void Normalise_WhatIsNoAddressOrLeadsElsewhere_IsNone(string href) =>
        Assert.Null(DavHref.Normalise(href, "/dav/cal/"));

    [Theory]
    [InlineData("\"abc\"", "\"abc\"")]
    [InlineData("abc", "\"abc\"")]
    [InlineData("W/\"abc\"", "\"abc\"")]
    [InlineData(" w/\"abc\" ", "\"abc\"")]
    [InlineData("\"\"", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    [InlineData("a\"b", null)]
    [InlineData("\"a\r\nX: y\"", null)]
    public void Normalise_AnyTag_IsQuotedOrNone(string? written, string? tag) =>
        Assert.Equal(tag, DavETag.Normalise(written));

    [Theory]
    [InlineData("https://caldav.icloud.com/", "https://p42-caldav.icloud.com:443/1/", true)]
    [InlineData("https://example.org/", "https://dav.example.org/", true)]
    [InlineData("https://dav.example.org/", "https://example.org/", true)]
    [InlineData("https://dav.example.co.uk/", "https://p1.example.co.uk/", true)]
    [InlineData("https://dav.example.org/", "https://dav.example.org:8443/", true)]
    [InlineData("https://example.org/", "https://example.com/", false)]
    [InlineData("https://example.org/", "https://evil-example.org/", false)]
    [InlineData("https://one.co.uk/", "https://two.co.uk/", false)]
    [InlineData("https://one.duckdns.org/", "https://two.duckdns.org/", false)]
    [InlineData("https://example.org/", "http://example.org/", false)]
    [InlineData("http://example.org/", "https://example.org/", true)]
    [InlineData("http://127.0.0.1/", "http://127.0.0.2/", false)]
    [InlineData("http://localhost:1/", "http://localhost:2/", true)]
    public void MaySend_OnlyWhereTheSameOwnerIs(string from, string to, bool may) =>
        Assert.Equal(may, DavTrust.MaySend(new(from), new(to)));

    [Fact]
    public void Mend_AServerBehindAProxyThatEndsTls_KeepsTls()
    {
        var to = DavTrust.Mend(new("https://dav.test:8443/a"), new("http://dav.test/b"));
        Assert.Equal("https://dav.test:8443/b", to.AbsoluteUri);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData(" \r\n ", "")]
    [InlineData("A\nB", "A\r\nB\r\n")]
    [InlineData("\n A\r\nB\r\n C\r\n\r\n", "A\r\nB\r\n C\r\n")]
    [InlineData("A\r\nB\nC\r\r\nD", "A\r\nB\r\nC\r\r\nD\r\n")]
    public void WithCrLf_WhateverLineEndsXmlLeft_EndsEachWithBoth(string given, string sent) => Assert.Equal(
        sent, Encoding.UTF8.GetString(CalendarText.WithCrLf(Encoding.UTF8.GetBytes(given))));

    [Fact]
    public void Of_AUid_IsAlwaysTheSameSafeName()
    {
        Assert.Equal("B7D3-1_a.ics", ResourceNames.Of("B7D3-1_a"));
        foreach (var uid in new[] { "a@b", "a/b", "../a", ".hidden", "é", "", new string('x', 500), "a b" })
        {
            var name = ResourceNames.Of(uid);
            Assert.Matches("^[A-Za-z0-9_][A-Za-z0-9._-]{0,79}-[0-9a-f]{24}\\.ics$", name);
            Assert.Equal(name, ResourceNames.Of(uid));
        }

        Assert.StartsWith("calsync-", ResourceNames.Of("@"), StringComparison.Ordinal);
        Assert.StartsWith("a-b-", ResourceNames.Of("a@b"), StringComparison.Ordinal);
        Assert.NotEqual(ResourceNames.Of("a@b"), ResourceNames.Of("a-b@"));
        Assert.NotEqual(ResourceNames.Of("a@b"), ResourceNames.Of("a/b"));
    }

    [Theory]
    [InlineData("caldav.icloud.com", "https://caldav.icloud.com/")]
    [InlineData("example.org:8443/dav", "https://example.org:8443/dav")]
    [InlineData(" http://127.0.0.1:5232/ann/ ", "http://127.0.0.1:5232/ann/")]
    [InlineData("https://ann:secret@example.org/", "https://example.org/")]
    [InlineData("ftp://example.org", null)]
    [InlineData("", null)]
    public void ParseEntry_WhatAPersonTypes_IsAnAddressOrNone(string text, string? entry) =>
        Assert.Equal(entry, CalDavAccount.ParseEntry(text)?.AbsoluteUri);
}
