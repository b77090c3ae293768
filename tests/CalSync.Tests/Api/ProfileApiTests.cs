using System.Text;
using System.Text.Json.Nodes;
using CalSync.Lab.Running;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>Profiles as their clients see them, over loopback HTTP.</summary>
[Trait("Requirement", "R-PROF-T")]
public sealed class ProfileApiTests : ProductTest
{
    private const string Mine = "me/profile";

    private static readonly string[] Members =
    [
        "name", "timeZone", "calendarEmail", "workEmail", "phone", "phoneRegion", "emergencyContactName",
        "emergencyContactEmail", "emergencyContactPhone", "dateOfBirth", "website", "linkedin", "twitter",
        "github",
    ];

    private static readonly string[] Spoilt =
    [
        "null", "true", "0", "-1", "1.5", "\"\"", "\" \"", "[]", "{}", "\"\\u0000\"", "\"\\ud800\"",
        "\"a\\ud800b\"", "\"\\u202e\"", "\"' OR 1=1 --\"", "\"javascript:alert(1)\"", "\"%00\"", "\"+\"",
        "\"@\"", "\"//\"", "\"://\"", "\"https://\"", "\"https://%\"", "\"https://xn--a.example\"",
        "\"a@xn--0.example\"", "\"a@\u00e9\u4e2d.example\"", "\"\ud83d\ude00\"", "\"99/99/9999\"",
        "\"0000-00-00\"", "\"+999999999999999999999\"",
        "\"\u0661\u0662/\u0661\u0662/\u0661\u0669\u0669\u0660\"",
    ];

    protected override ProductSettings Settings =>
        new() { RunsWorkers = false, VerificationWait = TimeSpan.Zero };

    /// <summary>R-PROF-7: the same token goes on after every refusal, and the next good change is
    /// taken.</summary>
    [Fact]
    [Trait("Requirement", "R-PROF-6")]
    [Trait("Requirement", "R-PROF-7")]
    public async Task Patch_WithSeveralMistakes_ListsThemAllAndTheNextGoodOneIsTaken()
    {
        var etag = (await Product.Bea.GetAsync(Mine)).Expect(200).ETag;
        var refused = (await Product.Bea.PatchAsync(Mine, etag, new JsonObject
        {
            ["workEmail"] = "bea at work",
            ["phone"] = "555-123-4567",
            ["dateOfBirth"] = "2999-01-01",
            ["website"] = "javascript:alert(1)",
            ["github"] = "github.com/bea",
        })).Expect(422);
        var errors = refused.Body!["errors"]!.AsArray();
        Assert.Equal(
            ["workEmail invalid_email", "phone region_needed", "dateOfBirth out_of_range",
                "website scheme_not_allowed"],
            errors.Select(error => $"{error!["field"]} {error["code"]}"));
        Assert.All(errors, error =>
        {
            Assert.NotEqual("", (string?)error!["message"]);
            Assert.NotEqual("", (string?)error["example"]);
        });
        Assert.Equal(etag, (await Product.Bea.GetAsync(Mine)).Expect(200).ETag);
        var taken = (await Product.Bea.PatchAsync(Mine, etag, new JsonObject
        {
            ["workEmail"] = "Bea@Work.test",
            ["phone"] = "555-123-4567",
            ["phoneRegion"] = "US",
            ["dateOfBirth"] = "12/31/1990",
            ["website"] = "bea.example",
            ["github"] = "github.com/bea",
        })).Expect(200);
        Assert.Equal(
            ("bea@work.test", "+15551234567", "1990-12-31", "https://bea.example", "https://github.com/bea"),
            (taken["workEmail"], taken["phone"], taken["dateOfBirth"], taken["website"], taken["github"]));
        Assert.Equal(taken.ETag, (await Product.Bea.GetAsync("me")).Expect(200).ETag);
    }

    [Fact]
    [Trait("Requirement", "R-PROF-3")]
    public async Task Patch_OfADateWithTwoReadings_WarnsObeysTheLanguageAndRefusesWhenStrict()
    {
        var date = new JsonObject { ["dateOfBirth"] = "02/03/1990" };
        async Task<ApiAnswer> SendAsync(params (string, string)[] headers) => await Product.Bea.PatchAsync(
            Mine, (await Product.Bea.GetAsync(Mine)).ETag, date.DeepClone(), headers);
        var strict = (await SendAsync(("Prefer", "handling=strict"))).Expect(422);
        Assert.Equal("ambiguous_date", (string?)strict.Body!["errors"]![0]!["code"]);
        var lenient = (await SendAsync()).Expect(200);
        Assert.Equal("1990-02-03", lenient["dateOfBirth"]);
        Assert.Equal("ambiguous_date", (string?)lenient.Body!["warnings"]![0]!["code"]);
        var british = (await SendAsync(("Accept-Language", "en-GB,en;q=0.5"))).Expect(200);
        Assert.Equal(("1990-03-02", 0), (british["dateOfBirth"], british.Body!["warnings"]!.AsArray().Count));
        var american = (await SendAsync(
            ("Prefer", "handling=strict"), ("Accept-Language", "en-US"))).Expect(200);
        Assert.Equal(
            ("1990-02-03", "handling=strict"),
            (american["dateOfBirth"], american.Header("Preference-Applied")));
    }

    [Fact]
    [Trait("Requirement", "R-PROF-6")]
    public async Task Patch_OfAWorkAddressSomebodyHas_Is409WithTheField()
    {
        var body = new JsonObject { ["workEmail"] = "desk@work.test" };
        (await Product.Bea.PatchAsync(Mine, "\"1\"", body.DeepClone())).Expect(200);
        var taken = (await Product.Chen.PatchAsync(Mine, "\"1\"", body.DeepClone())).Expect(409);
        Assert.Equal(("already-taken", "workEmail"), (taken["code"], taken["member"]));
        Assert.DoesNotContain(Product.Bea.Id, taken.Text, StringComparison.Ordinal);
        Assert.Equal("\"1\"", (await Product.Chen.GetAsync(Mine)).ETag);
    }

    [Fact]
    [Trait("Requirement", "R-CAL-13-P")]
    public async Task Patch_WithoutOrWithAnOldVersion_IsRefusedWithTheDifference()
    {
        var body = new JsonObject { ["name"] = "Bea B" };
        (await Product.Bea.PatchAsync(Mine, null, body.DeepClone())).Expect(428);
        (await Product.Admin.PatchAsync(
            $"admin/users/{Product.Bea.Id}/profile", "\"1\"", new JsonObject { ["name"] = "B" })).Expect(200);
        var stale = (await Product.Bea.PatchAsync(Mine, "\"1\"", body.DeepClone())).Expect(412);
        Assert.Equal("\"2\"", stale["currentETag"]);
        var changed = Assert.Single(stale.Body!["changed"]!.AsArray())!;
        Assert.Equal(
            ("name", "B", "Bea B"),
            ((string?)changed["member"], (string?)changed["current"], (string?)changed["requested"]));
    }

    /// <summary>R-CAL-14-P and B: the seat goes to the calendar address, with a word when nobody proved it
    /// or it looks mistyped.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-14-P")]
    [Trait("Requirement", "R-CAL-14-B")]
    public async Task Enrol_WithAnUnprovedAddress_UsesItAndSaysSo()
    {
        var made = (await Product.Maya.PostAsync("classes", RunningProduct.ClassBody("Drawing"))).Expect(202);
        var patched = (await Product.Bea.PatchAsync(
            Mine, "\"1\"", new JsonObject { ["calendarEmail"] = "bea@gmial.com" })).Expect(200);
        Assert.False((bool)patched.Body!["calendarEmailVerified"]!);
        Assert.Equal("bea@gmail.com", (string?)patched.Body["warnings"]![0]!["suggestion"]);
        var unproved = (await EnrolAsync(Product.Bea, made["id"])).Expect(202);
        Assert.Equal("bea@gmial.com", unproved["calendarEmail"]);
        Assert.Equal(
            ["calendar_email_unverified", "probable_typo"],
            unproved.Body!["warnings"]!.AsArray().Select(warning => (string?)warning!["code"]));
        var proved = (await EnrolAsync(Product.Chen, made["id"])).Expect(202);
        Assert.Null(proved.Body!["warnings"]);
    }

    /// <summary>Every member with everything: never a fault, and a refusal changes nothing.</summary>
    [Fact]
    [Trait("Requirement", "R-PROF-6")]
    public async Task Patch_OfEveryMemberSpoilt_IsNeverAFaultAndARefusalChangesNothing()
    {
        var etag = (await Product.Chen.GetAsync(Mine)).Expect(200).ETag;
        var bad = new List<string>();
        var count = 0;
        foreach (var member in Members)
        {
            foreach (var value in Spoilt.Append($"\"{new string('9', 9000)}\"")
                .Append($"\"a@{string.Join('.', Enumerable.Repeat("\u00fc", 200))}\""))
            {
                var answer = await Product.Chen.SendBytesAsync(
                    HttpMethod.Patch, Mine, Encoding.UTF8.GetBytes($"{{\"{member}\":{value}}}"),
                    "application/json", ("If-Match", etag));
                count++;
                if (answer.Status is not (200 or 400 or 422))
                    bad.Add($"{member}={value[..Math.Min(40, value.Length)]}: {answer.Status} {answer.Text}");
                var now = (await Product.Chen.GetAsync(Mine)).Expect(200).ETag;
                if (answer.Status >= 400 && now != etag)
                    bad.Add($"{member}={value[..Math.Min(40, value.Length)]}: refused and changed");
                etag = now;
            }
        }

        Assert.True(count > 400);
        Assert.True(bad.Count == 0, string.Join('\n', bad));
    }
}
