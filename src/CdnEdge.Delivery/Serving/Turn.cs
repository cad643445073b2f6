namespace CdnEdge.Delivery.Serving;

/// <summary>
/// How much is copied before others get their turn. A thread may have more sockets to look after than the two between which
/// it copies, and where neither ever makes it wait it would do nothing else until the end.
/// </summary>
internal struct Turn
{
    /// <summary>Bytes in one go.</summary>
    internal const int Bytes = 1 << 20;

    private int _copied;

    /// <summary>Counts what was copied; true, and a new turn begins, when it's time to give way (<see cref="Task.Yield"/>).</summary>
    internal bool IsOverAfter(int bytes)
    {
        _copied += bytes;
        if (_copied < Bytes)
        {
            return false;
        }

        _copied = 0;
        return true;
    }
}
