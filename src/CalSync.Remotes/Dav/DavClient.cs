using System.Collections.Immutable;
using System.Net.Http.Headers;
using CalSync.Remotes.Pipeline;
using CalSync.Sync.Providers;

namespace CalSync.Remotes.Dav;

/// <summary>Speaks WebDAV for one account: signs in, follows redirects, reads answers to their end.</summary>
/// <remarks>
/// A redirect is followed for reads only, a bounded number of times, with the same method and body whatever
/// its status; the credentials go along only where <see cref="DavTrust"/> allows it. Thread-safe.
/// </remarks>
/// <param name="pipelines">Gives the pipeline of a server.</param>
/// <param name="connectionId">Whose breaker and quota apply.</param>
/// <param name="authentication">Signs the requests.</param>
/// <param name="options">Limits.</param>
internal sealed class DavClient(
    Func<Uri, ProviderPipeline> pipelines,
    string connectionId,
    DavAuthentication authentication,
    DavOptions options)
{
    private const int ErrorSizeBytesMax = 64 * 1024;
    private const int SignInCountMax = 3;

    /// <summary>Limits.</summary>
    public DavOptions Options => options;

    /// <summary>Sends a request.</summary>
    /// <param name="request">What to send.</param>
    /// <param name="cancellation">A cancelled write may still have been applied.</param>
    public async Task<DavReply> SendAsync(DavRequest request, CancellationToken cancellation)
    {
        for (var redirects = 0; ; redirects++)
        {
            var reply = await SignedAsync(request, cancellation);
            if (reply is not DavReply.Answered({ Status: 301 or 302 or 303 or 307 or 308 } moved)
                || !request.FollowsRedirects)
            {
                return reply;
            }

            if (redirects >= options.RedirectCountMax)
                return Failed(request, moved.Status, "the server redirects without end");
            if (moved.Location is not { } location || DavHref.Resolve(location, request.Target) is not { } to)
                return Failed(request, moved.Status, "the server redirects to nowhere");
            to = DavTrust.Mend(request.Target, to);
            if (!DavTrust.MaySend(request.Target, to))
            {
                return Failed(
                    request, moved.Status,
                    "the server redirects to another host; enter that host's address to trust it");
            }

            request = request with { Target = to };
        }
    }

    /// <summary>Sends a request that is answered with a multistatus.</summary>
    /// <returns>Its rows, or why there are none: 200, 206 or HTML are no empty multistatus.</returns>
    public async Task<(Multistatus? Rows, DavAnswer? Answer, ProviderFault? Fault)> ListAsync(
        DavRequest request, CancellationToken cancellation) =>
        await SendAsync(request, cancellation) switch
        {
            DavReply.Answered({ Multistatus: { } rows } answer) => (rows, answer, null),
            DavReply.Answered({ Succeeded: true } answer) => (
                null, answer,
                DavFaults.OutsideProtocol(request, answer.Status, "the answer is no multistatus")),
            DavReply.Answered(var answer) => (null, answer, DavFaults.Of(request, answer)),
            DavReply.Failed(var fault) => (null, null, fault),
            _ => throw new System.Diagnostics.UnreachableException("Unknown reply."),
        };

    private static DavReply.Failed Failed(DavRequest request, int? status, string words) =>
        new(DavFaults.OutsideProtocol(request, status, words));

    private async Task<DavReply> SignedAsync(DavRequest request, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            var signed = authentication.Sign(request.Target, request.Method);
            var (reply, challenges) = await OnceAsync(request, signed.Header, cancellation);
            if (reply is not DavReply.Answered({ Status: 401 } refused))
                return reply;
            switch (authentication.Hear(request.Target, challenges, signed, isRepeated: attempt > 1))
            {
                case Verdict.TryAgain when attempt < SignInCountMax:
                    break;
                case Verdict.WouldExposePassword:
                    return new DavReply.Failed(new(
                        ProviderReason.CredentialsRejected, null, 401,
                        $"{request.Operation} failed: the server wants the password over an unprotected "
                        + "connection, which is not allowed."));
                case Verdict.TryAgain or Verdict.Rejected:
                    return new DavReply.Failed(DavFaults.Of(request, refused));
            }
        }
    }

    private async Task<(DavReply Reply, ImmutableArray<AuthenticationHeaderValue> Challenges)> OnceAsync(
        DavRequest request, string? authorization, CancellationToken cancellation)
    {
        var sent = new ProviderRequest(
            request.Operation, request.Method, request.Target, request.IsWrite,
            Body: request.Body, MediaType: request.MediaType)
        {
            Accept = "text/calendar, application/xml, text/xml, */*;q=0.1",
            Authorization = authorization,
            Headers = request.Headers,
        };
        var caller = new Caller(
            connectionId, Interactive: false, options.AttemptTimeout, options.ReadAttempts, []);
        DavAnswer? answer = null;
        ImmutableArray<AuthenticationHeaderValue> challenges = [];
        var fault = await pipelines(request.Target).SendAsync(
            sent,
            caller,
            async (streamed, inner) =>
            {
                answer = null;
                challenges = streamed.Status == 401 ? [.. streamed.Headers.WwwAuthenticate] : [];
                var (read, broken) = await ReadAsync(request, sent, streamed, inner);
                answer = read;
                return broken;
            },
            cancellation);
        return fault is null
            ? (new DavReply.Answered(answer!), challenges)
            : (new DavReply.Failed(fault), challenges);
    }

    private async Task<(DavAnswer? Answer, ProviderFault? Fault)> ReadAsync(
        DavRequest request, ProviderRequest sent, StreamedAnswer streamed, CancellationToken cancellation)
    {
        var answer = new DavAnswer(streamed.Status, request.Target)
        {
            MediaType = streamed.MediaType,
            ETag = DavETag.Normalise(First(streamed.Headers, "ETag")),
            Location = First(streamed.Headers, "Location"),
            RetryAfter = streamed.RetryAfter,
            Server = First(streamed.Headers, "Server"),
            Compliance = streamed.Headers.TryGetValues("DAV", out var classes)
                ? string.Join(',', classes)
                : null,
        };
        if (streamed.Status == 207)
        {
            try
            {
                var rows = await MultistatusReader.ReadAsync(streamed.Body, options, cancellation);
                return (answer with { Multistatus = rows }, null);
            }
            catch (DavFormatException) when (request.TakesServerError)
            {
                return (answer, null);
            }
            catch (DavFormatException broken)
            {
                return (null, Faults.OutsideProtocol(sent, 207, broken.Message));
            }
        }

        if (answer.Succeeded)
        {
            var body = await streamed.ReadAllAsync(options.ResourceSizeBytesMax, cancellation);
            return (answer with { Body = body }, null);
        }

        answer = answer with { Error = await ErrorAsync(streamed, cancellation) };
        return IsFailure(request, answer) ? (null, Throttled(request, answer)) : (answer, null);
    }

    /// <summary>Whether the server is in trouble, which is worth asking again and counts as a
    /// failure.</summary>
    private static bool IsFailure(DavRequest request, DavAnswer answer) => answer.Status switch
    {
        429 => true,
        500 => !request.TakesServerError,
        501 or 507 => false,
        >= 500 => true,
        _ => false,
    };

    /// <summary>503 with a time to wait asks to slow down, as 429 does.</summary>
    private static ProviderFault Throttled(DavRequest request, DavAnswer answer) =>
        answer is { Status: 503, RetryAfter: not null }
            ? DavFaults.Of(request, answer with { Status = 429 }) with { Status = 503 }
            : DavFaults.Of(request, answer);

    private async Task<DavError> ErrorAsync(StreamedAnswer streamed, CancellationToken cancellation)
    {
        try
        {
            var body = await streamed.ReadAllAsync(ErrorSizeBytesMax, cancellation);
            return body.IsEmpty ? DavError.None : MultistatusReader.ReadError(body, options);
        }
        catch (AnswerTooLargeException)
        {
            // The status says enough.
            return DavError.None;
        }
    }

    private static string? First(HttpResponseHeaders headers, string name) =>
        headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;
}
