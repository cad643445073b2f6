using System.Text;
using CdnEdge.Caching;
using CdnEdge.Delivery.Fills;
using CdnEdge.Delivery.Serving;
using CdnEdge.Storage;
using CdnEdge.Upstream.Failures;
using CsCheck;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Time.Testing;

namespace CdnEdge.Delivery.Tests.Fills;

/// <summary>The parts of a fill, each on its own.</summary>
public sealed class FillTests : IDisposable
{
    private static readonly CachePolicy Policy = new();

    private readonly SegmentArena _arena = new();

    public void Dispose() => _arena.Dispose();

    [Fact]
    public void A_mark_lasts_its_time_and_no_longer()
    {
        var time = new FakeTimeProvider();
        var markers = new Markers(time);
        var key = new FillKey(Key("/a"), "");

        markers.Mark(key, TimeSpan.FromSeconds(10));
        markers.Mark(new FillKey(Key("/b"), ""), TimeSpan.Zero);

        Assert.True(markers.IsMarked(key));
        Assert.False(markers.IsMarked(new FillKey(Key("/b"), "")));
        Assert.False(markers.IsMarked(new FillKey(Key("/a"), "other")));
        time.Advance(TimeSpan.FromSeconds(9));
        Assert.True(markers.IsMarked(key));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(markers.IsMarked(key));
        markers.Mark(key, TimeSpan.FromSeconds(10));
        markers.Clear(key);
        Assert.False(markers.IsMarked(key));
    }

    [Fact]
    public void Marks_are_bounded_and_the_newest_stay()
    {
        var markers = new Markers(new FakeTimeProvider());
        for (var i = 0; i < 5 * Markers.GenerationSize / 2; i++)
        {
            markers.Mark(new FillKey(Key($"/{i}"), ""), TimeSpan.FromHours(1));
        }

        Assert.InRange(markers.Count, Markers.GenerationSize, 2 * Markers.GenerationSize);
        Assert.DoesNotContain(
            Enumerable.Range(3 * Markers.GenerationSize / 2, Markers.GenerationSize),
            i => !markers.IsMarked(new FillKey(Key($"/{i}"), "")));
        Assert.False(markers.IsMarked(new FillKey(Key("/0"), "")));
    }

    [Fact]
    public void A_mark_that_is_renewed_or_cleared_counts_once()
    {
        var markers = new Markers(new FakeTimeProvider());
        var kept = new FillKey(Key("/kept"), "");
        markers.Mark(kept, TimeSpan.FromHours(1));
        for (var i = 0; i < 2 * Markers.GenerationSize; i++)
        {
            markers.Mark(kept, TimeSpan.FromHours(1));
            markers.Mark(new FillKey(Key("/passing"), ""), TimeSpan.FromHours(1));
            markers.Clear(new FillKey(Key("/passing"), ""));
        }

        Assert.True(markers.IsMarked(kept));
        Assert.Equal(1, markers.Count);
    }

    [Fact]
    public void A_mark_of_the_old_generation_lasts_its_time_and_can_be_renewed_and_cleared()
    {
        var time = new FakeTimeProvider();
        var markers = new Markers(time);
        FillKey expiring = new(Key("/expiring"), ""), renewed = new(Key("/renewed"), ""), cleared = new(Key("/cleared"), "");
        foreach (var key in new[] { expiring, renewed, cleared })
        {
            markers.Mark(key, TimeSpan.FromSeconds(10));
        }

        for (var i = 0; i < Markers.GenerationSize; i++)
        {
            markers.Mark(new FillKey(Key($"/{i}"), ""), TimeSpan.FromHours(1));
        }

        Assert.True(markers.IsMarked(expiring));
        Assert.True(markers.IsMarked(cleared));
        markers.Mark(renewed, TimeSpan.FromSeconds(30));
        markers.Clear(cleared);
        Assert.False(markers.IsMarked(cleared));
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.False(markers.IsMarked(expiring));
        Assert.True(markers.IsMarked(renewed));
        time.Advance(TimeSpan.FromSeconds(20));
        Assert.False(markers.IsMarked(renewed));
    }

    [Fact]
    public void One_fill_per_key_and_an_old_one_never_removes_its_successor()
    {
        var table = new FillTable();
        var epochs = new PurgeEpochs();
        var key = new FillKey(Key("/a"), "");
        var first = table.GetOrAdd(key, epochs, out var started);
        Assert.True(started);
        Assert.Same(first, table.GetOrAdd(key, epochs, out started));
        Assert.False(started);
        var variant = table.GetOrAdd(new FillKey(Key("/a"), "v"), epochs, out _);
        Assert.NotSame(first, variant);

        table.RemoveAll(Key("/a"));
        Assert.Null(table.Find(key));
        Assert.Null(table.Find(variant.Key));

        var second = table.GetOrAdd(key, epochs, out _);
        table.Remove(first);
        Assert.Same(second, table.Find(key));
    }

    [Fact]
    public void A_failure_is_for_those_who_wait_for_it_and_whoever_comes_next_gets_a_new_fill()
    {
        var table = new FillTable();
        var epochs = new PurgeEpochs();
        epochs.RaiseNow(PurgeScope.OfUrl(Key("/elsewhere").Bytes), PurgeMode.Hard);
        var key = new FillKey(Key("/a"), "");
        var fill = table.GetOrAdd(key, epochs, out _);

        table.Fail(fill, ProxyStatus.ResponseTimeout);

        Assert.Equal(ProxyStatus.ResponseTimeout, fill.Failure);
        var next = table.GetOrAdd(key, epochs, out var started);
        Assert.True(started);
        Assert.False(next.IsFailed);
        Assert.Equal(epochs.Now, next.Epoch);
    }

    [Fact]
    public void Readers_at_different_paces_see_the_same_bytes()
    {
        var fill = NewFill();
        using var quick = fill.Attach()!;
        using var slow = fill.Attach()!;
        fill.PublishHead(StorableHead(), GrowingBody.Create(_arena, null));
        var all = new StringBuilder();
        var read = new StringBuilder();
        for (var i = 0; i < 200; i++)
        {
            var piece = string.Concat(Enumerable.Repeat($"{i};", i));
            fill.Append(Encoding.ASCII.GetBytes(piece));
            all.Append(piece);
            read.Append(ReadAll(quick, 333));
        }

        fill.Body!.Seal();
        fill.Complete(null);
        fill.ReleaseBody();
        Assert.Equal(all.ToString(), read.ToString());
        Assert.Equal(all.ToString(), ReadAll(slow, 7));
        quick.Dispose();
        slow.Dispose();
        Assert.Equal(0, _arena.OccupiedBytes);
    }

    [Fact]
    public async Task A_window_stays_a_window_and_a_laggard_is_cut_off_even_if_the_fill_comes_to_its_end()
    {
        var fill = NewFill();
        using var quick = fill.Attach()!;
        using var laggard = fill.Attach()!;
        fill.PublishHead(UnstorableHead(), GrowingBody.Create(_arena, null));
        var piece = new byte[64 * 1024];
        var buffer = new byte[64 * 1024];
        for (var sent = 0L; sent < 40L << 20; sent += piece.Length)
        {
            fill.Append(piece);
            var paced = fill.PublishBytesAsync(fill.Cancelled);
            while (quick.Read(buffer) > 0)
            {
            }

            await paced;
            Assert.InRange(fill.Body!.OccupiedBytes, 0, 34L << 20);
        }

        Assert.True(laggard.IsCutOff);
        Assert.False(quick.IsCutOff);
        Assert.InRange(fill.Body!.OccupiedBytes, 0, 1L << 20);
        fill.Body.Seal();
        fill.Complete(null);

        // What the laggard's client has got mustn't look whole.
        var (context, lifetime) = NewContext();
        Assert.False(await FillResponder.WriteBodyAsync(context, fill, laggard, null));
        Assert.True(lifetime.IsAborted);
        var (other, otherLifetime) = NewContext();
        Assert.True(await FillResponder.WriteBodyAsync(other, fill, quick, null));
        Assert.False(otherLifetime.IsAborted);
    }

    [Fact]
    public void Readers_leave_in_any_order_and_once_only()
    {
        Gen.Shuffle(Enumerable.Range(0, 5).ToArray()).Sample(order =>
        {
            var readers = new FillReaders();
            var all = Enumerable.Range(0, 5).Select(_ => new FillReader(NewFill())).ToArray();
            Array.ForEach(all, readers.Add);
            foreach (var i in order)
            {
                Assert.False(readers.IsEmpty);
                Assert.False(readers.AreGone);
                Assert.True(readers.Remove(all[i]));
                Assert.False(readers.Remove(all[i]));
                all[i].CutOff();
            }

            Assert.True(readers.IsEmpty);
            Assert.True(readers.AreGone);
        });
    }

    [Fact]
    public async Task The_writer_waits_at_the_read_ahead_and_goes_on_when_the_reader_does()
    {
        var fill = NewFill();
        using var reader = fill.Attach()!;
        fill.PublishHead(UnstorableHead(), GrowingBody.Create(_arena, null));
        fill.Append(new byte[FillReaders.ReadAhead]);

        var paced = fill.PublishBytesAsync(fill.Cancelled).AsTask();
        Assert.False(paced.IsCompleted);
        Assert.NotEqual(0, reader.Read(new byte[4096]));
        await paced.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task When_only_laggards_are_left_the_fill_is_called_off()
    {
        var fill = NewFill();
        var quick = fill.Attach()!;
        using var laggard = fill.Attach()!;
        fill.PublishHead(UnstorableHead(), GrowingBody.Create(_arena, null));
        var buffer = new byte[64 * 1024];
        while (!laggard.IsCutOff)
        {
            fill.Append(buffer);
            var paced = fill.PublishBytesAsync(fill.Cancelled);
            while (quick.Read(buffer) > 0)
            {
            }

            await paced;
        }

        Assert.False(fill.Cancelled.IsCancellationRequested);
        quick.Dispose();

        Assert.True(fill.Cancelled.IsCancellationRequested);
        Assert.Null(fill.Attach());
    }

    [Fact]
    public void The_last_reader_of_what_is_not_stored_ends_the_fill_and_of_what_is_stored_does_not()
    {
        var stored = NewFill();
        stored.PublishHead(StorableHead(), null);
        stored.Attach()!.Dispose();
        Assert.False(stored.Cancelled.IsCancellationRequested);

        var passing = NewFill();
        var reader = passing.Attach()!;
        passing.PublishHead(UnstorableHead(), null);
        Assert.False(passing.Cancelled.IsCancellationRequested);
        reader.Dispose();
        reader.Dispose();
        Assert.True(passing.Cancelled.IsCancellationRequested);
    }

    [Fact]
    public async Task The_first_cause_of_a_failure_is_the_one_that_is_told()
    {
        var fill = NewFill();
        var changed = fill.ChangedAsync(fill.Version);
        fill.Fail(ProxyStatus.AmbiguousLength);
        fill.Fail(ProxyStatus.Incomplete);

        await changed.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Equal(ProxyStatus.AmbiguousLength, fill.Failure);
        Assert.Equal(FillResult.Failure, fill.Head!.Result);
    }

    [Fact]
    public void Parts_that_were_evicted_since_they_were_looked_up_are_not_combined_with()
    {
        var stored = new StoredResponse(Stored("ETag: \"a\""), PartialBody.Create(new ByteRange(0, 2), 4, Bytes("ab")));
        stored.Body!.Release();

        var combined = PartStore.Combine(stored, Headers("ETag: \"a\""), new ByteRange(2, 2), 4, Bytes("cd"));

        Assert.False(combined.IsComplete);
        combined.Release();
        Assert.Equal(0, _arena.OccupiedBytes);
    }

    [Theory]
    [InlineData("\"a\"", "\"a\"", 4L, true)]
    [InlineData("\"a\"", "\"b\"", 4L, false)]
    [InlineData("W/\"a\"", "W/\"a\"", 4L, false)]
    [InlineData("\"a\"", "W/\"a\"", 4L, false)]
    [InlineData("\"a\"", "\"a\"", 5L, false)]
    [InlineData("\"a\"", "\"a\"", null, true)]
    public void Parts_are_combined_by_strong_validators_and_the_same_length_only(string first, string second, long? length, bool whole)
    {
        var stored = new StoredResponse(Stored("ETag: " + first), PartialBody.Create(new ByteRange(0, 2), 4, Bytes("ab")));

        var combined = PartStore.Combine(stored, Headers("ETag: " + second), new ByteRange(2, 2), length, Bytes("cd"));

        Assert.Equal(whole, combined.IsComplete);
        combined.Release();
        stored.Body!.Release();
        Assert.Equal(0, _arena.OccupiedBytes);
    }

    [Theory]
    [InlineData("bytes 0-3/10", 4, 0L, 4L, 10L)]
    [InlineData("bytes 0-3/10", 3, null, null, null)]
    [InlineData("bytes 0-3/10", 5, null, null, null)]
    [InlineData("bytes 6-9/10", 3, 6L, 3L, 9L)]
    [InlineData("bytes 6-9/10", 2, null, null, null)]
    [InlineData("bytes 6-9/10", 5, null, null, null)]
    [InlineData("bytes 6-9/10", 0, null, null, null)]
    [InlineData("bytes 6-9/*", 4, 6L, 4L, null)]
    [InlineData("bytes 6-9/*", 3, null, null, null)]
    public void A_part_is_where_it_says_if_it_is_as_long_as_it_says(string field, long actual, long? offset, long? length, long? complete)
    {
        Assert.True(ContentRange.TryParse(field, out var contentRange));
        var located = PartStore.Locate(contentRange, actual);
        Assert.Equal(offset, located?.Range.Offset);
        Assert.Equal(length, located?.Range.Length);
        Assert.Equal(complete, located?.CompleteLength);
    }

    [Theory]
    [InlineData("0+2", 4, FillKind.Complete, 2, 2)]
    [InlineData("2+2", 4, FillKind.Complete, 0, 2)]
    [InlineData("0+1,3+1", 4, FillKind.Complete, 1, 2)]
    [InlineData("1+2", 4, FillKind.Plain, 0, 0)]
    [InlineData("0+1,2+1", 4, FillKind.Plain, 0, 0)]
    [InlineData("0+1,2+1,4+1", 5, FillKind.Plain, 0, 0)]
    [InlineData("0+2", -1, FillKind.Plain, 0, 0)]
    [InlineData("0+4", 4, FillKind.Revalidate, 0, 0)]
    internal void A_fill_asks_for_the_one_gap_of_what_is_stored(string held, long length, FillKind kind, long offset, long missing)
    {
        PartialBody? body = null;
        foreach (var range in held.Split(',').Select(text => text.Split('+').Select(long.Parse).ToArray()))
        {
            var bytes = Bytes(new string('x', (int)range[1]));
            var before = body;
            var at = new ByteRange(range[0], range[1]);
            long? complete = length < 0 ? null : length;
            body = before is null ? PartialBody.Create(at, complete, bytes) : before.With(at, complete, bytes);
            before?.Release();
        }

        var plan = FillPlan.For(new StoredResponse(Stored("ETag: \"a\""), body));

        Assert.Equal(kind, plan.Kind);
        Assert.Equal(new ByteRange(offset, missing), plan.Missing);
        body!.Release();
    }

    [Theory]
    [InlineData("ETag: W/\"a\"", FillKind.Revalidate)]
    [InlineData("Last-Modified: Mon, 23 Nov 2026 10:00:00 GMT", FillKind.Revalidate)]
    [InlineData("X: y", FillKind.Plain)]
    internal void A_fill_asks_on_condition_where_there_is_a_validator(string field, FillKind kind)
    {
        Assert.Equal(kind, FillPlan.For(new StoredResponse(Stored(field), null)).Kind);
        Assert.Equal(FillKind.Plain, FillPlan.For(null).Kind);
    }

    [Fact]
    public async Task A_captured_response_calls_back_last_first_and_shows_its_head_once()
    {
        var sink = new Sink();
        using var response = new CapturedResponse(sink, CancellationToken.None, CancellationToken.None);
        response.OnStarting(_ => sink.Note("first registered"), response);
        response.OnStarting(_ => sink.Note("last registered"), response);
        response.OnCompleted(_ => sink.Note("completed"), response);

        await response.Stream.WriteAsync("ab"u8.ToArray(), TestContext.Current.CancellationToken);
        await response.Writer.WriteAsync("cd"u8.ToArray(), TestContext.Current.CancellationToken);
        await response.CompleteAsync();

        Assert.Equal(["last registered", "first registered", "head", "ab", "cd", "completed"], sink.Events);
    }

    [Fact]
    public async Task An_empty_captured_response_has_a_head_and_an_aborted_one_none()
    {
        var sink = new Sink();
        using var empty = new CapturedResponse(sink, CancellationToken.None, CancellationToken.None);
        await empty.CompleteAsync();
        Assert.Equal(["head"], sink.Events);

        using var aborted = new CapturedResponse(sink, CancellationToken.None, CancellationToken.None);
        aborted.Abort();
        await aborted.CompleteAsync();
        Assert.Equal(["head"], sink.Events);
        Assert.True(aborted.IsAborted);
        Assert.True(aborted.RequestAborted.IsCancellationRequested);
    }

    private static (DefaultHttpContext Context, Lifetime Lifetime) NewContext()
    {
        var context = new DefaultHttpContext();
        var lifetime = new Lifetime();
        context.Features.Set<IHttpRequestLifetimeFeature>(lifetime);
        context.Response.Body = new MemoryStream();
        return (context, lifetime);
    }

    private static string ReadAll(FillReader reader, int size)
    {
        var text = new StringBuilder();
        var buffer = new byte[size];
        while (reader.Read(buffer) is > 0 and var count)
        {
            text.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }

        return text.ToString();
    }

    private GrowingBody Bytes(string text)
    {
        var body = GrowingBody.Create(_arena, text.Length);
        body.Append(Encoding.ASCII.GetBytes(text));
        body.Seal();
        return body;
    }

    private static Fill NewFill() => new(new FillKey(Key("/"), ""), 0);

    private static FillHead StorableHead() => new() { Result = FillResult.Response, Status = 200, Stored = Stored("X: y") };

    private static FillHead UnstorableHead() => new() { Result = FillResult.Response, Status = 200, Reason = NoStoreReason.NoStore };

    private static CacheKey Key(string path) => CacheKey.Of(Policy, new Uri("http://a" + path));

    private static HeaderDictionary Headers(string line)
    {
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        return new HeaderDictionary { [line[..colon]] = line[(colon + 1)..].Trim(), ["Cache-Control"] = "max-age=60" };
    }

    private static StoredHead Stored(string line)
    {
        var headers = Headers(line);
        var directives = ResponseDirectives.Parse(headers, Policy);
        var now = DateTimeOffset.UnixEpoch;
        return StoredHead.Create(200, headers, new HeaderDictionary(), directives, Freshness.Of(200, headers, directives, Policy, now, now), Policy);
    }

    private sealed class Sink : IResponseSink
    {
        internal List<string> Events { get; } = [];

        internal Task Note(string what)
        {
            Events.Add(what);
            return Task.CompletedTask;
        }

        public ValueTask OnHeadAsync(CapturedResponse response, bool bodyFollows) => new(Note("head"));

        public ValueTask OnBodyAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation) => new(Note(Encoding.ASCII.GetString(bytes.Span)));
    }

    private sealed class Lifetime : IHttpRequestLifetimeFeature
    {
        internal bool IsAborted { get; private set; }

        public CancellationToken RequestAborted { get; set; }

        public void Abort() => IsAborted = true;
    }
}
