using CalSync.Lab.Peers;
using Xunit;

namespace CalSync.Tests.Peers;

/// <summary>One real CalDAV server for every class of a collection.</summary>
public abstract class PeerFixture : IAsyncLifetime
{
    private CalDavPeer? _peer;

    public CalDavPeer Peer => _peer!;

    public async Task InitializeAsync() => _peer = await StartAsync();

    public async Task DisposeAsync()
    {
        if (_peer is not null)
            await _peer.DisposeAsync();
    }

    private protected abstract Task<CalDavPeer> StartAsync();
}

/// <summary>A Radicale.</summary>
public sealed class RadicaleFixture : PeerFixture
{
    public const string Collection = "Radicale";

    private protected override Task<CalDavPeer> StartAsync() =>
        RadicaleServer.StartAsync(CancellationToken.None);
}

/// <summary>A Xandikos.</summary>
public sealed class XandikosFixture : PeerFixture
{
    public const string Collection = "Xandikos";

    private protected override Task<CalDavPeer> StartAsync() =>
        XandikosServer.StartAsync(CancellationToken.None);
}

/// <summary>A Cyrus.</summary>
public sealed class CyrusFixture : PeerFixture
{
    public const string Collection = "Cyrus";

    private protected override Task<CalDavPeer> StartAsync() =>
        CyrusServer.StartAsync(CancellationToken.None);
}

/// <summary>A SabreDAV.</summary>
public sealed class SabreFixture : PeerFixture
{
    public const string Collection = "SabreDAV";

    private protected override Task<CalDavPeer> StartAsync() =>
        SabreServer.StartAsync(CancellationToken.None);
}

/// <summary>A DAViCal.</summary>
public sealed class DavicalFixture : PeerFixture
{
    public const string Collection = "DAViCal";

    private protected override Task<CalDavPeer> StartAsync() =>
        DavicalServer.StartAsync(CancellationToken.None);
}

/// <summary>A SOGo.</summary>
public sealed class SogoFixture : PeerFixture
{
    public const string Collection = "SOGo";

    private protected override Task<CalDavPeer> StartAsync() =>
        SogoServer.StartAsync(CancellationToken.None);
}

[CollectionDefinition(RadicaleFixture.Collection)]
public sealed class RadicaleSuites : ICollectionFixture<RadicaleFixture>;

[CollectionDefinition(XandikosFixture.Collection)]
public sealed class XandikosSuites : ICollectionFixture<XandikosFixture>;

[CollectionDefinition(CyrusFixture.Collection)]
public sealed class CyrusSuites : ICollectionFixture<CyrusFixture>;

[CollectionDefinition(SabreFixture.Collection)]
public sealed class SabreSuites : ICollectionFixture<SabreFixture>;

[CollectionDefinition(DavicalFixture.Collection)]
public sealed class DavicalSuites : ICollectionFixture<DavicalFixture>;

[CollectionDefinition(SogoFixture.Collection)]
public sealed class SogoSuites : ICollectionFixture<SogoFixture>;
