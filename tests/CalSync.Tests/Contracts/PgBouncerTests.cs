using CalSync.Storage.Running;
using CalSync.Sync.Providers;
using CalSync.Tests.Api;
using CalSync.Tests.Client;
using Xunit;

namespace CalSync.Tests.Contracts;

// Every contract once more, through PgBouncer in transaction mode with TLS.

[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-6")]
public sealed class PgBouncerIdempotencyApiTests(PgBouncerTestDatabase database)
    : IdempotencyApiContract(database), IClassFixture<PgBouncerTestDatabase>;

[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-6")]
public sealed class PgBouncerPreconditionApiTests(PgBouncerTestDatabase database)
    : PreconditionApiContract(database), IClassFixture<PgBouncerTestDatabase>;

[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-6")]
public sealed class PgBouncerReplayTests(PgBouncerTestDatabase database)
    : ReplayContract(database), IClassFixture<PgBouncerTestDatabase>;

[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-6")]
public sealed class PgBouncerSeatApiTests(PgBouncerTestDatabase database)
    : SeatApiContract(database), IClassFixture<PgBouncerTestDatabase>;

[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-6")]
public sealed class PgBouncerClientTests(PgBouncerTestDatabase database)
    : ClientContract(database), IClassFixture<PgBouncerTestDatabase>;

[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-6")]
public sealed class PgBouncerBreakerLedgerTests(PgBouncerTestDatabase database)
    : BreakerLedgerContract(database), IClassFixture<PgBouncerTestDatabase>
{
    protected override IBreakerLedger Ledger => new BreakerLedger(Database);
}

[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-6")]
public sealed class PgBouncerClassCommandsTests(PgBouncerTestDatabase database)
    : ClassCommandsContract(database), IClassFixture<PgBouncerTestDatabase>;

[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-6")]
public sealed class PgBouncerClassHistoryTests(PgBouncerTestDatabase database)
    : ClassHistoryContract(database), IClassFixture<PgBouncerTestDatabase>;

[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-6")]
public sealed class PgBouncerConnectionTests(PgBouncerTestDatabase database)
    : ConnectionContract(database), IClassFixture<PgBouncerTestDatabase>;

[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-6")]
public sealed class PgBouncerDatabaseTests(PgBouncerTestDatabase database)
    : DatabaseContract(database), IClassFixture<PgBouncerTestDatabase>;

[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-6")]
public sealed class PgBouncerIdempotencyTests(PgBouncerTestDatabase database)
    : IdempotencyContract(database), IClassFixture<PgBouncerTestDatabase>;

[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-6")]
public sealed class PgBouncerIdentityTests(PgBouncerTestDatabase database)
    : IdentityContract(database), IClassFixture<PgBouncerTestDatabase>;

[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-6")]
public sealed class PgBouncerJournalTests(PgBouncerTestDatabase database)
    : JournalContract(database), IClassFixture<PgBouncerTestDatabase>;

[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-6")]
public sealed class PgBouncerMigratorTests(PgBouncerTestDatabase database)
    : MigratorContract(database), IClassFixture<PgBouncerTestDatabase>;

[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-6")]
public sealed class PgBouncerMirrorTests(PgBouncerTestDatabase database)
    : MirrorContract(database), IClassFixture<PgBouncerTestDatabase>;

[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-6")]
public sealed class PgBouncerMirrorStoreTests(PgBouncerTestDatabase database)
    : MirrorStoreContract(database), IClassFixture<PgBouncerTestDatabase>;

[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-6")]
public sealed class PgBouncerPairHistoryTests(PgBouncerTestDatabase database)
    : PairHistoryContract(database), IClassFixture<PgBouncerTestDatabase>;

[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-6")]
public sealed class PgBouncerPairStoreTests(PgBouncerTestDatabase database)
    : PairStoreContract(database), IClassFixture<PgBouncerTestDatabase>;

[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-6")]
public sealed class PgBouncerPassingTimeTests(PgBouncerTestDatabase database)
    : PassingTimeContract(database), IClassFixture<PgBouncerTestDatabase>;

[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-6")]
public sealed class PgBouncerProfileTests(PgBouncerTestDatabase database)
    : ProfileContract(database), IClassFixture<PgBouncerTestDatabase>;

[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-6")]
public sealed class PgBouncerSchemaTests(PgBouncerTestDatabase database)
    : SchemaContract(database), IClassFixture<PgBouncerTestDatabase>;

[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-6")]
public sealed class PgBouncerSessionTests(PgBouncerTestDatabase database)
    : SessionContract(database), IClassFixture<PgBouncerTestDatabase>;

[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-6")]
public sealed class PgBouncerResealTests(PgBouncerTestDatabase database)
    : ResealContract(database), IClassFixture<PgBouncerTestDatabase>;

[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-6")]
public sealed class PgBouncerGoogleAccountTests(PgBouncerTestDatabase database)
    : GoogleAccountContract(database), IClassFixture<PgBouncerTestDatabase>;

[Collection(PostgresFixture.Collection)]
[Trait("Requirement", "R-DB-6")]
public sealed class PgBouncerProposalTests(PgBouncerTestDatabase database)
    : ProposalContract(database), IClassFixture<PgBouncerTestDatabase>;
