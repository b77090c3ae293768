namespace CalSync.Sync.Pairs.Execution;

/// <summary>
/// Does for many callers in one go what each asks for alone: the next go gathers while one is under way, and
/// as long as more callers are known to come.
/// </summary>
/// <remarks>
/// A lone caller waits for nobody, so that what completes at once stays in the order it was asked for.
/// Thread-safe.
/// </remarks>
/// <typeparam name="TItem">What is asked.</typeparam>
/// <typeparam name="TResult">What each caller gets.</typeparam>
/// <param name="act">One go: a result for each item, in their order.</param>
/// <param name="countMax">Items of one go that begins now.</param>
/// <param name="isMoreToCome">Whether others will ask soon; whoever turns out not to, or was the last, says
/// so with <see cref="GoWhenDue"/>. Null: nobody is waited for.</param>
internal sealed class Gathering<TItem, TResult>(
    Func<IReadOnlyList<TItem>, CancellationToken, Task<IReadOnlyList<TResult>>> act, Func<int> countMax,
    Func<bool>? isMoreToCome = null)
{
    private readonly Lock _gate = new();
    private readonly Queue<Place> _waiting = new();
    private bool _isUnderWay;

    /// <summary>Asks for one.</summary>
    /// <param name="item">What.</param>
    /// <param name="cancellation">The same for all callers; when it cancels, all that wait are
    /// cancelled.</param>
    /// <returns>Its result; a fault of the go is that of everyone in it.</returns>
    public Task<TResult> AskAsync(TItem item, CancellationToken cancellation)
    {
        var place = new Place(
            item, new TaskCompletionSource<TResult>(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (_gate)
            _waiting.Enqueue(place);
        GoWhenDue(cancellation);
        return place.Given.Task;
    }

    /// <summary>Begins a go when one is due: nobody else is to come, or enough are here.</summary>
    /// <param name="cancellation">As in <see cref="AskAsync"/>.</param>
    public void GoWhenDue(CancellationToken cancellation)
    {
        lock (_gate)
        {
            if (_isUnderWay || !IsDue)
                return;
            _isUnderWay = true;
        }

        _ = GoAsync(cancellation);
    }

    private bool IsDue =>
        _waiting.Count >= countMax() || (_waiting.Count > 0 && isMoreToCome?.Invoke() != true);

    /// <summary>One go after another until none is due; never faults, the callers do.</summary>
    private async Task GoAsync(CancellationToken cancellation)
    {
        while (Next() is { Count: > 0 } places)
        {
            try
            {
                var results = await act([.. places.Select(place => place.Item)], cancellation);
                for (var index = 0; index < places.Count; index++)
                    places[index].Given.SetResult(results[index]);
            }
            catch (OperationCanceledException cancelled)
            {
                places.ForEach(place => place.Given.TrySetCanceled(cancelled.CancellationToken));
            }
#pragma warning disable CA1031 // Whatever it is, the callers throw it.
            catch (Exception fault)
#pragma warning restore CA1031
            {
                places.ForEach(place => place.Given.TrySetException(fault));
            }
        }
    }

    private List<Place> Next()
    {
        lock (_gate)
        {
            List<Place> places = [];
            if (IsDue)
            {
                var most = countMax();
                while (places.Count < most && _waiting.TryDequeue(out var place))
                    places.Add(place);
            }

            _isUnderWay = places.Count > 0;
            return places;
        }
    }

    private sealed record Place(TItem Item, TaskCompletionSource<TResult> Given);
}
