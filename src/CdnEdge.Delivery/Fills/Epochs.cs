using CdnEdge.Caching;

namespace CdnEdge.Delivery.Fills;

/// <summary>
/// When each URL was last invalidated, as a number that only grows. A response whose fetch began before its URL's
/// epoch must not be stored: it may show what the origin was before the change (RFC 9111 §4.4). URLs share a fixed
/// number of slots by hash; a slot shared by chance only means that a response isn't stored once.
/// </summary>
internal sealed class Epochs
{
    private const int Slots = 8192;

    private readonly long[] _slots = new long[Slots];
    private long _current;

    /// <summary>The moment, to be noted when a fetch begins.</summary>
    internal long Now => Volatile.Read(ref _current);

    /// <summary>Raises the epoch of <paramref name="key"/> to the value returned; call before removing what is stored.</summary>
    internal long Raise(CacheKey key)
    {
        var epoch = Interlocked.Increment(ref _current);
        ref var slot = ref _slots[(int)((ulong)key.Hash % Slots)];
        for (var seen = Volatile.Read(ref slot); seen < epoch;)
        {
            // Epochs merge by maximum.
            var before = Interlocked.CompareExchange(ref slot, epoch, seen);
            if (before == seen)
            {
                break;
            }

            seen = before;
        }

        return epoch;
    }

    /// <summary>True if <paramref name="key"/> was invalidated after <paramref name="began"/>.</summary>
    internal bool IsNewerThan(long began, CacheKey key) =>
        Volatile.Read(ref _slots[(int)((ulong)key.Hash % Slots)]) > began;
}
