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

    /// <summary>
    /// The entries after a position, in order: the purges, and what traffic made outdated (<see cref="ITrafficLog"/>). Up to
    /// <paramref name="max"/> of each kind; fewer than that together only if there are no more.
    /// </summary>
    /// <exception cref="PurgeLogUnavailableException">Can't be read now.</exception>
    Task<IReadOnlyList<PurgeRecord>> ReadAsync(long after, int max, CancellationToken cancellation);

    /// <summary>The purges alone after a position, in order; fewer than <paramref name="max"/> only if there are no more.</summary>
    /// <exception cref="PurgeLogUnavailableException">Can't be read now.</exception>
    Task<IReadOnlyList<PurgeRecord>> ReadPurgesAsync(long after, int max, CancellationToken cancellation);

    /// <summary>Where the log ends.</summary>
    /// <exception cref="PurgeLogUnavailableException">Can't be read now.</exception>
    Task<PurgeLogEnd> LastAsync(CancellationToken cancellation);

    /// <summary>
    /// Completes when something is appended next, by whichever node. A hint: look every now and then (<see cref="Poll"/>) all the same.
    /// </summary>
    Task News { get; }

    /// <summary>How often to look for what no <see cref="News"/> told of.</summary>
    TimeSpan Poll { get; }
}

/// <summary>A log whose readers share a store, so that what traffic makes outdated at one of them concerns the others.</summary>
internal interface ITrafficLog
{
    /// <summary>
    /// Appends what traffic made outdated. It's kept beside the purges and bounded by itself: however much of it comes, no purge
    /// is trimmed for it.
    /// </summary>
    /// <param name="entry">The scopes.</param>
    /// <param name="after">It gets a position after this one.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <exception cref="PurgeLogUnavailableException">Can't be written now.</exception>
    Task<long> AppendTrafficAsync(PurgeEntry entry, long after, CancellationToken cancellation);
}
