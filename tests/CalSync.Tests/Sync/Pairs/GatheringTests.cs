using CalSync.Sync.Pairs.Execution;
using Xunit;

namespace CalSync.Tests.Sync.Pairs;

public sealed class GatheringTests
{
    private readonly List<int> _goes = [];
    private int _toCome;

    private Gathering<int, int> Of(int countMax) => new(
        (items, _) =>
        {
            _goes.Add(items.Count);
            return Task.FromResult<IReadOnlyList<int>>([.. items.Select(item => -item)]);
        },
        () => countMax, () => _toCome > 0);

    [Fact]
    public async Task LoneCaller_IsServedAtOnce()
    {
        var gathering = Of(10);
        Assert.Equal(-7, await gathering.AskAsync(7, default));
        Assert.Equal([1], _goes);
    }

    [Fact]
    public async Task WhileMoreAreToCome_OneGoServesThemAll()
    {
        var gathering = Of(10);
        _toCome = 1;
        var first = gathering.AskAsync(1, default);
        var second = gathering.AskAsync(2, default);
        Assert.Empty(_goes);
        _toCome = 0;
        Assert.Equal(-3, await gathering.AskAsync(3, default));
        var others = await Task.WhenAll(first, second);
        Assert.Equal([-1, -2], others);
        Assert.Equal([3], _goes);
    }

    [Fact]
    public async Task Enough_AreServedThoughMoreAreToCome()
    {
        var gathering = Of(2);
        _toCome = 1;
        var both = await Task.WhenAll(gathering.AskAsync(1, default), gathering.AskAsync(2, default));
        Assert.Equal([-1, -2], both);
        Assert.Equal([2], _goes);
    }

    [Fact]
    public async Task WhoDoesNotAskAfterAll_LetsTheOthersGo()
    {
        var gathering = Of(10);
        _toCome = 1;
        var waiting = gathering.AskAsync(1, default);
        gathering.GoWhenDue(default);
        Assert.False(waiting.IsCompleted);
        _toCome = 0;
        gathering.GoWhenDue(default);
        Assert.Equal(-1, await waiting);
    }

    [Fact]
    public async Task FaultOfAGo_IsThatOfEveryoneInIt()
    {
        _toCome = 1;
        var gathering = new Gathering<int, int>(
            (_, _) => throw new InvalidOperationException("away"), () => 2, () => _toCome > 0);
        var first = gathering.AskAsync(1, default);
        var second = gathering.AskAsync(2, default);
        await Assert.ThrowsAsync<InvalidOperationException>(() => first);
        await Assert.ThrowsAsync<InvalidOperationException>(() => second);
    }
}
