using System.Collections.Immutable;
using System.Net;
using Microsoft.AspNetCore.HttpOverrides;
using IPNetwork = System.Net.IPNetwork;

namespace CalSync.App.Api;

/// <summary>The reverse proxies whose word for a client's address is taken.</summary>
/// <remarks>
/// Each proxy adds the address it was called from to the right of <c>X-Forwarded-For</c>. So the header is
/// read from the right, as long as the address that said so is a trusted proxy's; the first that is none is
/// the client, and what stands further left is only what that client claims.
/// </remarks>
internal static class TrustedProxies
{
    /// <summary>Reads addresses and networks (CIDR), separated by commas; null when one is none, or is
    /// everybody.</summary>
    public static ImmutableArray<IPNetwork>? Read(string text)
    {
        var networks = ImmutableArray.CreateBuilder<IPNetwork>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (Network(part) is not { PrefixLength: > 0 } network)
                return null;
            networks.Add(network);
        }

        return networks.ToImmutable();
    }

    /// <summary>Takes the address of the client from the header, before anything asks for it.</summary>
    /// <param name="app">Where to.</param>
    /// <param name="trusted">None: the header means nothing, and the client is who calls.</param>
    public static void UseTrustedProxies(this WebApplication app, ImmutableArray<IPNetwork> trusted)
    {
        // Without any network the framework would trust everybody.
        if (trusted.IsEmpty)
            return;
        var options = new ForwardedHeadersOptions
        {
            ForwardedHeaders = ForwardedHeaders.XForwardedFor,
            ForwardLimit = null,
        };
        // The framework trusts this machine unasked.
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var network in trusted)
            options.KnownIPNetworks.Add(network);
        app.UseForwardedHeaders(options);
    }

    private static IPNetwork? Network(string text) =>
        IPAddress.TryParse(text, out var address)
            ? new IPNetwork(address, address.GetAddressBytes().Length * 8)
            : IPNetwork.TryParse(text, out var network) ? network
            : null;
}
