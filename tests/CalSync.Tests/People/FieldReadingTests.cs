using CalSync.Classes.People;
using Xunit;

namespace CalSync.Tests.People;

/// <summary>
/// Goal: what people type is understood, and what cannot be is refused by name. Method: tables of both, and
/// every reader fed with noise.
/// </summary>
[Trait("Requirement", "R-PROF-T")]
public sealed class FieldReadingTests
{
    private static readonly DateOnly Today = new(2026, 3, 2);

    [Theory]
    [Trait("Requirement", "R-PROF-1")]
    [InlineData("ana@example.org", "ana@example.org")]
    [InlineData("  Ana.Lima+yoga@Example.ORG ", "ana.lima+yoga@example.org")]
    [InlineData("<ana@example.org>", "ana@example.org")]
    [InlineData("mailto:ana@example.org", "ana@example.org")]
    [InlineData("o'brien@example.co.uk", "o'brien@example.co.uk")]
    [InlineData("a@b.co", "a@b.co")]
    [InlineData("ana@bücher.example", "ana@xn--bcher-kva.example")]
    [InlineData("ana@xn--bcher-kva.example", "ana@xn--bcher-kva.example")]
    [InlineData("ana@example.org.", "ana@example.org")]
    public void Email_Understood_HasOneForm(string typed, string stored) =>
        Assert.Equal(stored, Value(EmailAddress.Read(typed)));

    [Theory]
    [Trait("Requirement", "R-PROF-1")]
    [InlineData("")]
    [InlineData("ana")]
    [InlineData("ana@")]
    [InlineData("@example.org")]
    [InlineData("ana@@example.org")]
    [InlineData("ana@home@example.org")]
    [InlineData("ana lima@example.org")]
    [InlineData("ana@exam ple.org")]
    [InlineData("ana@example")]
    [InlineData("ana@.org")]
    [InlineData("ana@example..org")]
    [InlineData("ana@-example.org")]
    [InlineData("ana@exa_mple.org")]
    [InlineData("ana@[192.0.2.1]")]
    [InlineData("ana@192.0.2.1")]
    [InlineData(".ana@example.org")]
    [InlineData("ana.@example.org")]
    [InlineData("a..na@example.org")]
    [InlineData("\"ana\"@example.org")]
    [InlineData("ána@example.org")]
    [InlineData("ana@example.org,bea@example.org")]
    [InlineData("Ana <ana@example.org>")]
    [InlineData("ana\u0000@example.org")]
    [InlineData("ana@exa\u200bmple.org")]
    public void Email_NotOne_IsRefused(string typed) => Refused(EmailAddress.Read(typed));

    /// <summary>RFC 5321 section 4.5.3.1: 64 before the sign, 254 in all; the last that fits is
    /// taken.</summary>
    [Fact]
    [Trait("Requirement", "R-PROF-1")]
    public void Email_AtTheLimits_IsTakenAndOneMoreRefused()
    {
        var local = new string('a', 64);
        var domain = string.Join('.', Enumerable.Repeat(new string('d', 46), 4)) + ".e";
        Assert.Equal(254, local.Length + 1 + domain.Length);
        Assert.Equal($"{local}@{domain}", Value(EmailAddress.Read($"{local}@{domain}")));
        Assert.Equal("too_long", Refused(EmailAddress.Read($"{local}@{domain}e")).Code);
        Assert.Equal("too_long", Refused(EmailAddress.Read($"a{local}@example.org")).Code);
        Refused(EmailAddress.Read($"a@{new string('d', 64)}.org"));
    }

    [Theory]
    [Trait("Requirement", "R-CAL-14-B")]
    [InlineData("bea@gmial.com", "bea@gmail.com")]
    [InlineData("bea@gmai.com", "bea@gmail.com")]
    [InlineData("bea@gmaill.com", "bea@gmail.com")]
    [InlineData("bea@gmail.con", "bea@gmail.com")]
    [InlineData("bea@gmail.co", "bea@gmail.com")]
    [InlineData("bea@hotmial.com", "bea@hotmail.com")]
    [InlineData("bea@yahooo.com", "bea@yahoo.com")]
    [InlineData("bea@outlok.com", "bea@outlook.com")]
    [InlineData("bea@iclould.com", "bea@icloud.com")]
    [InlineData("bea@gmail.com", null)]
    [InlineData("bea@me.com", null)]
    [InlineData("bea@example.org", null)]
    [InlineData("bea@mail.test", null)]
    [InlineData("bea@gail.org", null)]
    public void Email_OneSlipFromACommonDomain_IsAskedAbout(string typed, string? meant) =>
        Assert.Equal(meant, EmailAddress.Suggest(typed));

    [Theory]
    [Trait("Requirement", "R-PROF-2")]
    [InlineData("+1 (555) 123-4567", null, "+15551234567", "US")]
    [InlineData("+1 (416) 555-0100", "CA", "+14165550100", "CA")]
    [InlineData("555-123-4567", "US", "+15551234567", "US")]
    [InlineData("5551234567", "us", "+15551234567", "US")]
    [InlineData("1 555 123 4567", "US", "+15551234567", "US")]
    [InlineData("011 91 98765 43210", "US", "+919876543210", "IN")]
    [InlineData("+91 98765 43210", null, "+919876543210", "IN")]
    [InlineData("098765 43210", "IN", "+919876543210", "IN")]
    [InlineData("91 98765 43210", "IN", "+919876543210", "IN")]
    [InlineData("+44 (0)20 7946 0958", null, "+442079460958", "GB")]
    [InlineData("020 7946 0958", "GB", "+442079460958", "GB")]
    [InlineData("0044 20 7946 0958", "DE", "+442079460958", "GB")]
    [InlineData("0044 20 7946 0958", null, "+442079460958", "GB")]
    [InlineData("030/901820", "DE", "+4930901820", "DE")]
    [InlineData("06 1234 5678", "IT", "+390612345678", "IT")]
    [InlineData("8 (495) 123-45-67", "RU", "+74951234567", "RU")]
    [InlineData("+352 26 12 34", null, "+352261234", "LU")]
    [InlineData("+800 1234 5678", null, "+80012345678", null)]
    [InlineData("555.123.4567 ext. 89", "US", "+15551234567", "US")]
    public void Phone_Understood_IsE164(string typed, string? region, string e164, string? found)
    {
        var number = Value(PhoneNumbers.Read(typed, region));
        Assert.Equal(new PhoneNumber(e164, typed, found), number);
    }

    [Theory]
    [Trait("Requirement", "R-PROF-2")]
    [InlineData("555-123-4567", null, "region_needed")]
    [InlineData("5551234567", null, "region_needed")]
    [InlineData("5551234567", "XX", "invalid_region")]
    [InlineData("5551234567", "U", "invalid_region")]
    [InlineData("call me", "US", "invalid_phone")]
    [InlineData("1-800-FLOWERS", "US", "invalid_phone")]
    [InlineData("", "US", "invalid_phone")]
    [InlineData("+", null, "invalid_phone")]
    [InlineData("++15551234567", null, "invalid_phone")]
    [InlineData("+1 055 123 4567", null, "invalid_phone")]
    [InlineData("+1 555 123 456", null, "invalid_length")]
    [InlineData("+1 555 123 45678", null, "invalid_length")]
    [InlineData("+91 98765 4321", null, "invalid_length")]
    [InlineData("+352 261234567890123", null, "invalid_length")]
    [InlineData("+210 12345678", null, "invalid_country_code")]
    [InlineData("+999 12345678", null, "invalid_country_code")]
    [InlineData("٠١٢٣٤٥٦٧٨٩", "EG", "invalid_phone")]
    [InlineData("12345678901234567890123456789012345678901", null, "too_long")]
    public void Phone_NotOne_IsRefusedByName(string typed, string? region, string code) =>
        Assert.Equal(code, Refused(PhoneNumbers.Read(typed, region)).Code);

    [Fact]
    [Trait("Requirement", "R-PROF-2")]
    public void Phone_WithAnExtension_SaysThatItIsLeftOut() => Assert.Equal(
        "extension_left_out",
        Assert.Single(Read(PhoneNumbers.Read("+1 555 123 4567 x89", null)).Warnings).Code);

    [Theory]
    [Trait("Requirement", "R-PROF-3")]
    [InlineData("1990-12-31", null, "1990-12-31")]
    [InlineData("1990-2-3", null, "1990-02-03")]
    [InlineData("12/31/1990", null, "1990-12-31")]
    [InlineData("31/12/1990", null, "1990-12-31")]
    [InlineData("31.12.1990", null, "1990-12-31")]
    [InlineData("02/03/1990", null, "1990-02-03")]
    [InlineData("02/03/1990", "en-GB", "1990-03-02")]
    [InlineData("02/03/1990", "en-US", "1990-02-03")]
    [InlineData("02/03/1990", "pt-BR", "1990-03-02")]
    [InlineData("12/31/1990", "en-GB", "1990-12-31")]
    [InlineData("05/05/1990", null, "1990-05-05")]
    [InlineData("2024-02-29", null, "2024-02-29")]
    [InlineData("2026-03-02", null, "2026-03-02")]
    [InlineData("1896-03-02", null, "1896-03-02")]
    public void DateOfBirth_Understood_IsIso(string typed, string? language, string iso) => Assert.Equal(
        DateOnly.ParseExact(iso, "yyyy-MM-dd", null),
        Read(BirthDate.Read(typed, BirthDate.OrderOf(language), false, Today)).Value);

    [Theory]
    [Trait("Requirement", "R-PROF-3")]
    [InlineData("2026-03-03", "out_of_range")]
    [InlineData("1896-03-01", "out_of_range")]
    [InlineData("0001-01-01", "out_of_range")]
    [InlineData("2023-02-29", "invalid_date")]
    [InlineData("13/32/1990", "invalid_date")]
    [InlineData("00/00/1990", "invalid_date")]
    [InlineData("0000-01-01", "invalid_date")]
    [InlineData("02/03/90", "invalid_date")]
    [InlineData("1990", "invalid_date")]
    [InlineData("31 Dec 1990", "invalid_date")]
    [InlineData("1990-12-31T00:00:00", "invalid_date")]
    [InlineData("", "invalid_date")]
    public void DateOfBirth_NotOne_IsRefusedByName(string typed, string code) =>
        Assert.Equal(code, Refused(BirthDate.Read(typed, DateOrder.Unknown, false, Today)).Code);

    /// <summary>Listed order with a warning; a known order needs none; strict refuses.</summary>
    [Fact]
    [Trait("Requirement", "R-PROF-3")]
    public void DateOfBirth_ReadableInTwoWays_IsWarnedAboutOrRefused()
    {
        const string typed = "02/03/1990";
        var warning = Assert.Single(
            Read(BirthDate.Read(typed, DateOrder.Unknown, false, Today)).Warnings);
        Assert.Equal(("ambiguous_date", "1990-03-02"), (warning.Code, warning.Suggestion));
        Assert.Empty(Read(BirthDate.Read(typed, DateOrder.DayFirst, true, Today)).Warnings);
        Assert.Equal(
            "ambiguous_date", Refused(BirthDate.Read(typed, DateOrder.Unknown, true, Today)).Code);
        Assert.Empty(Read(BirthDate.Read("05/05/1990", DateOrder.Unknown, true, Today)).Warnings);
    }

    [Theory]
    [Trait("Requirement", "R-PROF-4")]
    [InlineData(WebPlace.Website, "example.org", "https://example.org")]
    [InlineData(WebPlace.Website, "https://Example.org/", "https://example.org")]
    [InlineData(WebPlace.Website, "http://example.org/a?b=c#d", "https://example.org/a?b=c#d")]
    [InlineData(WebPlace.Website, "https://bücher.example/x", "https://xn--bcher-kva.example/x")]
    [InlineData(WebPlace.LinkedIn, "linkedin.com/in/ana-lima", "https://www.linkedin.com/in/ana-lima")]
    [InlineData(WebPlace.LinkedIn, "https://uk.linkedin.com/in/ana?trk=x", "https://www.linkedin.com/in/ana")]
    [InlineData(WebPlace.LinkedIn, "ana-lima", "https://www.linkedin.com/in/ana-lima")]
    [InlineData(WebPlace.Twitter, "https://twitter.com/ana_l", "https://x.com/ana_l")]
    [InlineData(WebPlace.Twitter, "x.com/ana_l/", "https://x.com/ana_l")]
    [InlineData(WebPlace.Twitter, "@ana_l", "https://x.com/ana_l")]
    [InlineData(WebPlace.GitHub, "HTTPS://GITHUB.COM/Ana-L", "https://github.com/Ana-L")]
    [InlineData(WebPlace.GitHub, "ana-l", "https://github.com/ana-l")]
    public void WebAddress_Understood_HasOneForm(WebPlace place, string typed, string stored) =>
        Assert.Equal(stored, Value(WebAddress.Read(place, typed)));

    [Theory]
    [Trait("Requirement", "R-PROF-4")]
    [InlineData(WebPlace.Website, "javascript:alert(1)", "scheme_not_allowed")]
    [InlineData(WebPlace.Website, "JaVaScRiPt://example.org/%0aalert(1)", "scheme_not_allowed")]
    [InlineData(WebPlace.Website, "data:text/html,x", "scheme_not_allowed")]
    [InlineData(WebPlace.Website, "ftp://example.org", "scheme_not_allowed")]
    [InlineData(WebPlace.Website, "https://ana:secret@example.org", "invalid_url")]
    [InlineData(WebPlace.Website, "https://192.0.2.1/", "invalid_url")]
    [InlineData(WebPlace.Website, "https://[::1]/", "invalid_url")]
    [InlineData(WebPlace.Website, "https://localhost/", "invalid_url")]
    [InlineData(WebPlace.Website, "https://example.org:8080/", "invalid_url")]
    [InlineData(WebPlace.Website, "https://", "invalid_url")]
    [InlineData(WebPlace.Website, "not an address", "invalid_url")]
    [InlineData(WebPlace.LinkedIn, "https://linkedin.com.example.net/in/ana", "wrong_host")]
    [InlineData(WebPlace.LinkedIn, "https://notlinkedin.com/in/ana", "wrong_host")]
    [InlineData(WebPlace.LinkedIn, "https://linkedin.com/company/ana", "not_a_profile")]
    [InlineData(WebPlace.LinkedIn, "https://linkedin.com/ana", "not_a_profile")]
    [InlineData(WebPlace.Twitter, "https://github.com/ana", "wrong_host")]
    [InlineData(WebPlace.Twitter, "https://x.com/home", "not_a_profile")]
    [InlineData(WebPlace.Twitter, "@a_name_much_too_long", "not_a_profile")]
    [InlineData(WebPlace.GitHub, "https://github.com/ana/calsync", "not_a_profile")]
    [InlineData(WebPlace.GitHub, "https://github.com/settings", "not_a_profile")]
    [InlineData(WebPlace.GitHub, "https://github.com@example.net/ana", "invalid_url")]
    [InlineData(WebPlace.GitHub, "https://gist.github.com/ana", "wrong_host")]
    [InlineData(WebPlace.GitHub, "-ana", "not_a_profile")]
    public void WebAddress_NotOne_IsRefusedByName(WebPlace place, string typed, string code) =>
        Assert.Equal(code, Refused(WebAddress.Read(place, typed)).Code);

    [Fact]
    [Trait("Requirement", "R-PROF-4")]
    public void WebAddress_WithHttp_SaysThatItWasTakenAsHttps() => Assert.Equal(
        "https_assumed",
        Assert.Single(Read(WebAddress.Read(WebPlace.Website, "http://example.org")).Warnings).Code);

    /// <summary>No reader throws, and what one stores it reads back as the same.</summary>
    [Fact]
    public void Readers_FedWithNoise_NeverThrowAndSettleAtOnce()
    {
        var random = new Random(20260302);
        const string letters = "aB1@.+-/:_ %()x\u00e9\u0661\u4e2d\u200b\ud83d\ude00\ud800\u0000#?&='\"";
        for (var turn = 0; turn < 20_000; turn++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(24))
                .Select(_ => letters[random.Next(letters.Length)]));
            if (turn % 3 == 0)
                text = $"https://{text}";
            if (EmailAddress.Read(text) is FieldReading<string>.Read email)
                Assert.Equal(email.Value, Value(EmailAddress.Read(email.Value)));
            if (PhoneNumbers.Read(text, "DE") is FieldReading<PhoneNumber>.Read phone)
                Assert.Equal(phone.Value.E164, Value(PhoneNumbers.Read(phone.Value.E164, null)).E164);
            _ = BirthDate.Read(text, DateOrder.Unknown, false, Today);
            _ = LanguageRegion.Of(text);
            foreach (var place in Enum.GetValues<WebPlace>())
            {
                if (WebAddress.Read(place, text) is FieldReading<string>.Read address)
                    Assert.Equal(address.Value, Value(WebAddress.Read(place, address.Value)));
            }
        }
    }

    private static T Value<T>(FieldReading<T> reading) => Read(reading).Value;

    private static FieldReading<T>.Read Read<T>(FieldReading<T> reading) =>
        Assert.IsType<FieldReading<T>.Read>(reading);

    private static FieldReading<T>.Refused Refused<T>(FieldReading<T> reading)
    {
        var refused = Assert.IsType<FieldReading<T>.Refused>(reading);
        Assert.NotEqual("", refused.Message);
        Assert.NotEqual("", refused.Example);
        return refused;
    }
}
