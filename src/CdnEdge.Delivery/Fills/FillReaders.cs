using CdnEdge.Storage;

namespace CdnEdge.Delivery.Fills;

/// <summary>
/// The readers of one fill, and how fast its writer may go where the body isn't kept whole: at most
/// <see cref="ReadAhead"/> ahead of the fastest, with at most <see cref="Retained"/> bytes kept for slower ones. A reader
/// that falls further behind is cut off rather than hold the others back. All under the fill's lock.
/// </summary>
internal sealed class FillReaders
{
    /// <summary>Bytes read ahead of the fastest reader when the body isn't kept whole.</summary>
    internal const long ReadAhead = 1 << 20;

    /// <summary>Bytes kept for a slower reader of such a body before it's cut off.</summary>
    private const long Retained = 32 << 20;

    // Linked through the readers themselves: in a storm thousands leave one by one.
    private FillReader? _newest;
    private TaskCompletionSource? _moved;

    internal bool IsEmpty => _newest is null;

    /// <summary>Nobody is there who'd get the whole: one that was cut off only waits for its client to notice.</summary>
    internal bool AreGone
    {
        get
        {
            for (var reader = _newest; reader is not null; reader = reader.Older)
            {
                if (!reader.IsCutOff)
                {
                    return false;
                }
            }

            return true;
        }
    }

    internal void Add(FillReader reader)
    {
        reader.Older = _newest;
        if (_newest is not null)
        {
            _newest.Newer = reader;
        }

        _newest = reader;
    }

    /// <summary>False if it had been removed before.</summary>
    internal bool Remove(FillReader reader)
    {
        if (reader.Newer is { } newer)
        {
            newer.Older = reader.Older;
        }
        else if (_newest == reader)
        {
            _newest = reader.Older;
        }
        else
        {
            return false;
        }

        if (reader.Older is { } older)
        {
            older.Newer = reader.Newer;
        }

        (reader.Older, reader.Newer) = (null, null);
        return true;
    }

    /// <summary>The body is there: each reader takes a reference of its own.</summary>
    internal void Acquire(GrowingBody body)
    {
        for (var reader = _newest; reader is not null; reader = reader.Older)
        {
            reader.Acquire(body);
        }
    }

    /// <summary>
    /// Cuts off who has fallen too far behind and frees what nobody will read again. Null if the writer may go on, else
    /// what to wait for before asking again: see <see cref="TakeWaitingWriter"/>.
    /// </summary>
    internal Task? Pace(GrowingBody body)
    {
        var written = body.Length;
        var fastest = 0L;
        var slowest = long.MaxValue;
        var isAlone = _newest is { Older: null };
        for (var reader = _newest; reader is not null; reader = reader.Older)
        {
            if (written - reader.Position > Retained && !isAlone)
            {
                reader.CutOff();
            }

            if (!reader.IsCutOff)
            {
                fastest = Math.Max(fastest, reader.Position);
                slowest = Math.Min(slowest, reader.Position);
            }
        }

        if (slowest != long.MaxValue)
        {
            body.TrimBefore(slowest);
        }

        return written - fastest < ReadAhead
            ? null
            : (_moved ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
    }

    /// <summary>A reader has gone on, or has gone: who waits for that; to be woken outside the lock.</summary>
    internal TaskCompletionSource? TakeWaitingWriter()
    {
        var waiting = _moved;
        _moved = null;
        return waiting;
    }
}
