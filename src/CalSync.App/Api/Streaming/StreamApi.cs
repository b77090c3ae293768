using System.Globalization;
using CalSync.App.Api.Authentication;
using static CalSync.App.Api.Problems.ProblemCatalogue;

namespace CalSync.App.Api.Streaming;

/// <summary>Marks a route that answers with server-sent events instead of JSON.</summary>
internal sealed record StreamRoute;

/// <summary>What concerns the caller, as it happens: server-sent events, WHATWG HTML section 9.2.</summary>
internal static class StreamApi
{
    /// <summary>The media type of a stream.</summary>
    public const string MediaType = "text/event-stream";

    /// <summary>Adds the route.</summary>
    public static void MapStream(this IEndpointRouteBuilder api) =>
        api.MapGet("/api/v1/me/events", Open).Allow(Roles.Any).WithMetadata(new StreamRoute())
            .Produces<ChangeView>(200, MediaType).Fails(MalformedRequest, TooManyStreams)
            .Says("streamMyEvents", "What happens, as it happens",
                "Server-sent events in commit order, each with its number as id; what does not concern the "
                + "caller is left out. Send the last id as Last-Event-ID to resume without a gap or a "
                + "repeat. The first event is ready, or reset when the id is not of this journal: then read "
                + "everything again. An id without data comes every 15 s.");

    private static IResult Open(HttpRequest request, RequestScope scope, EventStreams streams)
    {
        if (request.Query.Count > 0)
            return scope.Refuse(MalformedRequest.With("A stream takes no query parameters."));
        if (!LastSeen(request, out var after))
        {
            return scope.Refuse(
                MalformedRequest.With("Last-Event-ID must be the id of an event of this stream."));
        }

        return new Stream(scope, streams, after);
    }

    private static bool LastSeen(HttpRequest request, out long? after)
    {
        after = null;
        var sent = request.Headers["Last-Event-ID"];
        // Browsers send it empty when nothing was received yet.
        if (sent.Count == 0 || (sent.Count == 1 && sent[0]!.Length == 0))
            return true;
        if (sent.Count > 1
            || !long.TryParse(sent[0], NumberStyles.None, CultureInfo.InvariantCulture, out var seq))
        {
            return false;
        }

        after = seq;
        return true;
    }

    private sealed class Stream(RequestScope scope, EventStreams streams, long? after) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            using var place = streams.Enter(scope.Who.UserId);
            if (place is null)
            {
                var problem = TooManyStreams.With("No more may be open, for this person or in all.") with
                {
                    RetryAfter = TimeSpan.FromSeconds(30),
                };
                await scope.Refuse(problem).ExecuteAsync(httpContext);
                return;
            }

            httpContext.Response.ContentType = MediaType;
            // Asks a proxy in front not to hold events back.
            httpContext.Response.Headers["X-Accel-Buffering"] = "no";
            if (!scope.AsksHead)
                await streams.SendAsync(httpContext, scope.Who, after);
        }
    }
}
