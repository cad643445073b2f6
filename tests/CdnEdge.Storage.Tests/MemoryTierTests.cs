namespace CdnEdge.Storage.Tests;

public sealed class MemoryTierTests : IDisposable
{
    private const int MiB = 1024 * 1024;

    private readonly SegmentArena _arena = new();
    private readonly MemoryTier _tier;

    public MemoryTierTests() => _tier = new MemoryTier(MiB, _arena);

    public void Dispose()
    {
        _tier.Dispose();
        _arena.Dispose();
    }

    [Fact]
    public void What_was_put_is_found_by_key_and_by_composed_key()
    {
        var response = Put("/a", 1000);

        Assert.Same(response, Assert.Single(_tier.Find(Responses.Key("/a"))!.Variants));
        using var composed = Responses.Compose("/a", stackalloc byte[256]);
        Assert.Equal("example.org/a", _tier.Find(composed)!.Key.ToString());
        Assert.Null(_tier.Find(Responses.Key("/b")));
        Assert.Equal(1, _tier.Count);
    }

    [Fact]
    public void Keys_with_the_same_hash_are_told_apart_by_their_bytes()
    {
        var a = Responses.KeyWithHash("a", 7);
        var b = Responses.KeyWithHash("b", 7);
        _tier.Put(a, new StoredResponse(Responses.Head(), null), 1);

        Assert.Null(_tier.Find(b));
        _tier.Put(b, new StoredResponse(Responses.Head(), null), 1);
        Assert.True(_tier.Remove(a));

        Assert.Null(_tier.Find(a));
        Assert.Same(b, _tier.Find(b)!.Key);
    }

    [Fact]
    public void Finding_and_touching_allocate_nothing()
    {
        var response = Put("/a", 1000);
        FindAndTouch(_tier, response);
        var before = GC.GetAllocatedBytesForCurrentThread();

        FindAndTouch(_tier, response);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        static void FindAndTouch(MemoryTier tier, StoredResponse response)
        {
            Span<byte> scratch = stackalloc byte[256];
            using var key = Responses.Compose("/a", scratch);
            if (tier.Find(key)!.Variants[0] == response)
                tier.Touch(response);
        }
    }

    [Fact]
    public void A_newer_response_of_the_same_variant_replaces_the_older_and_frees_its_body()
    {
        Put("/a", 100_000);
        var newer = Put("/a", 1000);

        Assert.Same(newer, Assert.Single(_tier.Find(Responses.Key("/a"))!.Variants));
        Assert.Equal(1024, _arena.OccupiedBytes);
        Assert.Equal(1, _tier.Count);
        Assert.Equal(0, _tier.Evictions);
    }

    [Fact]
    public void Variants_stand_newest_first_and_the_oldest_beyond_the_limit_go()
    {
        var one = Put("/a", 100, variant: "1");
        var two = Put("/a", 100, variant: "2");
        Assert.Equal([two, one], _tier.Find(Responses.Key("/a"))!.Variants);

        var three = Put("/a", 100, variant: "3", maxVariants: 2);
        Assert.Equal([three, two], _tier.Find(Responses.Key("/a"))!.Variants);

        var again = Put("/a", 100, variant: "2");
        Assert.Equal([again, three], _tier.Find(Responses.Key("/a"))!.Variants);
        Assert.Equal(2, _tier.Count);
    }

    [Fact]
    public void A_snapshot_of_variants_taken_before_a_change_stays_what_it_was()
    {
        var one = Put("/a", 100, variant: "1");
        var resource = _tier.Find(Responses.Key("/a"))!;
        var snapshot = resource.Variants;

        var two = Put("/a", 100, variant: "2");

        Assert.Equal([one], snapshot);
        Assert.Equal([two, one], resource.Variants);
    }

    [Fact]
    public void A_response_without_body_is_stored()
    {
        var response = new StoredResponse(Responses.Head(), null);

        Assert.True(_tier.Put(Responses.Key("/a"), response, 1));

        Assert.Null(Assert.Single(_tier.Find(Responses.Key("/a"))!.Variants).Body);
        Assert.True(_tier.Remove(response));
    }

    [Fact]
    public void What_is_larger_than_the_tier_is_refused_and_stays_the_callers()
    {
        var kept = Put("/a", 1000);
        var body = Content.Body(_arena, new byte[2 * MiB]);

        Assert.False(_tier.Put(Responses.Key("/a"), new StoredResponse(Responses.Head(), body), 1));

        Assert.Same(kept, Assert.Single(_tier.Find(Responses.Key("/a"))!.Variants));
        Assert.True(body.TryAcquire());
    }

    [Fact]
    public void A_response_is_stored_once_only()
    {
        var response = Put("/a", 10);

        Assert.Throws<InvalidOperationException>(() => _tier.Put(Responses.Key("/b"), response, 1));
    }

    [Fact]
    public void Something_of_half_the_tier_is_stored_and_pushed_out_by_what_comes_next()
    {
        var half = Put("/half", MiB / 2);
        Assert.Same(half, _tier.Find(Responses.Key("/half"))!.Variants[0]);

        for (var i = 0; i < 100; i++)
            Put($"/{i}", 20_000);

        Assert.Null(_tier.Find(Responses.Key("/half")));
        Assert.False(half.Body!.TryAcquire());
    }

    [Fact]
    public void Removing_a_variant_leaves_the_others_and_removing_the_last_removes_the_resource()
    {
        var empty = _tier.UsedBytes;
        var one = Put("/a", 100, variant: "1");
        var two = Put("/a", 100, variant: "2");

        Assert.True(_tier.Remove(one));
        Assert.False(_tier.Remove(one));
        Assert.Equal([two], _tier.Find(Responses.Key("/a"))!.Variants);
        Assert.True(_tier.Remove(two));

        Assert.Null(_tier.Find(Responses.Key("/a")));
        Assert.Equal(0, _tier.Count);
        Assert.Equal(empty, _tier.UsedBytes);
        Assert.Equal(0, _arena.OccupiedBytes);
    }

    [Fact]
    public void Removing_a_key_removes_all_its_variants()
    {
        Put("/a", 100, variant: "1");
        Put("/a", 100, variant: "2");
        var other = Put("/b", 100);

        Assert.True(_tier.Remove(Responses.Key("/a")));
        Assert.False(_tier.Remove(Responses.Key("/a")));

        Assert.Same(other, _tier.Find(Responses.Key("/b"))!.Variants[0]);
        Assert.Equal(1, _tier.Count);
        Assert.Equal(256, _arena.OccupiedBytes);
    }

    [Fact]
    public void A_freshened_head_is_swapped_and_charged()
    {
        var response = Put("/a", 100);
        var before = _tier.UsedBytes;
        var head = Responses.Head(extraFieldBytes: 1000);

        Assert.True(_tier.UpdateHead(response, head));

        Assert.Same(head, response.Head);
        Assert.InRange(_tier.UsedBytes - before, 2000, 2300);
        _tier.Remove(response);
        Assert.False(_tier.UpdateHead(response, Responses.Head()));
        Assert.Same(head, response.Head);
    }

    [Fact]
    public void Freshening_with_larger_heads_never_exceeds_the_bound()
    {
        var responses = Enumerable.Range(0, 50).Select(i => Put($"/{i}", 15_000)).ToList();

        foreach (var response in responses)
        {
            _tier.UpdateHead(response, Responses.Head(extraFieldBytes: 10_000));
            Assert.InRange(_tier.UsedBytes, 0, _tier.MaxBytes);
        }

        Assert.True(_tier.Evictions > 0);
    }

    [Fact]
    public void A_reader_that_holds_a_reference_reads_on_after_the_eviction()
    {
        var response = Put("/a", 5000, seed: 42);
        Assert.True(response.Body!.TryAcquire());

        for (var i = 0; i < 200; i++)
            Put($"/{i}", 20_000);

        Assert.Null(_tier.Find(Responses.Key("/a")));
        Assert.Equal(Content.Of(5000, 42), Content.ReadAll(response.Body, 0, 5000));
        response.Body.Release();
        Assert.False(response.Body.TryAcquire());
    }

    [Fact]
    public void One_revalidation_at_a_time()
    {
        var response = new StoredResponse(Responses.Head(), null);

        Assert.True(response.TryBeginRevalidation());
        Assert.False(response.TryBeginRevalidation());
        response.EndRevalidation();
        Assert.True(response.TryBeginRevalidation());
    }

    [Fact]
    public void Disposed_it_gives_every_body_back_and_takes_no_more()
    {
        var response = Put("/a", 5000);
        Put("/b", 5000);

        _tier.Dispose();

        Assert.Equal(0, _arena.OccupiedBytes);
        Assert.False(response.Body!.TryAcquire());
        Assert.Null(_tier.Find(Responses.Key("/a")));
        Assert.Throws<ObjectDisposedException>(() => _tier.Put(Responses.Key("/c"), new StoredResponse(Responses.Head(), null), 1));
    }

    private StoredResponse Put(string path, int length, string? variant = null, int maxVariants = 10, int seed = 0)
    {
        var response = new StoredResponse(Responses.Head(variant), Content.Body(_arena, Content.Of(length, seed)));
        Assert.True(_tier.Put(Responses.Key(path), response, maxVariants));
        return response;
    }
}
