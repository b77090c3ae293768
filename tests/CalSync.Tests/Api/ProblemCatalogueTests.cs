using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using CalSync.App.Api.Preconditions;
using CalSync.App.Api.Problems;
using CalSync.Classes;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace CalSync.Tests.Api;

/// <summary>
/// One catalogue of problems: every entry listed, every entry with its page, every page with its entry.
/// </summary>
public sealed class ProblemCatalogueTests
{
    public static TheoryData<string> Names => [.. ProblemCatalogue.All.Keys];

    [Fact]
    public void All_ListsEveryTypeOnce()
    {
        var declared = typeof(ProblemCatalogue)
            .GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            .Where(field => field.FieldType == typeof(ProblemType))
            .Select(field => ((ProblemType)field.GetValue(null)!).Name);

        Assert.Equal(declared.Order(StringComparer.Ordinal), ProblemCatalogue.All.Keys);
    }

    [Fact]
    public void Pages_AreTheCatalogue()
    {
        var pages = Directory.EnumerateFiles(Path.Combine(Root(), "docs", "errors"), "*.md")
            .Select(Path.GetFileNameWithoutExtension);

        Assert.Equal(ProblemCatalogue.All.Keys, pages.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Page_SaysWhatTheTypeSays(string name)
    {
        var type = ProblemCatalogue.All[name];
        var page = ErrorPages.Read(name);

        Assert.NotNull(page);
        Assert.StartsWith($"# {name}\n\n{type.Title}\n\n- Status: {type.Status}\n- Code: {type.Code}\n",
            page, StringComparison.Ordinal);
        Assert.Contains($"## What you can do\n\n{type.Action}\n", page, StringComparison.Ordinal);
        Assert.Contains("## What happened\n\n", page, StringComparison.Ordinal);
        Assert.Contains("## What we did\n\n", page, StringComparison.Ordinal);
        Assert.InRange(type.Status, 400, 599);
    }

    [Fact]
    public void ToAnswer_WritesEveryMember()
    {
        var answer = ProblemCatalogue.ClassFull.With("All 3 seats are taken.").And("capacity", 3)
            .ToAnswer("cor_1");

        Assert.Equal((409, "application/problem+json"), (answer.Status, answer.ContentType));
        var body = JsonNode.Parse(answer.Body!)!;
        Assert.Equal("/errors/class-full", (string?)body["type"]);
        Assert.Equal("class-full", (string?)body["code"]);
        Assert.Equal("cor_1", (string?)body["correlationId"]);
        Assert.Equal(409, (int?)body["status"]);
        Assert.Equal(3, (int?)body["capacity"]);
        Assert.False(string.IsNullOrEmpty((string?)body["action"]));
    }

    /// <summary>R-CAL-13-P: the answer to a stale version carries the current tag and what differs.</summary>
    [Fact]
    [Trait("Requirement", "R-CAL-13-P")]
    public void StaleVersion_CarriesTheCurrentTagAndTheDifferences()
    {
        var answer = new Refusal.StaleVersion(3, 5, [new FieldDifference("title", "mine", "theirs")])
            .ToProblem().ToAnswer("cor_1");

        Assert.Equal(412, answer.Status);
        Assert.Contains(("ETag", "\"5\""), answer.Headers);
        var change = JsonNode.Parse(answer.Body!)!["changed"]![0]!;
        Assert.Equal(("title", "mine", "theirs"),
            ((string?)change["member"], (string?)change["requested"], (string?)change["current"]));
    }

    /// <summary>
    /// R-CAL-13-P: a change without If-Match is 428; a tag that is not ours matches no version.
    /// </summary>
    [Theory]
    [InlineData(null, null)]
    [InlineData("\"7\"", 7L)]
    [InlineData("*", EntityTag.None)]
    [InlineData("W/\"7\"", EntityTag.None)]
    [InlineData("\"7\", \"8\"", EntityTag.None)]
    [InlineData("\"-7\"", EntityTag.None)]
    [InlineData("\"99999999999999999999\"", EntityTag.None)]
    [Trait("Requirement", "R-CAL-13-P")]
    public void EntityTag_ReadsOneStrongTag(string? header, long? version)
    {
        var request = new DefaultHttpContext().Request;
        if (header is not null)
            request.Headers.IfMatch = header;

        var read = EntityTag.Read(request);

        Assert.Equal(version, (read as IfMatch.Version)?.Value);
        Assert.Equal(version is null, read is IfMatch.Refused { Problem.Status: 428 });
    }

    [Fact]
    public void EveryRefusal_HasAProblem()
    {
        foreach (var type in typeof(Refusal).GetNestedTypes()
            .Where(type => type.IsSubclassOf(typeof(Refusal))))
        {
            var constructor = type.GetConstructors()[0];
            var values = constructor.GetParameters().Select(parameter => Sample(parameter.ParameterType))
                .ToArray();
            var problem = ((Refusal)constructor.Invoke(values)).ToProblem();
            Assert.InRange(problem.Status, 400, 499);
        }
    }

    private static object? Sample(Type type)
    {
        if (type == typeof(string))
            return "x";
        if (type == typeof(System.Collections.Immutable.ImmutableArray<FieldError>))
        {
            return System.Collections.Immutable.ImmutableArray.Create(new FieldError("title", "required",
                "A title is needed."));
        }

        return type.IsGenericType
            ? type.GetField("Empty")!.GetValue(null)
            : Activator.CreateInstance(type);
    }

    private static string Root([CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "../../.."));
}
