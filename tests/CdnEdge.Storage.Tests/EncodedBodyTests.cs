using CdnEdge.Caching;

namespace CdnEdge.Storage.Tests;

/// <summary>Bodies in other codings: part of the response that they were made from, in all that the tier does.</summary>
public sealed class EncodedBodyTests : IDisposable
{
    private const int MiB = 1024 * 1024;
    private static readonly CacheKey Page = Responses.Key("/page");

    private readonly SegmentArena _arena = new();
    private readonly MemoryTier _tier;

    public EncodedBodyTests() => _tier = new MemoryTier(MiB, _arena);

    public void Dispose()
    {
        _tier.Dispose();
        _arena.Dispose();
    }

    [Fact]
    public void One_is_counted_as_long_as_the_response_is_stored_and_goes_with_it()
    {
        var empty = _tier.UsedBytes;
        var stored = Put(Page, 10_000);
        var (used, charge) = (_tier.UsedBytes, stored.Charge);

        Assert.True(_tier.Attach(stored, Encoded("br", 3000)));

        Assert.InRange(_tier.UsedBytes - used, 3000, 3600);
        Assert.Equal(_tier.UsedBytes - used, stored.Charge - charge);
        Assert.Equal(Content.Of(3000, 9), Content.ReadAll(stored.EncodedIn("br")!.Body!, 0, 3000));
        Assert.True(_tier.Remove(stored));
        Assert.Equal(0, _arena.OccupiedBytes);
        Assert.Equal(empty, _tier.UsedBytes);
    }

    [Fact]
    public void A_validation_leaves_it_and_a_purge_takes_it()
    {
        var stored = Put(Page, 10_000);
        _tier.Attach(stored, Encoded("br", 3000));

        Assert.True(_tier.UpdateHead(stored, Responses.Head()));
        Assert.NotNull(stored.EncodedIn("br")?.Body);

        _tier.Epochs.RaiseNow(PurgeScope.OfUrl(Page.Bytes), PurgeMode.Hard);
        Assert.False(_tier.Survives(stored, DateTimeOffset.UnixEpoch));
        Assert.Equal(0, _arena.OccupiedBytes);
    }

    [Fact]
    public void Whoever_reads_one_that_goes_reads_on()
    {
        var stored = Put(Page, 10_000);
        _tier.Attach(stored, Encoded("br", 3000));
        var body = stored.EncodedIn("br")!.Body!;
        Assert.True(body.TryAcquire());

        _tier.Remove(Page);

        Assert.Equal(Content.Of(3000, 9), Content.ReadAll(body, 0, 3000));
        body.Release();
        Assert.False(body.TryAcquire());
        Assert.Equal(0, _arena.OccupiedBytes);
    }

    [Fact]
    public void Nothing_is_attached_to_what_has_gone()
    {
        var stored = Put(Page, 10_000);
        _tier.Remove(stored);
        var encoded = Encoded("br", 3000);

        Assert.False(_tier.Attach(stored, encoded));

        encoded.Body!.Release();
        Assert.Equal(0, _arena.OccupiedBytes);
    }

    [Fact]
    public void Others_make_room_for_it()
    {
        var kept = Put(Page, 100_000);
        for (var i = 0; _tier.Evictions == 0; i++)
        {
            _tier.Touch(kept);
            _tier.Touch(kept);
            Put(Responses.Key($"/{i}"), 50_000);
        }

        Assert.True(_tier.Attach(kept, Encoded("br", 90_000)));

        Assert.InRange(_tier.UsedBytes, 0, MiB);
        Assert.True(_tier.Evictions > 1);
        Assert.NotNull(kept.Resource);
    }

    [Fact]
    public void What_does_not_fit_beside_the_response_is_not_attached()
    {
        var stored = Put(Page, 700_000);
        var used = _tier.UsedBytes;
        var encoded = Encoded("br", 400_000);

        Assert.False(_tier.Attach(stored, encoded));

        Assert.Equal((used, null), (_tier.UsedBytes, stored.EncodedIn("br")));
        encoded.Body!.Release();
    }

    [Fact]
    public void It_is_begun_once_until_it_is_ended()
    {
        var stored = Put(Page, 10_000);

        Assert.True(stored.TryBeginEncoding("br"));
        Assert.False(stored.TryBeginEncoding("br"));
        Assert.True(stored.TryBeginEncoding("gzip"));
        stored.EndEncoding("br");

        Assert.True(stored.TryBeginEncoding("br"));
    }

    [Theory]
    [InlineData("br", true)]
    [InlineData(EncodedBody.AnyCoding, false)]
    public void What_was_given_up_is_not_begun_again(string coding, bool mayBeginOther)
    {
        var stored = Put(Page, 10_000);
        var used = _tier.UsedBytes;
        stored.TryBeginEncoding("br");

        Assert.True(_tier.Attach(stored, new EncodedBody(coding)));
        stored.EndEncoding("zstd"); // which nobody began

        Assert.False(stored.TryBeginEncoding("br"));
        Assert.Equal(mayBeginOther, stored.TryBeginEncoding("gzip"));
        Assert.True(_tier.UsedBytes > used);
        Assert.Null(stored.EncodedIn("br")!.Body);
    }

    [Fact]
    public async Task Of_many_who_begin_at_once_one_does()
    {
        for (var round = 0; round < 50; round++)
        {
            var stored = new StoredResponse(Responses.Head(), null);
            using var start = new Barrier(4);
            string[] codings = ["br", "gzip"];

            var begun = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait();
                    return stored.TryBeginEncoding(codings[i % 2]);
                },
                TestContext.Current.CancellationToken,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default)));

            Assert.Equal(2, begun.Count(static won => won));
            Assert.Equal(2, stored.Encoded.Length);
        }
    }

    [Fact]
    public void A_slab_is_emptied_of_them_too()
    {
        var stored = Put(Page, 10_000);
        _tier.Attach(stored, Encoded("br", 3000));
        Assert.False(stored.IsInMarkedSlab());
        var elsewhere = new StoredResponse(Responses.Head(), null);
        elsewhere.Replace("br", stored.EncodedIn("br"));

        var slab = Assert.Single(_arena.MarkEmptiest(1));

        Assert.True(elsewhere.IsInMarkedSlab());
        slab.IsMarked = false;
    }

    private EncodedBody Encoded(string coding, int length) =>
        new(coding, Content.Body(_arena, Content.Of(length, 9)), new EntityTag("\"v-br\"", false));

    private StoredResponse Put(CacheKey key, int length)
    {
        var response = new StoredResponse(Responses.Head(), Content.Body(_arena, Content.Of(length, 1)));
        Assert.True(_tier.Put(key, response, 4));
        return response;
    }
}
