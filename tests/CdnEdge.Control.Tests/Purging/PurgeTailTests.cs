using CdnEdge.Caching;
using CdnEdge.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace CdnEdge.Control.Tests.Purging;

/// <summary>A node's view of a log that a test holds in its hands.</summary>
public sealed class PurgeTailTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly ListLog _log = new();
    private readonly PurgeEpochs _epochs = new();
    private readonly PurgeTail _tail;

    public PurgeTailTests()
    {
        var metrics = new PurgeMetrics(_services.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>());
        var applier = new PurgeApplier(_epochs, static () => [new CachePolicy()]);
        _tail = new PurgeTail(_log, _epochs, applier, metrics, "here", "run", TimeProvider.System, NullLogger.Instance);
    }

    public void Dispose() => _services.Dispose();

    [Fact]
    public async Task What_was_accepted_and_lost_before_it_was_read_is_missed_and_put_back()
    {
        await AcceptAsync("first");
        await FollowUntil(() => _tail.Position == _log.Last);
        var moment = _epochs.Now;

        await AcceptAsync("lost");
        _log.LoseLast();
        await FollowUntil(() => _log.Records.Any(static record => record.Entry is { Distrust: false } entry && entry.Request.Tags[0] == "lost") && _tail.Position == _log.Last);

        Assert.Equal(PurgeVerdict.Gone, Judge("lost", moment));
        Assert.Equal(PurgeVerdict.Stale, Judge("other", moment));
        Assert.Equal(PurgeVerdict.Valid, Judge("other", _epochs.Now));
    }

    [Fact]
    public async Task Another_ones_entry_after_the_loss_tells_of_it_too()
    {
        await AcceptAsync("first");
        await FollowUntil(() => _tail.Position == _log.Last);
        var moment = _epochs.Now;

        await AcceptAsync("lost");
        _log.LoseLast();
        await _log.AppendAsync([Entry("another")], _tail.Least + 10, TestContext.Current.CancellationToken);
        await FollowUntil(() => _log.Records.Any(static record => record.Entry is { Distrust: false } entry && entry.Request.Tags[0] == "lost") && _tail.Position == _log.Last);

        Assert.Equal(PurgeVerdict.Stale, Judge("other", moment));
    }

    [Fact]
    public async Task What_is_in_order_makes_nothing_stale()
    {
        for (var i = 0; i < 100; i++)
            await AcceptAsync($"{i}");
        await FollowUntil(() => _tail.Position == _log.Last);
        await AcceptAsync("last");
        await FollowUntil(() => _tail.Position == _log.Last);

        Assert.Equal(101, _log.Records.Count);
        Assert.Equal(0, _epochs.TrustedFrom);
        Assert.Equal(PurgeVerdict.Gone, Judge("99", 0));
    }

    [Fact]
    public async Task It_is_complete_once_the_log_has_been_read_and_as_long_as_it_can_be()
    {
        _epochs.AreComplete = false;
        _log.IsAway = true;
        await FollowUntil(() => _tail.IsUnavailable);
        Assert.False(_epochs.AreComplete);
        Assert.Null(_tail.Lag);

        _log.IsAway = false;
        await FollowUntil(() => _tail.IsCaughtUp);
        Assert.True(_epochs.AreComplete);

        _log.IsAway = true;
        await FollowUntil(() => _tail.IsUnavailable);
        Assert.False(_epochs.AreComplete);
    }

    private static PurgeEntry Entry(string tag) => new() { Origin = "here", Request = new PurgeRequest { Tags = [tag] } };

    private PurgeVerdict Judge(string tag, long began) =>
        _epochs.Judge(CacheKey.Of(new CachePolicy(), new Uri("http://example.org/")), SurrogateTags.Of([tag], []), began, out _);

    private async Task AcceptAsync(string tag)
    {
        var entry = Entry(tag);
        var ids = await _log.AppendAsync([entry], _tail.Least, TestContext.Current.CancellationToken);
        _tail.Accept(ids[0], entry);
    }

    private async Task FollowUntil(Func<bool> holds)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var following = _tail.FollowAsync(static () => Task.CompletedTask, stop.Token);
        await Deadline.Until(holds);
        await stop.CancelAsync();
        await following;
    }

    private sealed class ListLog : IPurgeLog
    {
        private readonly Wake _news = new();
        private List<PurgeRecord> _records = [];

        internal bool IsAway { get; set; }

        internal List<PurgeRecord> Records => Volatile.Read(ref _records);

        internal long Last => Records is [.., var last] ? last.Id : 0;

        public Task News => _news.Next;

        public TimeSpan Poll { get; } = TimeSpan.FromMilliseconds(5);

        internal void LoseLast() => _records = [.. _records[..^1]];

        public Task<IReadOnlyList<long>> AppendAsync(IReadOnlyList<PurgeEntry> entries, long after, CancellationToken cancellation)
        {
            var ids = new List<long>();
            foreach (var entry in entries)
            {
                var id = Math.Max(Last, after) + 1;
                Volatile.Write(ref _records, [.. _records, new PurgeRecord(id, Last, "log", entry)]);
                ids.Add(id);
            }

            return Task.FromResult<IReadOnlyList<long>>(ids);
        }

        public Task<IReadOnlyList<PurgeRecord>> ReadAsync(long after, int max, CancellationToken cancellation) => IsAway
            ? throw new PurgeLogUnavailableException("away")
            : Task.FromResult<IReadOnlyList<PurgeRecord>>([.. Records.Where(record => record.Id > after).Take(max)]);

        public Task<IReadOnlyList<PurgeRecord>> ReadPurgesAsync(long after, int max, CancellationToken cancellation) => ReadAsync(after, max, cancellation);

        public Task<PurgeLogEnd> LastAsync(CancellationToken cancellation) => Task.FromResult(new PurgeLogEnd(Last, 0));

        public ValueTask DisposeAsync() => default;
    }
}
