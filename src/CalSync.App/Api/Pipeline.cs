using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using CalSync.App.Api.Authentication;
using CalSync.App.Api.Authentication.Jwt;
using CalSync.App.Api.Bodies;
using CalSync.App.Api.Problems;
using CalSync.App.Api.Streaming;
using CalSync.Storage;
using CalSync.Sync;
using Microsoft.Net.Http.Headers;

namespace CalSync.App.Api;

/// <summary>
/// What happens around every handler, from the outside in: headers, faults, statuses, access.
/// </summary>
internal static class Pipeline
{
    /// <summary>Carries the correlation id, both ways.</summary>
    public const string CorrelationHeader = "X-Correlation-Id";

    private const int CorrelationLengthMax = 64;

    /// <summary>Adds the whole pipeline, before any route.</summary>
    public static void UseApiPipeline(this WebApplication app)
    {
        app.Use(BeginAsync);
        app.Use(GuardAsync);
        app.Use(ServeHeadAsGetAsync);
        app.UseStatusCodePages(pages => AnswerBareStatusAsync(pages.HttpContext));
        app.UseRouting();
        app.Use(LimitAsync);
        app.Use(AdmitAsync);
    }

    /// <summary>
    /// Every route of the API says who may use it; a forgotten rule stops the start, it never opens a door.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// A route has no access rule, or a change takes no key.
    /// </exception>
    public static void RequireRules(IEndpointRouteBuilder routes)
    {
        foreach (var endpoint in routes.DataSources.SelectMany(source => source.Endpoints)
            .OfType<RouteEndpoint>())
        {
            var pattern = endpoint.RoutePattern.RawText ?? "";
            var methods = endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? [];
            var changes = methods.Any(method => !HttpMethods.IsGet(method));
            if (endpoint.Metadata.GetMetadata<Access>() is null)
                throw new InvalidOperationException($"{pattern} has no access rule.");
            if (changes && endpoint.Metadata.GetMetadata<KeyedRoute>() is null
                && endpoint.Metadata.GetMetadata<UnkeyedRoute>() is null)
            {
                throw new InvalidOperationException(
                    $"{pattern} changes something and takes no idempotency key.");
            }
        }
    }

    private static Task BeginAsync(HttpContext context, RequestDelegate next)
    {
        var clock = context.RequestServices.GetRequiredService<TimeProvider>();
        var sent = context.Request.Headers[CorrelationHeader];
        var correlationId = sent.Count == 1 && IsSane(sent[0])
            ? sent[0]!
            : context.RequestServices.GetRequiredService<IdSource>().Next("cor");
        context.Features.Set(new RequestScope(correlationId, clock.GetUtcNow(), null)
        {
            AsksHead = HttpMethods.IsHead(context.Request.Method),
            RespondsAsync = context.Request.Headers["Prefer"].Any(PrefersAsync),
        });
        var headers = context.Response.Headers;
        // Whatever is answered, a body over the limit is never read to its end: no request can follow it.
        if (context.Request.ContentLength > JsonBodies.BodySizeBytesMax)
            headers.Connection = "close";
        headers[CorrelationHeader] = correlationId;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-store";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.ContentSecurityPolicy =
            context.Request.Path.StartsWithSegments("/docs", StringComparison.Ordinal)
            ? "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; "
                + "img-src 'self' data:; frame-ancestors 'none'"
            : "default-src 'none'; frame-ancestors 'none'";
        return next(context);
    }

    // RFC 7240 section 2: preferences are separated by commas, in one header or several, each with parameters
    // after semicolons; unknown ones are ignored.
    private static bool PrefersAsync(string? header) =>
        header is not null && header.Split(',')
            .Any(preference => preference.Split(';')[0].Trim()
                .Equals("respond-async", StringComparison.OrdinalIgnoreCase));

    /// <summary>
    /// HEAD is GET without the body (RFC 9110 section 9.3.2), for every route that has a GET.
    /// </summary>
    private static async Task ServeHeadAsGetAsync(HttpContext context, RequestDelegate next)
    {
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await next(context);
            return;
        }

        var body = context.Response.Body;
        context.Request.Method = HttpMethods.Get;
        context.Response.Body = Stream.Null;
        try
        {
            await next(context);
        }
        finally
        {
            context.Request.Method = HttpMethods.Head;
            context.Response.Body = body;
        }
    }

    [SuppressMessage("Design", "CA1031:Do not catch general exception types",
        Justification = "The HTTP boundary: whatever failed becomes a problem with a correlation id.")]
    private static async Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        var logger = context.RequestServices.GetRequiredService<ILogger<ApiOptions>>();
        var clock = context.RequestServices.GetRequiredService<TimeProvider>();
        var started = clock.GetTimestamp();
        var method = context.Request.Method;
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is listening any more; what was committed goes on by itself.
            context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
        }
        catch (BadHttpRequestException fault)
        {
            await AnswerAsync(context,
                ProblemCatalogue.ForStatus(fault.StatusCode) ?? ProblemCatalogue.ForStatus(400)!);
        }
        catch (Exception fault) when (fault is DatabaseUnavailableException or ContentionException)
        {
            var correlationId = RequestScope.Of(context).CorrelationId;
            ApiLog.DatabaseUnavailable(logger, fault, method, Route(context), correlationId);
            context.RequestServices.GetRequiredService<ApiMeter>().Failed(fault);
            await AnswerAsync(context, DatabaseProblems.Of(fault));
        }
        catch (Exception fault)
        {
            ApiLog.Failed(logger, fault, method, Route(context), RequestScope.Of(context).CorrelationId);
            await AnswerAsync(context,
                ProblemCatalogue.Internal.With("The fault is logged under the correlationId."));
        }

        var (route, elapsed) = (Route(context), clock.GetElapsedTime(started));
        context.RequestServices.GetRequiredService<ApiMeter>()
            .Answered(method, route, context.Response.StatusCode, elapsed);
        if (logger.IsEnabled(LogLevel.Information))
        {
            var (scope, elapsedMs) = (RequestScope.Of(context), (long)elapsed.TotalMilliseconds);
            var (userId, format) = (scope.Caller?.UserId ?? "-", scope.Caller?.Method.Word() ?? "-");
            ApiLog.Answered(
                logger, method, route, context.Response.StatusCode, elapsedMs, userId, format,
                scope.CorrelationId);
        }
    }

    /// <summary>Gives up on what takes longer than a request may; what was committed goes on by
    /// itself.</summary>
    private static async Task LimitAsync(HttpContext context, RequestDelegate next)
    {
        // A stream lasts as long as somebody listens.
        if (context.GetEndpoint()?.Metadata.GetMetadata<StreamRoute>() is not null)
        {
            await next(context);
            return;
        }

        var options = context.RequestServices.GetRequiredService<ApiOptions>();
        var clock = context.RequestServices.GetRequiredService<TimeProvider>();
        var gone = context.RequestAborted;
        using var budget = new CancellationTokenSource(options.RequestBudget, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(gone, budget.Token);
        context.RequestAborted = either.Token;
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (budget.IsCancellationRequested
            && !gone.IsCancellationRequested)
        {
            await AnswerAsync(context, ProblemCatalogue.ForStatus(504)!);
        }
        finally
        {
            context.RequestAborted = gone;
        }
    }

    private static async Task AdmitAsync(HttpContext context, RequestDelegate next)
    {
        var endpoint = context.GetEndpoint();
        if (endpoint?.Metadata.GetMetadata<Access>() is not { Allowed: { } allowed })
        {
            await next(context);
            return;
        }

        var scope = RequestScope.Of(context);
        var outcome = await context.RequestServices.GetRequiredService<BearerTokens>()
            .AuthenticateAsync(context.Request.Headers.Authorization, scope.Now, context.RequestAborted);
        if (outcome is not BearerOutcome.Known known)
        {
            var refused = (BearerOutcome.Refused)outcome;
            var logger = context.RequestServices.GetRequiredService<ILogger<ApiOptions>>();
            ApiLog.NotLetIn(logger, refused.Code, scope.CorrelationId);
            await AnswerAsync(context, refused.Problem);
            return;
        }

        context.Features.Set(scope with { Caller = known.Caller });
        if (known.Caller.Method == AuthenticationMethod.Legacy)
            Deprecate(context);
        if ((known.Caller.Roles & allowed) == 0)
        {
            await AnswerAsync(context, ProblemCatalogue.Forbidden.With(
                $"The role {known.Caller.Role.ToString().ToLowerInvariant()} may not use this route."));
            return;
        }

        var streams = endpoint.Metadata.GetMetadata<StreamRoute>() is not null;
        var isText = endpoint.Metadata.GetMetadata<TextRoute>() is not null;
        if (!Accepts(context.Request, isText ? AnyText : streams ? AnyStream : AnyJson))
        {
            await AnswerAsync(context, ProblemCatalogue.ForStatus(406)!);
            return;
        }

        await next(context);
    }

    // RFC 9745 section 2.1 and RFC 8594 section 3.
    private static void Deprecate(HttpContext context)
    {
        var sunset = context.RequestServices.GetRequiredService<ApiOptions>().Jwt.LegacySunset;
        context.Response.Headers["Deprecation"] =
            $"@{JwtOptions.LegacyDeprecated.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)}";
        context.Response.Headers["Sunset"] = sunset.ToString("R", CultureInfo.InvariantCulture);
    }

    private static Task AnswerBareStatusAsync(HttpContext context) =>
        ProblemCatalogue.ForStatus(context.Response.StatusCode) is { } problem
            ? AnswerAsync(context, problem)
            : Task.CompletedTask;

    private static async Task AnswerAsync(HttpContext context, Problem problem)
    {
        if (context.Response.HasStarted)
        {
            // Half an answer must not look whole.
            context.Abort();
            return;
        }

        await RequestScope.Of(context).Refuse(problem).ExecuteAsync(context);
    }

    private static bool Accepts(HttpRequest request, MediaTypeHeaderValue type)
    {
        var accept = request.GetTypedHeaders().Accept;
        return accept.Count == 0 || accept.Any(range => range.Quality != 0
            && (range.MatchesAllTypes || range.IsSubsetOf(type)
                || (range.MatchesAllSubTypes && range.Type == type.Type)));
    }

    private static readonly MediaTypeHeaderValue AnyJson = new("application/json");
    private static readonly MediaTypeHeaderValue AnyText = new("text/plain");
    private static readonly MediaTypeHeaderValue AnyStream = new(StreamApi.MediaType);

    private static string Route(HttpContext context) =>
        (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "-";

    private static bool IsSane(string? text) =>
        text is { Length: >= 1 and <= CorrelationLengthMax }
        && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.');
}
