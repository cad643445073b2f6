using CdnEdge.Caching;

namespace CdnEdge.Storage.Tests;

/// <summary>What purges do to what the memory tier holds.</summary>
public sealed class MemoryTierPurgeTests : IDisposable
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddSeconds(10);
    private static readonly CacheKey Page = Responses.Key("/page");

    private readonly SegmentArena _arena = new();
    private readonly MemoryTier _tier;

    public MemoryTierPurgeTests() => _tier = new MemoryTier(64 << 20, _arena);

    public void Dispose()
    {
        _tier.Dispose();
        _arena.Dispose();
    }

    [Fact]
    public void What_a_hard_purge_names_is_removed_when_it_is_looked_at()
    {
        var stored = Store();
        Assert.True(_tier.Survives(stored, Now));

        _tier.Epochs.RaiseNow(PurgeScope.OfUrl(Page.Bytes), PurgeMode.Hard);

        Assert.False(_tier.Survives(stored, Now));
        Assert.Equal(0, _tier.Count);
        Assert.False(_tier.Survives(stored, Now));
    }

    [Fact]
    public void What_a_soft_purge_names_is_stale_from_then_on()
    {
        var stored = Store();
        Assert.Equal(TimeSpan.FromSeconds(50), stored.Head.Freshness.Remaining(Now));

        _tier.Epochs.RaiseNow(PurgeScope.OfUrl(Page.Bytes), PurgeMode.Soft);

        Assert.True(_tier.Survives(stored, Now));
        Assert.Equal(TimeSpan.Zero, stored.Head.Freshness.Remaining(Now));
        Assert.Equal(1, _tier.Count);
    }

    [Fact]
    public void Its_windows_begin_once_however_often_it_is_looked_at()
    {
        var stored = Store();
        _tier.Epochs.RaiseNow(PurgeScope.OfUrl(Page.Bytes), PurgeMode.Soft);
        Assert.True(_tier.Survives(stored, Now));

        _tier.Epochs.RaiseNow(PurgeScope.OfTag("something else"), PurgeMode.Hard);
        Assert.True(_tier.Survives(stored, Now.AddSeconds(7)));

        Assert.Equal(TimeSpan.FromSeconds(-7), stored.Head.Freshness.Remaining(Now.AddSeconds(7)));
    }

    [Fact]
    public void A_validation_that_began_after_the_purge_makes_it_good_again()
    {
        var stored = Store();
        var epoch = _tier.Epochs.RaiseNow(PurgeScope.OfUrl(Page.Bytes), PurgeMode.Soft);

        Assert.True(_tier.UpdateHead(stored, Responses.Head(), epoch));

        Assert.True(_tier.Survives(stored, Now));
        Assert.Equal(TimeSpan.FromSeconds(50), stored.Head.Freshness.Remaining(Now));
    }

    [Fact]
    public void One_that_began_before_does_not()
    {
        var stored = Store();
        var began = _tier.Epochs.Now;
        _tier.Epochs.RaiseNow(PurgeScope.OfUrl(Page.Bytes), PurgeMode.Soft);

        Assert.True(_tier.UpdateHead(stored, Responses.Head(arrival: Now), began));

        Assert.True(_tier.Survives(stored, Now));
        Assert.Equal(TimeSpan.Zero, stored.Head.Freshness.Remaining(Now));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Nor_does_it_where_the_purge_was_seen_before_it_ended(bool seen)
    {
        var stored = Store();
        var began = _tier.Epochs.Now;
        _tier.Epochs.RaiseNow(PurgeScope.OfUrl(Page.Bytes), PurgeMode.Soft);
        if (seen)
            Assert.True(_tier.Survives(stored, Now));

        Assert.True(_tier.UpdateHead(stored, Responses.Head(arrival: Now), began));

        // Its head says so at once: whoever reads it needn't look again.
        Assert.True(stored.Head.Freshness.Remaining(Now) <= TimeSpan.Zero);
        Assert.True(_tier.Survives(stored, Now));
        Assert.True(stored.Head.Freshness.Remaining(Now) <= TimeSpan.Zero);
    }

    [Fact]
    public void A_validation_that_a_hard_purge_overtook_is_of_no_use()
    {
        var stored = Store();
        var began = _tier.Epochs.Now;
        _tier.Epochs.RaiseNow(PurgeScope.OfUrl(Page.Bytes), PurgeMode.Hard);

        Assert.False(_tier.UpdateHead(stored, Responses.Head(arrival: Now), began));
        Assert.Equal(0, _tier.Count);
    }

    private StoredResponse Store()
    {
        var stored = new StoredResponse(Responses.Head(), null, _tier.Epochs.Now);
        Assert.True(_tier.Put(Page, stored, 4));
        return stored;
    }
}
