using System.Security.Cryptography;
using CalSync.Storage.Secrets;
using Xunit;

namespace CalSync.Tests.Storage;

/// <summary>Envelopes open in their place with their key, and nowhere else.</summary>
public sealed class TokenCipherTests : IDisposable
{
    private static readonly SecretPlace Place = new("ten_1", "con_1", "connections.refresh_token");
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("calsync-test-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData("")]
    [InlineData("1//0gRefresh-Token_é")]
    public void Open_InItsPlace_ReturnsTheSecret(string secret)
    {
        var cipher = new TokenCipher(NewRing());
        Assert.Equal(secret, cipher.Open(Place, cipher.Seal(Place, secret)));
    }

    /// <summary>A ciphertext copied to another row, column or tenant does not open.</summary>
    [Theory]
    [InlineData("ten_1", "con_2", "connections.refresh_token")]
    [InlineData("ten_1", "con_1", "connections.access_token")]
    [InlineData("ten_2", "con_1", "connections.refresh_token")]
    [InlineData("ten_1c", "on_1", "connections.refresh_token")]
    [Trait("Requirement", "R-OAUTH-2")]
    public void Open_InAnotherPlace_IsNotAuthentic(string tenant, string row, string column)
    {
        var cipher = new TokenCipher(NewRing());
        var fault = Assert.Throws<SecretException>(
            () => cipher.Open(new SecretPlace(tenant, row, column), cipher.Seal(Place, "secret")));
        Assert.Equal(SecretProblem.NotAuthentic, fault.Problem);
    }

    [Fact]
    public void Open_AnyBitChanged_IsATypedFault()
    {
        var cipher = new TokenCipher(NewRing());
        var sealedBytes = cipher.Seal(Place, "secret");
        for (var i = 0; i < sealedBytes.Length; i++)
        {
            var changed = (byte[])sealedBytes.Clone();
            changed[i] ^= 0x10;
            Assert.Throws<SecretException>(() => cipher.Open(Place, changed));
        }

        Assert.Throws<SecretException>(() => cipher.Open(Place, sealedBytes[..20]));
    }

    [Fact]
    public void Seal_SameSecretTwice_GivesDifferentBytes()
    {
        var cipher = new TokenCipher(NewRing());
        Assert.NotEqual(cipher.Seal(Place, "secret"), cipher.Seal(Place, "secret"));
    }

    [Fact]
    public void Ring_NewKeyFirst_StillOpensWhatTheOldOneSealed()
    {
        var (older, newer) = (NewKey(), NewKey());
        var envelope = new TokenCipher(KeyRing.Load(_directory.FullName, older)).Seal(Place, "secret");
        var rotated = new TokenCipher(KeyRing.Load(_directory.FullName, $"{newer},{older}"));
        Assert.Equal("secret", rotated.Open(Place, envelope));
        var fault = Assert.Throws<SecretException>(
            () => new TokenCipher(KeyRing.Load(_directory.FullName, newer)).Open(Place, envelope));
        Assert.Equal(SecretProblem.UnknownKey, fault.Problem);
    }

    [Fact]
    public void Load_FirstRun_MakesAPrivateKeyFileThatIsUsedAgain()
    {
        var directory = Path.Combine(_directory.FullName, "data");
        var first = KeyRing.Load(directory, null);
        Assert.Equal(first.CurrentId, KeyRing.Load(directory, "").CurrentId);
        Assert.Single(Directory.GetFiles(directory));
        if (OperatingSystem.IsWindows())
            return;
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite,
            File.GetUnixFileMode(Path.Combine(directory, KeyRing.FileName)));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(directory));
    }

    [Theory]
    [InlineData("c2hvcnQ=")]
    [InlineData("not base64")]
    [InlineData(",")]
    public void Load_BadKey_IsRefusedWithoutShowingIt(string text)
    {
        var fault = Assert.Throws<SecretException>(() => KeyRing.Load(_directory.FullName, text));
        Assert.Equal(SecretProblem.BadKey, fault.Problem);
        Assert.DoesNotContain("c2hvcnQ", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddKey_WhileAnotherRingRuns_IsUsedByBothAtOnce()
    {
        var (running, rotating) = (NewFileRing(), NewFileRing());
        var old = running.CurrentId;
        var before = new TokenCipher(running).Seal(Place, "before");
        rotating.AddKey();
        Assert.NotEqual(old, rotating.CurrentId);
        var after = new TokenCipher(rotating).Seal(Place, "after");
        Assert.Equal("after", new TokenCipher(running).Open(Place, after));
        // Sealed by the ring that was there before, with the new key.
        var sealedNow = new TokenCipher(running).Seal(Place, "now");
        rotating.RemoveKeys([old]);
        var fresh = new TokenCipher(NewFileRing());
        Assert.Equal("now", fresh.Open(Place, sealedNow));
        var fault = Assert.Throws<SecretException>(() => fresh.Open(Place, before));
        Assert.Equal(SecretProblem.UnknownKey, fault.Problem);
        Assert.Equal(rotating.CurrentId, Assert.Single(NewFileRing().Ids));
    }

    [Fact]
    public void Seal_AfterAnotherProcessAddedAKey_UsesTheNewOneUnasked()
    {
        var (running, rotating) = (NewFileRing(), NewFileRing());
        rotating.AddKey();
        var sealedNow = new TokenCipher(running).Seal(Place, "now");
        Assert.Equal(Convert.FromHexString(rotating.CurrentId), sealedNow[1..5]);
    }

    [Fact]
    public void AddKey_ByTwoAtOnce_LosesNone()
    {
        var rings = Enumerable.Range(0, 8).Select(_ => NewFileRing()).ToList();
        var added = 0;
        Parallel.ForEach(rings, ring =>
        {
            try
            {
                ring.AddKey();
                Interlocked.Increment(ref added);
            }
            catch (IOException)
            {
                // Another one holds the file: this one says so and has changed nothing.
            }
        });
        Assert.Equal(added + 1, NewFileRing().Ids.Length);
        Assert.InRange(added, 1, 8);
    }

    private KeyRing NewFileRing() => KeyRing.Load(Path.Combine(_directory.FullName, "ring"), null);

    private static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    private KeyRing NewRing() => KeyRing.Load(_directory.FullName, NewKey());
}
