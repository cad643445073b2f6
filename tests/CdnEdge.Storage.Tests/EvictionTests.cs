namespace CdnEdge.Storage.Tests;

/// <summary>The policy seen from outside: who stays when there isn't room for all.</summary>
public sealed class EvictionTests : IDisposable
{
    private const int ObjectBytes = 8 * 1024;
    private const int Room = 100;

    private readonly SegmentArena _arena = new();
    private readonly MemoryTier _tier;

    public EvictionTests() => _tier = new MemoryTier(Room * (ObjectBytes + 1024), _arena);

    public void Dispose()
    {
        _tier.Dispose();
        _arena.Dispose();
    }

    [Fact]
    public void Used_objects_survive_a_scan_many_times_the_tier()
    {
        for (var i = 0; i < 50; i++)
            Request($"/hot/{i}");
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < 50; i++)
                Request($"/hot/{i}");
        }

        for (var i = 0; i < 20 * Room; i++)
            Request($"/scan/{i}");

        Assert.Equal(50, Enumerable.Range(0, 50).Count(i => IsStored($"/hot/{i}")));
    }

    [Fact]
    public void What_is_used_once_or_never_passes_through()
    {
        for (var i = 0; i < 10 * Room; i++)
            Request($"/scan/{i}");

        Assert.False(IsStored("/scan/0"));
        Assert.True(IsStored($"/scan/{(10 * Room) - 1}"));
        Assert.InRange(_tier.Count, Room * 0.8, Room * 1.1);
        Assert.Equal((10 * Room) - _tier.Count, _tier.Evictions);
    }

    [Fact]
    public void Who_comes_back_soon_after_leaving_enters_the_main_queue_and_survives_a_scan()
    {
        Fill("/filler");
        Request("/back");
        var left = 0;
        while (IsStored("/back"))
            Request($"/scan/{left++}");

        Request("/back");
        Assert.Equal(QueueKind.Main, Find("/back")!.Queue);
        for (var i = 0; i < 3 * Room; i++)
            Request($"/scan2/{i}");

        // Longer than the whole tier: in the small queue it would have passed through.
        Assert.True(IsStored("/back"));
    }

    [Fact]
    public void Who_comes_back_late_starts_anew()
    {
        Fill("/filler");
        Request("/back");
        for (var i = 0; i < 3 * Room; i++)
            Request($"/scan/{i}");

        // Remembered entries are at most nine tenths of the stored ones: it's forgotten.
        Request("/back");
        Assert.Equal(QueueKind.Small, Find("/back")!.Queue);
    }

    [Fact]
    public void A_refill_takes_the_place_of_what_it_replaces()
    {
        Fill("/filler");
        Request("/a");
        Request("/a");
        Request("/a");
        for (var i = 0; i < 2 * Room; i++)
            Request($"/scan/{i}");
        Assert.Equal(QueueKind.Main, Find("/a")!.Queue);
        Request("/a");

        Store("/a");

        Assert.Equal(QueueKind.Main, Find("/a")!.Queue);
        Assert.Equal(1, Find("/a")!.Uses);
    }

    [Fact]
    public void When_everything_is_popular_something_goes_all_the_same()
    {
        for (var i = 0; i < 3 * Room; i++)
        {
            Request($"/{i}");
            for (var j = 0; j <= i; j++)
            {
                if (Find($"/{j}") is { } response)
                    response.Uses = 3;
            }
        }

        Assert.InRange(_tier.UsedBytes, 0, _tier.MaxBytes);
        Assert.True(IsStored($"/{(3 * Room) - 1}"));
    }

    // Fills the tier with objects that nobody asks for again.
    private void Fill(string prefix)
    {
        for (var i = 0; _tier.Evictions == 0; i++)
            Request($"{prefix}/{i}");
    }

    private void Request(string path)
    {
        if (Find(path) is { } response)
            _tier.Touch(response);
        else
            Store(path);
    }

    private void Store(string path) => Assert.True(_tier.Put(
        Responses.Key(path), new StoredResponse(Responses.Head(), Content.Body(_arena, new byte[ObjectBytes])), 4));

    private StoredResponse? Find(string path) => _tier.Find(Responses.Key(path))?.Variants is [var response, ..] ? response : null;

    private bool IsStored(string path) => Find(path) is not null;
}
