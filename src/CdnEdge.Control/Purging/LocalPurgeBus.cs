using System.Globalization;
using CdnEdge.Storage;

namespace CdnEdge.Control;

/// <summary>
/// The bus of a node without a log of purges: its memory and nothing else. Nothing that was purged can come back, for what
/// is stored ends with the process too. What it accepted is known until then, the latest <see cref="Remembered"/> of it.
/// </summary>
internal sealed class LocalPurgeBus(MemoryTier memory, IServedSites sites, TimeProvider time, PurgeMetrics? metrics = null) : IPurgeBus
{
    /// <summary>Purges and idempotency keys that are remembered.</summary>
    internal const int Remembered = 10_000;

    private readonly PurgeApplier _applier = new(memory.Epochs, () => sites.Policies.Select(static named => named.Policy));
    private readonly Lock _gate = new();
    private readonly Queue<Accepted> _order = new();
    private readonly Dictionary<string, Accepted> _byId = new(StringComparer.Ordinal);
    private readonly Dictionary<(string By, string Key), Accepted> _byKey = [];
    private long _sequence;

    public Task<PurgeReceipt> AcceptAsync(PurgeRequest request, string by, string? idempotencyKey, CancellationToken cancellation)
    {
        lock (_gate)
        {
            if (idempotencyKey is not null && _byKey.TryGetValue((by, idempotencyKey), out var earlier))
            {
                return IsSame(earlier.Request, request)
                    ? Task.FromResult(new PurgeReceipt(earlier.Id, earlier.At, IsRepeat: true))
                    : throw new PurgeConflictException($"The idempotency key was used for another purge, {earlier.Id}.");
            }

            _applier.ApplyNow(request);
            metrics?.Accepted();
            var at = time.GetUtcNow();
            var id = string.Create(CultureInfo.InvariantCulture, $"local-{at.ToUnixTimeMilliseconds()}-{_sequence++}");
            Remember(new Accepted(id, at, request, idempotencyKey is null ? null : (by, idempotencyKey)));
            return Task.FromResult(new PurgeReceipt(id, at, IsRepeat: false));
        }
    }

    public Task<PurgeStatus?> FindAsync(string id, CancellationToken cancellation)
    {
        lock (_gate)
        {
            return Task.FromResult(_byId.TryGetValue(id, out var found)
                ? new PurgeStatus(found.Id, found.At, found.Request, [new PurgeAcknowledgement("local", Acknowledged: true, Reachable: true, null)], [])
                : null);
        }
    }

    public async Task<PurgeStatus> WaitForAllAsync(string id, TimeSpan deadline, CancellationToken cancellation) =>
        await FindAsync(id, cancellation) ?? throw new ArgumentException($"There is no purge {id}.", nameof(id));

    public PurgeEstimate Estimate(PurgeRequest request) => _applier.Estimate(request, memory);

    private static bool IsSame(PurgeRequest a, PurgeRequest b) =>
        a.Everything == b.Everything && a.Soft == b.Soft
        && a.Urls.SequenceEqual(b.Urls, StringComparer.Ordinal) && a.Tags.SequenceEqual(b.Tags, StringComparer.Ordinal)
        && a.Prefixes.SequenceEqual(b.Prefixes, StringComparer.Ordinal) && a.Sites.SequenceEqual(b.Sites, StringComparer.Ordinal);

    private void Remember(Accepted accepted)
    {
        _order.Enqueue(accepted);
        _byId[accepted.Id] = accepted;
        if (accepted.Key is { } key)
            _byKey[key] = accepted;
        if (_order.Count <= Remembered)
            return;
        var forgotten = _order.Dequeue();
        _byId.Remove(forgotten.Id);
        if (forgotten.Key is { } old)
            _byKey.Remove(old);
    }

    private sealed record Accepted(string Id, DateTimeOffset At, PurgeRequest Request, (string By, string Key)? Key);
}
