using CalSync.Sandbox.Control;
using CalSync.Sandbox.Google;
using CalSync.Sandbox.Http;
using CalSync.Sandbox.OAuth;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;

namespace CalSync.Sandbox;

/// <summary>
/// A running Google to practise on: OAuth 2, Calendar v3 and a control plane, all in memory.
/// </summary>
/// <remarks>
/// Calendar is under <c>/calendar/v3</c>, consent at <c>/o/oauth2/v2/auth</c>, tokens at <c>/token</c>,
/// revocation at
/// <c>/revoke</c>, the control plane under <c>/_sandbox</c> (drive it with <see cref="SandboxControl"/>).
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
        WebApplication application, CancellationTokenSource stopping, SandboxState state, Uri baseAddress)
    {
        _state = state;
        _messenger = new Messenger(state);
        _delivering = _messenger.RunAsync(stopping.Token);
        _application = application;
        _stopping = stopping;
        BaseAddress = baseAddress;
    }

    /// <summary>Scheme, host and port, with a slash at the end.</summary>
    public Uri BaseAddress { get; }

    /// <summary>Starts a sandbox and returns once it listens.</summary>
    /// <param name="options">Where, when and with whom.</param>
    /// <param name="cancellationToken">Cancelling stops the start; nothing is left behind.</param>
    /// <exception cref="IOException">The address is in use.</exception>
    public static async Task<SandboxServer> StartAsync(
        SandboxOptions options, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(options.Address, options.Port);
            kestrel.AddServerHeader = false;
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
        Map(application, state);
        await application.StartAsync(cancellationToken);
        var address = application.Services.GetRequiredService<IServer>()
            .Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return new SandboxServer(application, stopping, state, new Uri(address + "/"));
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

    private static void Map(WebApplication application, SandboxState state)
    {
        var gateway = new Gateway(state);
        application.UseRouting();
        OAuthApi.Map(application, gateway, state);
        EventsApi.Map(application, gateway, state);
        CalendarsApi.Map(application, gateway, state);
        ChannelsApi.Map(application, gateway, state);
        FreeBusyApi.Map(application, gateway, state);
        ControlApi.Map(application, state);
        application.MapFallback(gateway.UnknownAsync);
    }
}
