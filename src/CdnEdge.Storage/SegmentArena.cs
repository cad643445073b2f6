namespace CdnEdge.Storage;

/// <summary>Pooled segments for bodies, in native slabs outside the managed heap.</summary>
internal sealed class SegmentArena : IDisposable
{
    /// <summary>Bytes of slabs taken from the operating system.</summary>
    internal long ReservedBytes => throw new NotImplementedException();

    /// <summary>Bytes in segments handed out.</summary>
    internal long OccupiedBytes => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
