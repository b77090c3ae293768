using CalSync.Lab.Peers;
using CalSync.Remotes.Dav;
using CalSync.Tests.Peers;
using Xunit;

namespace CalSync.Tests.Contracts;

/// <summary>The contract on a real server.</summary>
public abstract class PeerCalDavContract(PeerFixture fixture) : CalDavCalendarContract
{
    protected override Uri Entry => fixture.Peer.Entry;

    protected override DavCredentials Credentials { get; } =
        new(CalDavPeer.UserName, CalDavPeer.UserPassword);

    protected override async Task<string> MakeCalendarAsync() =>
        await fixture.Peer.NewCalendarAsync(Cancellation);
}

[Collection(RadicaleFixture.Collection)]
public sealed class RadicaleCalDavTests(RadicaleFixture fixture) : PeerCalDavContract(fixture);

[Collection(XandikosFixture.Collection)]
public sealed class XandikosCalDavTests(XandikosFixture fixture) : PeerCalDavContract(fixture);

[Collection(CyrusFixture.Collection)]
public sealed class CyrusCalDavTests(CyrusFixture fixture) : PeerCalDavContract(fixture);

[Collection(SabreFixture.Collection)]
public sealed class SabreCalDavTests(SabreFixture fixture) : PeerCalDavContract(fixture);

[Collection(DavicalFixture.Collection)]
public sealed class DavicalCalDavTests(DavicalFixture fixture) : PeerCalDavContract(fixture);

[Collection(SogoFixture.Collection)]
public sealed class SogoCalDavTests(SogoFixture fixture) : PeerCalDavContract(fixture)
{
    protected override bool RepeatsChanges => true;
}
