using CdnEdge.Caching;
using CdnEdge.Storage.Redis;
using StackExchange.Redis;

namespace CdnEdge.Storage.Tests.Redis;

public class RedisTierTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(RedisRecord.InlineBytes)]
    [InlineData(RedisRecord.InlineBytes + 1)]
    [InlineData(RedisRecord.ChunkBytes)]
    [InlineData(5 * RedisRecord.ChunkBytes + 17)]
    public async Task What_one_node_stored_another_finds(int length)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var first = new Node(redis.Connection);
        await using var second = new Node(redis.Connection);
        await first.Connected();
        await second.Connected();
        var body = Content.Of(length, 3);

        await first.StoreAsync("/a", body);
        var hit = await second.FindAsync("/a");

        Assert.Equal((200, 7L, "\"x\""), (hit!.Head.Status, hit.Moment, hit.Head.ETag!.Value.Text));
        Assert.Equal(body, await Node.ReadAsync(hit));
        Assert.Null(await second.FindAsync("/b"));
        Assert.Equal((1L, 1L), (second.Count("lookups hit"), second.Count("lookups miss")));
    }

    [Fact]
    public async Task A_response_without_a_body_has_none()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = new Node(redis.Connection);
        await node.Connected();
        await node.StoreAsync("/a", null);
        Assert.Null((await node.FindAsync("/a"))!.Body);
    }

    [Fact]
    public async Task Variants_are_told_apart()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = new Node(redis.Connection);
        await node.Connected();
        string[] response = ["Cache-Control: max-age=60", "Vary: X-Kind"];
        await node.StoreAsync("/a", [1], response, ["X-Kind: one"]);
        await node.StoreAsync("/a", [2], response, ["X-Kind: two"]);

        Assert.Equal([1], await Node.ReadAsync((await node.FindAsync("/a", "X-Kind: one"))!));
        Assert.Equal([2], await Node.ReadAsync((await node.FindAsync("/a", "X-Kind: two"))!));
        Assert.Null(await node.FindAsync("/a", "X-Kind: three"));
        Assert.Null(await node.FindAsync("/a"));
    }

    [Fact]
    public async Task What_was_removed_does_not_come_back_with_another_variant()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = new Node(redis.Connection);
        await node.Connected();
        string[] response = ["Cache-Control: max-age=60", "Vary: X-Kind"];
        await node.StoreAsync("/a", [1], response, ["X-Kind: one"]);

        Assert.True(await node.Tier.RemoveAsync(Responses.Key("/a")));
        await node.StoreAsync("/a", [2], response, ["X-Kind: two"]);

        Assert.Null(await node.FindAsync("/a", "X-Kind: one"));
        Assert.Equal([2], await Node.ReadAsync((await node.FindAsync("/a", "X-Kind: two"))!));
        Assert.False(await node.Tier.RemoveAsync(Responses.Key("/b")));
    }

    [Fact]
    public async Task What_a_url_varies_by_stays_as_long_as_its_longest_variant()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = new Node(redis.Connection);
        await node.Connected();
        await node.StoreAsync("/a", [1], ["Cache-Control: max-age=60", "Vary: X-Kind"], ["X-Kind: one"]);
        await node.StoreAsync("/a", [2], ["Cache-Control: max-age=86400", "Vary: X-Kind"], ["X-Kind: two"]);
        await node.StoreAsync("/a", [3], ["Cache-Control: max-age=60", "Vary: X-Kind"], ["X-Kind: three"]);

        await using var direct = await ConnectionMultiplexer.ConnectAsync(redis.Connection);
        var names = new RedisNames("cdnedge", Responses.Key("/a"));
        Assert.InRange((await direct.GetDatabase().KeyTimeToLiveAsync(names.Resource))!.Value, TimeSpan.FromHours(23), TimeSpan.FromHours(25));
        Assert.Equal([1], await Node.ReadAsync((await node.FindAsync("/a", "X-Kind: one"))!));
    }

    [Fact]
    public async Task What_the_caller_does_not_accept_is_not_found()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = new Node(redis.Connection);
        await node.Connected();
        await node.StoreAsync("/a", [1]);
        Assert.Null(await node.Tier.FindAsync(
            Responses.Key("/a"), node.Policy, new Microsoft.AspNetCore.Http.HeaderDictionary(), static (_, moment) => moment > 7, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Every_name_expires_is_of_one_slot_and_tells_no_url()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = new Node(redis.Connection, policy: new CachePolicy { Grace = TimeSpan.FromSeconds(40) });
        await node.Connected();
        await node.StoreAsync("/secret", Content.Of(3 * RedisRecord.ChunkBytes, 1), ["Cache-Control: max-age=60", "Vary: X-Kind"], ["X-Kind: one"]);
        var claim = await node.ClaimAsync("/secret", TimeSpan.Zero);

        var names = await redis.NamesAsync();
        Assert.Equal(TierClaimKind.Lead, claim.Kind);
        Assert.Equal(6, names.Length); // what varies, the variant, three chunks, a lease
        Assert.Single(names.Select(static name => name[..(name.IndexOf('}', StringComparison.Ordinal) + 1)]).Distinct());
        foreach (var name in names)
        {
            Assert.DoesNotContain("secret", name, StringComparison.Ordinal);
            var left = await redis.Database.KeyTimeToLiveAsync(name);
            Assert.True(left <= TimeSpan.FromHours(1), name);
            if (name.Contains(":v:", StringComparison.Ordinal))
                Assert.InRange(left!.Value.TotalSeconds, 90, 100);
            if (name.Contains(":c:", StringComparison.Ordinal))
                Assert.InRange(left!.Value.TotalSeconds, 150, 160);
        }

        await claim.Lease!.DisposeAsync();
    }

    [Fact]
    public async Task Values_are_not_readable()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = new Node(redis.Connection);
        await node.Connected();
        await node.StoreAsync("/a", "a very secret text"u8.ToArray());
        Assert.DoesNotContain("secret", (await redis.Database.StringGetAsync((await redis.NamesAsync())[0])).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Text_that_came_plain_is_kept_compressed_where_asked_for()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = new Node(redis.Connection, static options => options.Compress = true);
        await node.Connected();
        var text = new byte[3 * RedisRecord.ChunkBytes];
        await node.StoreAsync("/a", text);
        await node.StoreAsync("/b", text, ["Cache-Control: max-age=60", "Content-Type: text/html", "Content-Encoding: gzip"]);
        await node.StoreAsync("/c", text[..1000]);

        Assert.Equal(text, await Node.ReadAsync((await node.FindAsync("/a"))!));
        Assert.Equal(text, await Node.ReadAsync((await node.FindAsync("/b"))!));
        Assert.Equal(text[..1000], await Node.ReadAsync((await node.FindAsync("/c"))!));
        var lengths = new List<long>();
        foreach (var name in await redis.NamesAsync())
            lengths.Add(await redis.Database.StringLengthAsync(name));
        Assert.Equal(3, lengths.Count(static length => length > RedisRecord.ChunkBytes));
        Assert.Equal(6, lengths.Count(static length => length < 1000)); // three records, three chunks
    }

    [Fact]
    public async Task What_is_too_large_or_never_usable_is_not_written()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = new Node(redis.Connection, static options => options.MaxObjectBytes = 10);
        await node.Connected();
        await node.StoreAsync("/a", new byte[11], outcome: "unsuitable");
        await node.StoreAsync("/b", [1], ["Cache-Control: max-age=60", "Vary: *"], outcome: "unsuitable");
        await node.StoreAsync("/c", [1], ["Cache-Control: no-cache"], outcome: "unsuitable");
        Assert.Empty(await redis.NamesAsync());
    }

    [Fact]
    public async Task Old_keys_still_read_when_another_writes()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var before = new Node(redis.Connection);
        await using var after = new Node(redis.Connection, static options =>
        {
            options.Keys["b"] = Node.SecondKey;
            options.ActiveKey = "b";
        });
        await before.Connected();
        await after.Connected();
        await before.StoreAsync("/old", [1]);
        await after.StoreAsync("/new", [2]);

        Assert.Equal([1], await Node.ReadAsync((await after.FindAsync("/old"))!));
        Assert.Equal([2], await Node.ReadAsync((await after.FindAsync("/new"))!));
        Assert.Null(await before.FindAsync("/new"));
        Assert.Equal(1, before.Count("rejected key"));
    }

    [Fact]
    public async Task A_node_with_a_key_believes_nothing_plain()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var plain = new Node(redis.Connection, static options =>
        {
            options.Keys.Clear();
            options.AllowPlaintext = true;
        });
        await using var keyed = new Node(redis.Connection);
        await plain.Connected();
        await keyed.Connected();
        await plain.StoreAsync("/a", [1]);

        Assert.Equal([1], await Node.ReadAsync((await plain.FindAsync("/a"))!));
        Assert.Null(await keyed.FindAsync("/a"));
        Assert.Equal(1, keyed.Count("rejected key"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Nothing_can_be_moved_to_another_place(bool isEncrypted)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = new Node(redis.Connection, options =>
        {
            if (!isEncrypted)
                options.Keys.Clear();
            options.AllowPlaintext = !isEncrypted;
        });
        await node.Connected();
        await node.StoreAsync("/a", [1]);
        var a = (await redis.NamesAsync()).Single();
        await node.StoreAsync("/b", [2]);
        var b = (await redis.NamesAsync()).Single(name => name != a);
        await redis.Database.StringSetAsync(b, await redis.Database.StringGetAsync(a), TimeSpan.FromMinutes(1), When.Always);

        Assert.Null(await node.FindAsync("/b"));
        Assert.Equal(1, node.Count("rejected tampered"));

        // One chunk in another's place.
        await node.StoreAsync("/c", Content.Of(2 * RedisRecord.ChunkBytes, 1));
        var chunks = (await redis.NamesAsync()).Where(static name => name.Contains(":c:", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToArray();
        await redis.Database.StringSetAsync(chunks[1], await redis.Database.StringGetAsync(chunks[0]), TimeSpan.FromMinutes(1), When.Always);
        var hit = await node.FindAsync("/c");
        await Assert.ThrowsAsync<IOException>(() => Node.ReadAsync(hit!));
        Assert.Equal(1, node.Count("broken_bodies"));
    }

    [Fact]
    public async Task An_object_with_a_chunk_missing_is_not_there()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = new Node(redis.Connection);
        await node.Connected();
        await node.StoreAsync("/a", Content.Of(6 * RedisRecord.ChunkBytes, 1));
        await redis.Database.KeyDeleteAsync((await redis.NamesAsync()).Single(static name => name.EndsWith(":5", StringComparison.Ordinal)));
        Assert.Null(await node.FindAsync("/a"));
    }

    [Fact]
    public async Task Garbage_under_our_names_is_as_if_absent()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = new Node(redis.Connection);
        await node.Connected();
        await node.StoreAsync("/a", [1]);
        var name = (await redis.NamesAsync()).Single();
        var value = (byte[])(await redis.Database.StringGetAsync(name))!;
        byte[] otherVersion = [.. value];
        otherVersion[4]++;
        byte[] otherKind = [.. value];
        otherKind[5] = RedisRecord.Vary;
        byte[] flipped = [.. value];
        flipped[^1] ^= 1;
        foreach (var garbage in (byte[][])[[], [0], "CdnE"u8.ToArray(), value[..^1], value[..30], otherVersion, otherKind, flipped, [.. value, 0], new byte[100_000]])
        {
            await redis.Database.StringSetAsync(name, garbage, TimeSpan.FromMinutes(1), When.Always);
            Assert.Null(await node.FindAsync("/a"));
        }

        Assert.Equal(1, node.Count("rejected version"));
        await redis.Database.KeyDeleteAsync(name);
        await redis.Database.HashSetAsync(name, "another", "program");
        Assert.Null(await node.FindAsync("/a"));
        Assert.Equal(11, node.Count("lookups rejected"));

        // And it's no obstacle to what comes.
        await node.StoreAsync("/a", [3]);
        Assert.Equal([3], await Node.ReadAsync((await node.FindAsync("/a"))!));
    }
}
