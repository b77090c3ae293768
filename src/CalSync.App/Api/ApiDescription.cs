using System.Text.Json.Nodes;
using CalSync.App.Api.Authentication;
using CalSync.App.Api.Bodies;
using CalSync.App.Api.Idempotency;
using CalSync.App.Api.Problems;
using CalSync.Storage.Classes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace CalSync.App.Api;

/// <summary>
/// Says in the OpenAPI document what the routes' marks mean: keys, preconditions, roles, problems.
/// </summary>
internal static class ApiDescription
{
    /// <summary>The extension that tells which operations take an idempotency key. R-FIX-4-E.</summary>
    public const string IdempotentMark = "x-idempotent";

    /// <summary>The extension that names the roles that may use an operation.</summary>
    public const string RolesMark = "x-roles";

    private const string ProblemSchema = "Problem";

    /// <summary>Sets up the document <c>v1</c>, served at /openapi/v1.json.</summary>
    public static void Configure(OpenApiOptions options)
    {
        options.AddDocumentTransformer((document, _, _) => Begin(document));
        options.AddOperationTransformer((operation, context, _) => Mark(operation, context));
        options.AddSchemaTransformer((schema, context, _) => Flatten(schema, context.JsonTypeInfo.Type));
    }

    private static Task Begin(OpenApiDocument document)
    {
        document.Info = new OpenApiInfo
        {
            Title = "CalSync",
            Version = "v1",
            Description = "Classes whose every slot is one verified event on the instructor's calendar. "
                + "Nothing is reported done before it was read back. Errors are RFC 9457 problems; each "
                + "type has a page.",
        };
        document.Servers = [];
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes =
            new Dictionary<string, IOpenApiSecurityScheme>(StringComparer.Ordinal)
            {
                ["token"] = new OpenApiSecurityScheme
                {
                    Type = SecuritySchemeType.Http,
                    Scheme = "bearer",
                    Description = "An API token made by calsync users token.",
                },
            };
        var token = new OpenApiSecuritySchemeReference("token", document);
        document.Security = [new OpenApiSecurityRequirement { [token] = [] }];
        document.Components.Schemas ??= new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal);
        document.Components.Schemas[ProblemSchema] = DescribeProblem();
        return Task.CompletedTask;
    }

    private static OpenApiSchema DescribeProblem()
    {
        var properties = new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal)
        {
            ["type"] = Text("Where the page of this problem is, relative to the server."),
            ["title"] = Text("What it is, the same on every occurrence."),
            ["status"] = new OpenApiSchema
            {
                Description = "The HTTP status; the word duplicate on idempotency-in-progress.",
            },
            ["detail"] = Text("What happened this time."),
            ["code"] = Text("The problem's name for programs."),
            ["action"] = Text("What a person can do."),
            ["retry"] = Text("change-the-request, read-again, later or after-a-person."),
            ["correlationId"] = Text("Names the request in logs and journal."),
        };
        return new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Properties = properties,
            Required = new HashSet<string>(properties.Keys, StringComparer.Ordinal),
            Description = "RFC 9457, with members of its own for some types.",
        };
    }

    private static Task Mark(OpenApiOperation operation, OpenApiOperationTransformerContext context)
    {
        var marks = context.Description.ActionDescriptor.EndpointMetadata;
        operation.Parameters ??= [];
        operation.Extensions ??= new Dictionary<string, IOpenApiExtension>(StringComparer.Ordinal);
        var problems = new List<ProblemType>
        {
            ProblemCatalogue.Internal, ProblemCatalogue.DependencyUnavailable, ProblemCatalogue.TookTooLong,
        };
        if (marks.OfType<Access>().FirstOrDefault() is { Allowed: { } roles })
        {
            problems.AddRange([ProblemCatalogue.Unauthenticated, ProblemCatalogue.Forbidden,
                ProblemCatalogue.NotAcceptable]);
            operation.Extensions[RolesMark] = new JsonNodeExtension(new JsonArray(
                [.. roles.ToString().ToLowerInvariant().Split(", ").Select(name => JsonValue.Create(name))]));
        }

        if (operation.RequestBody is not null)
        {
            problems.AddRange([ProblemCatalogue.MalformedRequest, ProblemCatalogue.BodyTooLarge,
                ProblemCatalogue.UnsupportedMediaType, ProblemCatalogue.RequestTimeout]);
        }

        if (marks.OfType<KeyedRoute>().Any())
        {
            var hours =
                context.ApplicationServices.GetRequiredService<IdempotencyOptions>().Retention.TotalHours;
            operation.Extensions[IdempotentMark] = new JsonNodeExtension(JsonValue.Create(true));
            operation.Parameters.Add(Header(IdempotencyHeader.Standard, false,
                $"One fresh UUID per intent, the same on every retry; X-Idempotency-Key means the same. "
                    + $"Kept {hours} hours."));
            problems.AddRange([ProblemCatalogue.IdempotencyInProgress, ProblemCatalogue.IdempotencyMismatch,
                ProblemCatalogue.IdempotencyKeyInvalid, ProblemCatalogue.IdempotencyKeyRequired]);
        }

        if (marks.OfType<ConditionalRoute>().Any())
        {
            operation.Parameters.Add(Header("If-Match", true,
                "The ETag of the version the change was decided on."));
            problems.AddRange([ProblemCatalogue.PreconditionRequired, ProblemCatalogue.StaleVersion]);
        }

        problems.AddRange(marks.OfType<RouteProblems>().SelectMany(mark => mark.Types));
        AddProblems(operation, context.Document!, problems);
        return Task.CompletedTask;
    }

    private static void AddProblems(OpenApiOperation operation, OpenApiDocument document,
        List<ProblemType> problems)
    {
        operation.Responses ??= [];
        foreach (var group in problems.DistinctBy(type => type.Name).GroupBy(type => type.Status)
            .OrderBy(group => group.Key))
        {
            operation.Responses[group.Key.ToString(System.Globalization.CultureInfo.InvariantCulture)] =
                new OpenApiResponse
                {
                    Description = string.Join(", ", group.Select(type => type.Name)),
                    Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal)
                    {
                        ["application/problem+json"] = new OpenApiMediaType
                        {
                            Schema = new OpenApiSchemaReference(ProblemSchema, document),
                        },
                    },
                };
        }
    }

    /// <summary>A PATCH member is described as what it holds.</summary>
    private static Task Flatten(OpenApiSchema schema, Type type)
    {
        if (type == typeof(Optional<string>))
            schema.Type = JsonSchemaType.String | JsonSchemaType.Null;
        else if (type == typeof(Optional<int?>))
            schema.Type = JsonSchemaType.Integer | JsonSchemaType.Null;
        return Task.CompletedTask;
    }

    private static OpenApiParameter Header(string name, bool required, string description) => new()
    {
        Name = name,
        In = ParameterLocation.Header,
        Required = required,
        Description = description,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    };

    private static OpenApiSchema Text(string description) =>
        new() { Type = JsonSchemaType.String, Description = description };
}
