using CalSync.Remotes.Dav;
using CalSync.Sandbox;
using Xunit;

namespace CalSync.Tests.Contracts;

/// <summary>The contract on the practice iCloud, with the habits given.</summary>
/// <remarks>
/// The account is the organizer of the contract's events with guests, so that a server that mails by itself
/// would mail.
/// </remarks>
public abstract class SandboxCalDavContract(CalDavQuirks quirks) : CalDavCalendarContract, IAsyncLifetime
{
    private const string Teacher = "teacher@example.test";
    private const string Password = "teac-aaaa-bbbb-cccc";

    private SandboxServer _sandbox = null!;
    private HttpClient _http = null!;

    protected override Uri Entry => _sandbox.CalDavAddress;

    protected override DavCredentials Credentials { get; } = new(Teacher, Password);

    public async Task InitializeAsync()
    {
        _sandbox = await SandboxServer.StartAsync(
            new SandboxOptions(TimeProvider.System)
            {
                Quirks = quirks,
                CalDavUsers = [new CalDavUser(Teacher, "Teacher", "own", [Password])],
            },
            Cancellation);
        _http = new HttpClient { BaseAddress = _sandbox.BaseAddress };
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _sandbox.DisposeAsync();
    }

    protected override Task<string> MakeCalendarAsync() => Task.FromResult("work/");

    protected override async Task<int?> MailCountAsync() =>
        (await new SandboxControl(_http).GetMailsAsync(includeKeptBack: false, Cancellation)).Count;
}

/// <summary>iCloud with all its documented habits.</summary>
public sealed class SandboxICloudTests() : SandboxCalDavContract(CalDavQuirks.ICloud);

/// <summary>A server that keeps to the standards.</summary>
public sealed class SandboxStandardTests() : SandboxCalDavContract(CalDavQuirks.None);

/// <summary>A server that mails guests by itself.</summary>
public sealed class SandboxMailingTests()
    : SandboxCalDavContract(CalDavQuirks.None with { MailsAttendees = true });

/// <summary>A server that knows no sync-collection: ctag and listing.</summary>
public sealed class SandboxTagOnlyTests()
    : SandboxCalDavContract(CalDavQuirks.None with { LacksSyncCollection = true });

/// <summary>A server that names two changes at a time.</summary>
public sealed class SandboxSmallPagesTests()
    : SandboxCalDavContract(CalDavQuirks.ICloud with { SyncPageCountMax = 2 });

/// <summary>A server whose ETags are weak.</summary>
public sealed class SandboxWeakTagsTests()
    : SandboxCalDavContract(CalDavQuirks.None with { ETagForm = ETagForm.Weak });

/// <summary>A server that answers a PUT with the ETag of what it made of it.</summary>
public sealed class SandboxHastyTagsTests()
    : SandboxCalDavContract(CalDavQuirks.None with { RewritesOnPut = true, PutETag = PutETag.Always });

/// <summary>A server that never names an ETag in answer to a PUT.</summary>
public sealed class SandboxSilentPutTests()
    : SandboxCalDavContract(CalDavQuirks.ICloud with { PutETag = PutETag.Never });

/// <summary>A server that leaves statuses empty.</summary>
public sealed class SandboxEmptyStatusTests()
    : SandboxCalDavContract(CalDavQuirks.ICloud with { LeavesStatusEmpty = true });

/// <summary>A server that answers a dead token with 410.</summary>
public sealed class SandboxGoneTokenTests()
    : SandboxCalDavContract(CalDavQuirks.None with { DeadSyncToken = DeadSyncToken.Gone });

/// <summary>A server that fails on a dead token.</summary>
public sealed class SandboxFailingTokenTests()
    : SandboxCalDavContract(CalDavQuirks.None with { DeadSyncToken = DeadSyncToken.Error });

/// <summary>A server that lists everything on a dead token.</summary>
public sealed class SandboxForgivingTokenTests()
    : SandboxCalDavContract(CalDavQuirks.None with { DeadSyncToken = DeadSyncToken.FullListing });
