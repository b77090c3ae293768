namespace CalSync.Calendar.Recurrence;

/// <summary>How much may still be looked at in vain before a sequence gives up.</summary>
internal sealed class StepBudget
{
    private readonly int _max;
    private int _left;

    public StepBudget(int max)
    {
        _max = max;
        _left = max;
    }

    /// <summary>Takes one step; false when none is left.</summary>
    public bool Spend() => _left > 0 && _left-- > 0;

    /// <summary>Something was found: the full budget again.</summary>
    public void Refill() => _left = _max;
}
