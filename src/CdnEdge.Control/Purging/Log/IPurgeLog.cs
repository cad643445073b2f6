namespace CdnEdge.Control;

/// <summary>
/// A PoP's purges in order. Positions (moments, <see cref="Storage.PurgeMoment"/>) only grow, and each entry names the
/// one before it, so that a reader knows whether it has missed any: trimmed away, lost in a crash, or the log was replaced.
/// </summary>
internal interface IPurgeLog : IAsyncDisposable
{
    /// <summary>Appends entries, all of them or, from the first on, as many as fitted. When this returns they are durable.</summary>
    /// <param name="entries">In order.</param>
    /// <param name="after">They get positions after this one: the caller's own, which a log that was replaced may not have reached.</param>
    /// <param name="cancellation">Gives up waiting; they may be appended all the same.</param>
    /// <returns>Their positions.</returns>
    /// <exception cref="PurgeLogUnavailableException">Can't be written now.</exception>
    Task<IReadOnlyList<long>> AppendAsync(IReadOnlyList<PurgeEntry> entries, long after, CancellationToken cancellation);

    /// <summary>The entries after a position, in order.</summary>
    /// <exception cref="PurgeLogUnavailableException">Can't be read now.</exception>
    Task<IReadOnlyList<PurgeRecord>> ReadAsync(long after, int max, CancellationToken cancellation);

    /// <summary>Position of the last entry; 0: the log is empty.</summary>
    /// <exception cref="PurgeLogUnavailableException">Can't be read now.</exception>
    Task<long> LastAsync(CancellationToken cancellation);

    /// <summary>
    /// Completes when something is appended next, by whichever node. A hint: look every now and then (<see cref="Poll"/>) all the same.
    /// </summary>
    Task News { get; }

    /// <summary>How often to look for what no <see cref="News"/> told of.</summary>
    TimeSpan Poll { get; }
}
