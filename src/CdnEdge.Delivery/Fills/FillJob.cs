using System.Diagnostics;
using CdnEdge.Caching;
using CdnEdge.Delivery.Routing;
using CdnEdge.Storage;

namespace CdnEdge.Delivery.Fills;

/// <summary>A fill with all that it takes to run it, detached from the client that started it.</summary>
/// <param name="Fill">The fill.</param>
/// <param name="Plan">What it asks for.</param>
/// <param name="Request">The client's request.</param>
/// <param name="Route">The route that it matched.</param>
/// <param name="Policy">The policy that governs.</param>
/// <param name="Parent">The trace that it belongs to.</param>
internal sealed record FillJob(
    Fill Fill,
    FillPlan Plan,
    CapturedRequest Request,
    CachedRoute Route,
    CachePolicy Policy,
    Activity? Parent) : IAsyncDisposable
{
    private ITierLease? _lease;

    /// <summary>Takes over the right to fetch this for all nodes, where the second tier gave it.</summary>
    internal void Hold(ITierLease? lease) => _lease = lease;

    /// <summary>Hands the lease over; null if there is none.</summary>
    internal ITierLease? TakeLease() => Interlocked.Exchange(ref _lease, null);

    /// <summary>Gives up what nobody took over.</summary>
    public ValueTask DisposeAsync() => TakeLease()?.DisposeAsync() ?? default;
}
