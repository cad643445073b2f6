namespace CdnEdge.Control;

/// <summary>Whether this node wants no more traffic: not ready, and connections are closed after the answer that is under way.</summary>
internal sealed class DrainState
{
    private volatile bool _draining;

    internal bool IsDraining => _draining;

    /// <summary>False if it was so already.</summary>
    internal bool Set(bool draining)
    {
        var changed = _draining != draining;
        _draining = draining;
        return changed;
    }
}
