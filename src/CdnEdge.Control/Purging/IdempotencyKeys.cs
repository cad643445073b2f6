using System.Text.Json;

namespace CdnEdge.Control;

/// <summary>
/// The purges that were accepted under a key of their caller's, so that a repeated call is answered with the first one's receipt: those of the
/// last day, and of them the latest 100,000.
/// </summary>
internal sealed class IdempotencyKeys(TimeProvider time)
{
    internal const int MaxCount = 100_000;

    internal static readonly TimeSpan Window = TimeSpan.FromDays(1);

    private readonly Dictionary<(string By, string Key), Accepted> _byKey = [];
    private readonly Queue<((string By, string Key) Key, Accepted Accepted)> _order = new();
    private readonly Lock _gate = new();

    /// <summary>Takes note of a purge that stands in the log; the first of a caller's key counts.</summary>
    internal void Note(string by, string key, PurgeRequest request, long id, DateTimeOffset at)
    {
        var accepted = new Accepted(id, at, ContentOf(request));
        lock (_gate)
        {
            DropOld();
            if (at >= time.GetUtcNow() - Window && _byKey.TryAdd((by, key), accepted))
                _order.Enqueue(((by, key), accepted));
        }
    }

    /// <summary>The caller's first purge under this key; null if there is none.</summary>
    /// <exception cref="PurgeConflictException">It purged something else.</exception>
    internal (long Id, DateTimeOffset At)? Find(string by, string key, PurgeRequest request)
    {
        lock (_gate)
        {
            DropOld();
            if (!_byKey.TryGetValue((by, key), out var accepted))
                return null;
            return accepted.Content == ContentOf(request)
                ? (accepted.Id, accepted.At)
                : throw new PurgeConflictException(
                    $"The idempotency key '{key}' was used for another purge. Repeat that one with it, or choose another key for this one.");
        }
    }

    private void DropOld()
    {
        var oldest = time.GetUtcNow() - Window;
        while (_order.TryPeek(out var first) && (first.Accepted.At < oldest || _order.Count > MaxCount))
        {
            _order.Dequeue();
            _byKey.Remove(first.Key);
        }
    }

    // A hash of what the purge says: requests can be long.
    private static UInt128 ContentOf(PurgeRequest request) =>
        System.IO.Hashing.XxHash128.HashToUInt128(JsonSerializer.SerializeToUtf8Bytes(request, PurgeJson.Default.PurgeRequest));

    private sealed record Accepted(long Id, DateTimeOffset At, UInt128 Content);
}
