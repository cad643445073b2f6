namespace CdnEdge.Storage.Tests;

public class GhostQueueTests
{
    [Fact]
    public void An_entry_is_remembered_for_as_many_insertions_as_the_queue_is_deep()
    {
        var ghost = new GhostQueue();
        ghost.SetDepth(4);
        ghost.Add(Hash(0));

        for (var i = 1; i <= 3; i++)
            ghost.Add(Hash(i));
        Assert.True(ghost.Contains(Hash(0)));

        // In another set of the table: what was remembered is still there and only too old.
        ghost.Add(Hash(4));
        Assert.False(ghost.Contains(Hash(0)));
        Assert.True(ghost.Contains(Hash(4)));
    }

    [Fact]
    public void What_was_never_added_is_not_remembered()
    {
        var ghost = new GhostQueue();
        ghost.SetDepth(100);
        ghost.Add(Hash(1));

        Assert.False(ghost.Contains(Hash(2)));
    }

    [Fact]
    public void Growing_keeps_what_was_remembered_and_is_counted()
    {
        var ghost = new GhostQueue();
        ghost.SetDepth(50);
        for (var i = 0; i < 10; i++)
            ghost.Add(Hash(i));
        var before = ghost.ManagedBytes;

        ghost.SetDepth(60);

        Assert.True(ghost.ManagedBytes > before);
        Assert.All(Enumerable.Range(0, 10), i => Assert.True(ghost.Contains(Hash(i))));
    }

    // The upper half is what's remembered; consecutive ones fall into different sets.
    private static ulong Hash(int number) => (ulong)(uint)(number + 1) << 32;
}
