using CalSync.Sandbox.Control;
using CalSync.Sandbox.Google;
using CalSync.Sandbox.Http;
using CalSync.Sandbox.OAuth;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace CalSync.Sandbox;

/// <summary>
/// A running Google and a running iCloud to practise on: OAuth 2, Calendar v3, CalDAV and one control plane,
/// all in memory.
/// </summary>
/// <remarks>
/// Calendar is under <c>/calendar/v3</c>, consent at <c>/o/oauth2/v2/auth</c>, tokens at <c>/token</c>,
/// revocation at
/// <c>/revoke</c>, the control plane under <c>/_sandbox</c> (drive it with <see cref="SandboxControl"/>).
/// CalDAV has two ports of its own: <see cref="CalDavAddress"/> is the entry, where discovery begins, and the
/// other one the host an account's calendars are moved to (<see cref="CalDavQuirks.MovesToShard"/>).
/// Every answer carries the header <c>X-CalSync-Sandbox: true</c>, so that nobody mistakes it for the real
/// service.
/// </remarks>
public sealed class SandboxServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly CancellationTokenSource _stopping;
    private readonly SandboxState _state;
    private readonly Messenger _messenger;
    private readonly Task _delivering;

    private SandboxServer(
        WebApplication application, CancellationTokenSource stopping, SandboxState state, Uri baseAddress,
        Uri calDavAddress)
    {
        _state = state;
        _messenger = new Messenger(state);
        _delivering = _messenger.RunAsync(stopping.Token);
        _application = application;
        _stopping = stopping;
        BaseAddress = baseAddress;
        CalDavAddress = calDavAddress;
    }

    /// <summary>Scheme, host and port, with a slash at the end.</summary>
    public Uri BaseAddress { get; }

    /// <summary>The practice iCloud: scheme, host and port, with a slash at the end.</summary>
    public Uri CalDavAddress { get; }

    /// <summary>Starts a sandbox and returns once it listens.</summary>
    /// <param name="options">Where, when and with whom.</param>
    /// <param name="cancellationToken">Cancelling stops the start; nothing is left behind.</param>
    /// <exception cref="IOException">The address is in use.</exception>
    public static async Task<SandboxServer> StartAsync(
        SandboxOptions options, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        ListenOptions[] ends = [];
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            var ports = new[] { options.Port, options.CalDavPort, options.CalDavShardPort };
            ends = [.. ports.Select((port, index) => Listen(kestrel, options, port, isCalDav: index > 0))];
        });
        builder.Services.AddRoutingCore();
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.RespectNullableAnnotations = true;
            json.SerializerOptions.RespectRequiredConstructorParameters = true;
        });
        var application = builder.Build();
        var stopping = new CancellationTokenSource();
        var state = new SandboxState(options, stopping.Token);
        var calDav = new DavGateway(state);
        Map(application, state, calDav);
        await application.StartAsync(cancellationToken);
        var addresses = ends.Select(end => new Uri($"http://{end.IPEndPoint}/")).ToArray();
        calDav.Shard = addresses[2];
        return new SandboxServer(application, stopping, state, addresses[0], addresses[1]);
    }

    /// <summary>Stops listening and forgets everything; calls under way are cut off.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        using var impatient = new CancellationTokenSource(TimeSpan.Zero);
        await _application.StopAsync(impatient.Token);
        await _application.DisposeAsync();
        await _delivering;
        _messenger.Dispose();
        _state.Dispose();
        _stopping.Dispose();
    }

    private static ListenOptions Listen(
        KestrelServerOptions kestrel, SandboxOptions options, int port, bool isCalDav)
    {
        ListenOptions end = null!;
        kestrel.Listen(options.Address, port, listen =>
        {
            end = listen;
            if (isCalDav)
            {
                listen.Use(next => connection =>
                {
                    connection.Items[typeof(DavGateway)] = true;
                    return next(connection);
                });
            }
        });
        return end;
    }

    private static void Map(WebApplication application, SandboxState state, DavGateway calDav)
    {
        var gateway = new Gateway(state);
        application.MapWhen(
            context => context.Features.Get<IConnectionItemsFeature>()!.Items.ContainsKey(typeof(DavGateway)),
            branch => branch.Run(calDav.ServeAsync));
        application.UseRouting();
        OAuthApi.Map(application, gateway, state);
        EventsApi.Map(application, gateway, state);
        CalendarsApi.Map(application, gateway, state);
        ChannelsApi.Map(application, gateway, state);
        FreeBusyApi.Map(application, gateway, state);
        ControlApi.Map(application, state);
        CalDavControlApi.Map(application, state);
        application.MapFallback(gateway.UnknownAsync);
    }
}
