using CalSync.Tests.Contracts;
using Xunit;

namespace CalSync.Tests.Repository;

/// <summary>R-DB-6: no contract is forgotten on an engine.</summary>
public sealed class EngineCoverageTests
{
    [Fact]
    [Trait("Requirement", "R-DB-6")]
    public void EveryContract_RunsOnSqliteOnPostgresAndThroughPgBouncer()
    {
        Type[] engines =
            [typeof(SqliteTestDatabase), typeof(PostgresTestDatabase), typeof(PgBouncerTestDatabase)];
        var types = typeof(EngineCoverageTests).Assembly.GetTypes();
        var contracts = types
            .Where(type => type.IsAbstract && type.Name.EndsWith("Contract", StringComparison.Ordinal)
                && type.GetConstructors()
                    .Concat(type.GetConstructors(System.Reflection.BindingFlags.NonPublic
                        | System.Reflection.BindingFlags.Instance))
                    .Any(made => made.GetParameters() is [{ ParameterType: var taken }]
                        && taken == typeof(TestDatabase))
                && types.Any(derived => derived.BaseType == type && !derived.IsAbstract))
            .ToList();
        Assert.InRange(contracts.Count, 20, int.MaxValue);
        Assert.Equal(
            [],
            from contract in contracts
            from engine in engines
            where !types.Any(type => type.IsSealed && type.IsSubclassOf(contract)
                && type.GetInterfaces().Contains(typeof(IClassFixture<>).MakeGenericType(engine)))
            select $"{contract.Name} on {engine.Name}");
    }
}
