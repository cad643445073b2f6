using CdnEdge.Storage;
using Microsoft.Extensions.Logging;

namespace CdnEdge.Control;

/// <summary>
/// Follows a PoP's log: applies what is in it, in order, and notices where the log isn't what this node has read before.
/// </summary>
/// <remarks>
/// Each entry names its predecessor. If that isn't the last one read, some were missed: trimmed before they were read (the
/// predecessor is newer), or the log has lost entries or was replaced (it's older; or what this node has accepted isn't where it was
/// put). Either way, nothing that began before is trusted from then on. A log that has lost entries is told so by an entry of its
/// own, for the nodes and the PoPs that can't notice; and gets back those that this node had accepted.
/// </remarks>
internal sealed partial class PurgeTail(
    IPurgeLog log, PurgeEpochs epochs, PurgeApplier applier, PurgeMetrics metrics, string pop, string run, TimeProvider time, ILogger logger)
{
    private const int PageSize = 1000;

    private static readonly TimeSpan CheckEvery = TimeSpan.FromSeconds(1);

    private readonly Wake _passed = new();
    private readonly AcceptedPurges _accepted = new();
    private readonly List<PurgeEntry> _toRestore = [];
    private long _position;
    private long _purges;
    private long _traffic;
    private long _passes;
    private long _passedAt;
    private long _checked;
    private volatile bool _isUnavailable;

    /// <summary>Everything in the log up to here is in effect on this node.</summary>
    internal long Position => Volatile.Read(ref _position);

    /// <summary>
    /// What is appended to the log from here must come after this: after what any fetch under way knows, and not in the place of
    /// something that a log has lost.
    /// </summary>
    internal long Least => Math.Max(Math.Max(Position, _accepted.Newest), epochs.Now);

    /// <summary>The whole log has been read once.</summary>
    internal bool IsCaughtUp => Volatile.Read(ref _passes) > 0;

    /// <summary>The log couldn't be used the last time.</summary>
    internal bool IsUnavailable => _isUnavailable;

    /// <summary>How long ago all that was in the log then was in effect here; null: never.</summary>
    internal TimeSpan? Lag => IsCaughtUp ? time.GetElapsedTime(Volatile.Read(ref _passedAt)) : null;

    /// <summary>Told of every entry, in order.</summary>
    internal event Action<PurgeRecord>? Seen;

    /// <summary>Follows until it's cancelled.</summary>
    /// <param name="afterPass">Called whenever the end of the log was reached.</param>
    /// <param name="stopping">Ends it.</param>
    internal async Task FollowAsync(Func<Task> afterPass, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            var news = log.News;
            try
            {
                await PassAsync(stopping);
                if (_isUnavailable)
                    Log.Available(logger);
                _isUnavailable = false;
                await afterPass();
            }
            catch (PurgeLogUnavailableException exception)
            {
                if (!_isUnavailable)
                    Log.Unavailable(logger, exception.Message);
                Lose();
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // A node that no longer followed would serve what was purged, and nobody would know.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                if (!_isUnavailable)
                    Log.Failed(logger, exception);
                Lose();
            }

            await Wake.WaitAsync(news, log.Poll, stopping);
        }
    }

    /// <summary>This node has accepted a purge: it's in effect from here on, whatever else stands before it in the log.</summary>
    internal void Accept(long id, PurgeEntry entry)
    {
        applier.Apply(entry, MomentOf(id));
        _accepted.Add(id, entry);
    }

    /// <summary>A purge that this node has accepted lately; null: it hasn't.</summary>
    internal PurgeEntry? FindAccepted(long id) => _accepted.Find(id);

    // Until the log has been read again, others may have purged what is in the store that they share with this node.
    private void Lose()
    {
        _isUnavailable = true;
        epochs.AreComplete = false;
    }

    // In effect here since it happened; what was fetched anew after that stays. But of what other nodes fetched before, and
    // were further in the log than this one was then, it's in effect only now.
    private bool IsOwnTraffic(PurgeRecord record) => record is { IsTraffic: true, Entry: { Distrust: false } entry } && entry.By == run;

    // What traffic made outdated here may have brought this node's own moments beyond an entry's position: what was fetched
    // by now began before the entry came, all the same.
    private long MomentOf(long id) => epochs.Now < id ? id : epochs.Advance();

    private void MoveTo(PurgeRecord record)
    {
        if (record.IsTraffic)
        {
            _traffic = record.Id;
        }
        else
        {
            Volatile.Write(ref _purges, record.Id);
            _accepted.Read(record.Id);
        }

        Volatile.Write(ref _position, record.Id);
        epochs.AdvanceTo(record.Id);
        _passed.Ring();
    }

    /// <summary>Waits until everything up to there is in effect; false if that took too long.</summary>
    internal Task<bool> WaitForAsync(long position, TimeSpan atMost, CancellationToken cancellation) =>
        WaitUntilAsync(() => Position >= position, atMost, cancellation);

    /// <summary>Waits for a purge after this position, whoever accepted it; false if none came.</summary>
    internal Task<bool> WaitForPurgeAfterAsync(long position, TimeSpan atMost, CancellationToken cancellation) =>
        WaitUntilAsync(() => Volatile.Read(ref _purges) > position, atMost, cancellation);

    /// <summary>Waits until all that stood in the log when this was called has been read; false if that took too long.</summary>
    internal Task<bool> CatchUpAsync(TimeSpan atMost, CancellationToken cancellation)
    {
        // The pass under way may have looked already.
        var enough = Volatile.Read(ref _passes) + 2;
        return WaitUntilAsync(() => Volatile.Read(ref _passes) >= enough, atMost, cancellation);
    }

    private async Task<bool> WaitUntilAsync(Func<bool> holds, TimeSpan atMost, CancellationToken cancellation)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            var next = _passed.Next;
            if (holds())
                return true;
            var left = atMost - time.GetElapsedTime(began);
            if (left <= TimeSpan.Zero)
                return false;
            await Wake.WaitAsync(next, left, cancellation);
            cancellation.ThrowIfCancellationRequested();
        }
    }

    private async Task PassAsync(CancellationToken stopping)
    {
        var began = time.GetTimestamp();
        IReadOnlyList<PurgeRecord> page;
        do
        {
            page = await log.ReadAsync(Position, PageSize, stopping);
            Take(page);
            await RestoreAsync(stopping);
        }
        while (page.Count >= PageSize);

        if (page.Count == 0)
            await CheckAsync(stopping);
        Volatile.Write(ref _passedAt, began);
        Interlocked.Increment(ref _passes);
        epochs.AreComplete = true;
        _passed.Ring();
    }

    private void Take(IReadOnlyList<PurgeRecord> page)
    {
        foreach (var record in page)
        {
            var before = record.IsTraffic ? _traffic : _purges;
            var lost = record.Previous < before || (!record.IsTraffic && _accepted.Lacks(record.Id));
            if (lost || record.Previous != before)
                Missed(record, before, lost);
            applier.Apply(record.Entry, IsOwnTraffic(record) ? Position + 1 : MomentOf(record.Id));
            if (record.Entry is null)
                Log.Unreadable(logger, PurgeMoment.Format(record.Id));
            metrics.Applied(record, pop);

            // Before the position: who waits for it finds what there is to know of it.
            Seen?.Invoke(record);
            MoveTo(record);
            if (lost)
                PlanToRestore(record);
        }
    }

    private void Missed(PurgeRecord record, long before, bool lost)
    {
        // What began when all up to the predecessor was in effect has missed nothing. What a lost log held nobody knows.
        epochs.Distrust(lost ? MomentOf(record.Id) : record.Previous);
        if (lost)
            Log.Lost(logger, PurgeMoment.Format(record.Previous), PurgeMoment.Format(before));
        else if (before > 0)
            Log.Trimmed(logger, PurgeMoment.Format(before), PurgeMoment.Format(record.Previous));
    }

    // Nothing new: is what was read last still there? It needn't be asked at each look.
    private async Task CheckAsync(CancellationToken stopping)
    {
        var now = time.GetTimestamp();
        if (Position == 0 || (_checked != 0 && time.GetElapsedTime(_checked, now) < CheckEvery))
            return;
        _checked = now;
        var end = await log.LastAsync(stopping);
        if (end.Purges >= _accepted.LeastEnd && end.Traffic >= _traffic)
            return;

        // Of purges, the gap's predecessor tells what is missing. What traffic made outdated and is lost won't be missed twice.
        if (end.Traffic < _traffic)
            _traffic = end.Traffic;
        await log.AppendAsync([Gap()], Least, stopping);
    }

    private void PlanToRestore(PurgeRecord first)
    {
        if (first.Entry is not { Distrust: true } gap || gap.Origin != pop)
            _toRestore.Add(Gap());
        if (first.IsTraffic)
            return;
        _toRestore.AddRange(_accepted.Between(first.Previous, first.Id));
    }

    private async Task RestoreAsync(CancellationToken stopping)
    {
        while (_toRestore.Count > 0)
        {
            var some = _toRestore.Take(PageSize).ToList();
            var ids = await log.AppendAsync(some, Least, stopping);
            _toRestore.RemoveRange(0, some.Count);
            for (var i = 0; i < some.Count; i++)
                _accepted.Add(ids[i], some[i]);
        }
    }

    private PurgeEntry Gap() => new() { Distrust = true, Origin = pop, At = time.GetUtcNow() };

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The log of purges can't be used: {Reason} No purge is accepted here, and none of other nodes arrives, until it can.")]
        public static partial void Unavailable(ILogger logger, string reason);

        [LoggerMessage(2, LogLevel.Information, "The log of purges can be used again.")]
        public static partial void Available(ILogger logger);

        [LoggerMessage(3, LogLevel.Warning, "The log of purges has lost entries or was replaced: it ended at {End}, this node had read it up to {Position}. "
            + "All that was stored before is stale from now on.")]
        public static partial void Lost(ILogger logger, string end, string position);

        [LoggerMessage(4, LogLevel.Warning, "The log of purges was trimmed before this node had read it: from {Position} to {Next}. "
            + "All that was stored before is stale from now on.")]
        public static partial void Trimmed(ILogger logger, string position, string next);

        [LoggerMessage(6, LogLevel.Error, "Following the log of purges failed; tried again and again.")]
        public static partial void Failed(ILogger logger, Exception exception);

        [LoggerMessage(5, LogLevel.Warning, "The entry {Id} in the log of purges isn't readable: another program's, or a newer version's. "
            + "All that was stored before is stale from now on.")]
        public static partial void Unreadable(ILogger logger, string id);
    }
}
