using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace CdnEdge.Control;

/// <summary>Counts requests by how they were answered, from the meter <c>CdnEdge.Cache</c> of this host.</summary>
internal sealed class CacheTally : IDisposable
{
    private const string OutcomeTag = "cdnedge.outcome";

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, Counter> _requests = new(StringComparer.Ordinal);

    /// <param name="meters">The host's: another host in the same process counts for itself.</param>
    internal CacheTally(IMeterFactory meters)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "cdnedge.cache.requests" && ReferenceEquals(instrument.Meter.Scope, meters))
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((_, value, tags, _) => Count(value, tags));
        _listener.Start();
    }

    /// <summary>Requests by outcome (<c>hit</c>, <c>miss</c>), of those that have come.</summary>
    internal SortedDictionary<string, long> Requests
    {
        get
        {
            var totals = new SortedDictionary<string, long>(StringComparer.Ordinal);
            foreach (var (outcome, counter) in _requests)
                totals[outcome] = counter.Total;
            return totals;
        }
    }

    public void Dispose() => _listener.Dispose();

    private void Count(long value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        foreach (var tag in tags)
        {
            if (tag.Key == OutcomeTag && tag.Value is string outcome)
                _requests.GetOrAdd(outcome, static _ => new Counter()).Add(value);
        }
    }

    /// <summary>One number in several cache lines: every request of every thread counts here.</summary>
    private sealed class Counter
    {
        private const int Lines = 16;
        private const int LongsInLine = 16; // 128 bytes: processors fetch lines in pairs

        private readonly long[] _parts = new long[Lines * LongsInLine];

        internal long Total
        {
            get
            {
                var total = 0L;
                for (var i = 0; i < _parts.Length; i += LongsInLine)
                    total += Volatile.Read(ref _parts[i]);
                return total;
            }
        }

        internal void Add(long value) => Interlocked.Add(ref _parts[Environment.CurrentManagedThreadId % Lines * LongsInLine], value);
    }
}
