using System.Buffers;
using System.Collections.Immutable;
using CalSync.App.Api.Authentication;
using CalSync.App.Api.Bodies;
using CalSync.App.Api.Problems;

namespace CalSync.App.Api;

/// <summary>Marks a route whose repetition with the same key has one effect.</summary>
internal sealed record KeyedRoute;

/// <summary>Marks a route that changes something and takes no key, because nothing of it may be
/// kept.</summary>
internal sealed record UnkeyedRoute;

/// <summary>Marks a route that needs If-Match.</summary>
internal sealed record ConditionalRoute;

/// <summary>The problems a route can answer with, besides those every route can.</summary>
internal sealed record RouteProblems(ImmutableArray<ProblemType> Types);

/// <summary>The words a route is declared with.</summary>
internal static class RouteWords
{
    private static readonly SearchValues<char> IdDigits =
        SearchValues.Create("0123456789abcdefghijklmnopqrstuv");

    /// <summary>Only these roles.</summary>
    public static RouteHandlerBuilder Allow(this RouteHandlerBuilder route, Roles roles) =>
        route.WithMetadata(new Access(roles));

    /// <summary>No token needed.</summary>
    public static RouteHandlerBuilder Open(this RouteHandlerBuilder route) => route.WithMetadata(Access.Open);

    /// <summary>The body, for the description.</summary>
    public static RouteHandlerBuilder Takes<T>(this RouteHandlerBuilder route)
        where T : class => route.Accepts<T>(false, "application/json");

    /// <summary>A good answer, for the description.</summary>
    public static RouteHandlerBuilder Gives<T>(this RouteHandlerBuilder route, int status) =>
        route.Produces<T>(status, "application/json");

    /// <summary>Idempotency keys work here.</summary>
    public static RouteHandlerBuilder Keyed(this RouteHandlerBuilder route) =>
        route.WithMetadata(new KeyedRoute());

    /// <summary>No idempotency key: request or answer is a secret that must not be kept.</summary>
    public static RouteHandlerBuilder Unkeyed(this RouteHandlerBuilder route) =>
        route.WithMetadata(new UnkeyedRoute());

    /// <summary>If-Match is required here.</summary>
    public static RouteHandlerBuilder Conditional(this RouteHandlerBuilder route) =>
        route.WithMetadata(new ConditionalRoute());

    /// <summary>The problems this route adds.</summary>
    public static RouteHandlerBuilder Fails(this RouteHandlerBuilder route, params ProblemType[] types) =>
        route.WithMetadata(new RouteProblems([.. types]));

    /// <summary>Operation id, summary and description.</summary>
    public static RouteHandlerBuilder Says(
        this RouteHandlerBuilder route, string name, string summary, string description) =>
        route.WithName(name).WithSummary(summary).WithDescription(description);

    /// <summary>
    /// Answers for parameters that were refused while they were read, and for ids that cannot exist.
    /// </summary>
    public static ValueTask<object?> RefuseUnreadable(EndpointFilterInvocationContext call,
        EndpointFilterDelegate next)
    {
        foreach (var (name, value) in call.HttpContext.Request.RouteValues)
        {
            if (name.EndsWith("id", StringComparison.OrdinalIgnoreCase) && !IsId(value as string))
            {
                return ValueTask.FromResult<object?>(RequestScope.Of(call.HttpContext).Refuse(
                    ProblemCatalogue.NotFound.With("No object has such an id.")));
            }
        }

        foreach (var argument in call.Arguments)
        {
            if (argument is IRefusable { Problem: { } problem })
                return ValueTask.FromResult<object?>(RequestScope.Of(call.HttpContext).Refuse(problem));
        }

        return next(call);
    }

    /// <summary>
    /// A prefix of three letters, an underscore and 26 base32hex digits, as <c>IdSource</c> makes them.
    /// </summary>
    internal static bool IsId(string? text) =>
        text is { Length: 30 } && text[3] == '_'
        && text.AsSpan(0, 3).IndexOfAnyExceptInRange('a', 'z') < 0
        && text.AsSpan(4).IndexOfAnyExcept(IdDigits) < 0;
}
