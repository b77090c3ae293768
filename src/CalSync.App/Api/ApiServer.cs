using CalSync.App.Api.Authentication;
using CalSync.App.Api.Bodies;
using CalSync.App.Api.Problems;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace CalSync.App.Api;

/// <summary>The HTTP server: limits, pipeline, routes, description.</summary>
internal static class ApiServer
{
    private const int HeadersSizeBytesMax = 16 * 1024;
    private const int HeaderCountMax = 64;
    private const int RequestLineSizeBytesMax = 4 * 1024;
    private const int ConnectionCountMax = 2_000;

    /// <summary>Begins a server; the caller adds the services the routes need.</summary>
    /// <param name="urls">Where to listen; port 0 picks a free one.</param>
    /// <param name="options">Limits and choices.</param>
    public static WebApplicationBuilder Prepare(IReadOnlyList<string> urls, ApiOptions options)
    {
        // No arguments, no configuration files, no environment of the framework: the product has its own.
        var builder = WebApplication.CreateEmptyBuilder(
            new WebApplicationOptions { ApplicationName = "calsync" });
        builder.WebHost.UseKestrelCore().UseUrls([.. urls]).ConfigureKestrel(Limit);
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(options);
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, ApiJson.Default);
            json.SerializerOptions.NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.Strict;
        });
        builder.Services.AddOpenApi("v1", ApiDescription.Configure);
        builder.Services.AddSingleton<AuthMeter>();
        builder.Services.AddSingleton<ApiMeter>();
        builder.Services.AddSingleton<BearerTokens>();
        return builder;
    }

    /// <summary>Adds pipeline and routes.</summary>
    /// <param name="app">A server whose services are complete.</param>
    /// <param name="mapResources">Maps the resources onto a group that refuses unreadable parameters.</param>
    public static void Map(WebApplication app, Action<IEndpointRouteBuilder> mapResources)
    {
        app.UseTrustedProxies(app.Services.GetRequiredService<ApiOptions>().TrustedProxies);
        app.UseApiPipeline();
        app.UseSwaggerUI(page =>
        {
            page.RoutePrefix = "docs/api";
            page.SwaggerEndpoint("/openapi/v1.json", "CalSync v1");
            page.DocumentTitle = "CalSync API";
        });
        app.MapOpenApi("/openapi/{documentName}.json").WithMetadata(Access.Open);
        app.MapErrorPages();
        var resources = app.MapGroup("");
        resources.AddEndpointFilter(RouteWords.RefuseUnreadable);
        mapResources(resources);
        Pipeline.RequireRules(app);
    }

    private static void Limit(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = JsonBodies.BodySizeBytesMax;
        kestrel.Limits.MaxRequestHeadersTotalSize = HeadersSizeBytesMax;
        kestrel.Limits.MaxRequestHeaderCount = HeaderCountMax;
        kestrel.Limits.MaxRequestLineSize = RequestLineSizeBytesMax;
        kestrel.Limits.MaxConcurrentConnections = ConnectionCountMax;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(100, TimeSpan.FromSeconds(5));
    }
}
