using CalSync.Storage;
using CalSync.Storage.Postgres;
using Npgsql;
using Xunit;

namespace CalSync.Tests.Storage;

/// <summary>R-DB-1: every parameter of an address is kept or refused, never dropped.</summary>
public sealed class PostgresUrlTests
{
    private static readonly DatabaseOptions Options = new() { DataDirectory = "unused" };

    [Fact]
    [Trait("Requirement", "R-DB-1")]
    public void Read_WithTlsParameters_KeepsEachOfThem()
    {
        var settings = PostgresUrl.Read(
            "postgres://us%40er:p%3Aw%2F@db.example.test:6000/cal?sslmode=verify-full&sslrootcert=%2Fca.pem"
            + "&sslcert=c.pem&sslkey=k.pem&channel_binding=require&application_name=two%20words",
            Options);
        Assert.Equal(
            ("us@er", "p:w/", "db.example.test", 6000, "cal"),
            (settings.Username, settings.Password, settings.Host, settings.Port, settings.Database));
        Assert.Equal(SslMode.VerifyFull, settings.SslMode);
        Assert.Equal(ChannelBinding.Require, settings.ChannelBinding);
        Assert.Equal(
            ("/ca.pem", "c.pem", "k.pem", "two words"),
            (settings.RootCertificate, settings.SslCertificate, settings.SslKey, settings.ApplicationName));
    }

    [Theory]
    [InlineData("postgres://h/d?sslmode=verify_full")]
    [InlineData("postgres://h/d?ssl_mode=require")]
    [InlineData("postgres://h/d?channel_binding=yes")]
    [InlineData("postgres://h/d?connect_timeout=soon")]
    [InlineData("mysql://h/d")]
    [InlineData("postgres:///d")]
    [InlineData("Host=h;Database=d")]
    [Trait("Requirement", "R-DB-1")]
    public void Read_WhatIsNotUnderstood_IsRefused(string url) =>
        Assert.Throws<DatabaseAddressException>(() => PostgresUrl.Read(url, Options));
}
