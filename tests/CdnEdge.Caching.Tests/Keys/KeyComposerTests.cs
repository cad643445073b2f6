using CsCheck;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Caching.Tests.Keys;

public class KeyComposerTests
{
    private static readonly CachePolicy Default = new();

    [Theory]
    [InlineData("example.org", "example.org")]
    [InlineData("EXAMPLE.org", "example.org")]
    [InlineData("example.org.", "example.org")]
    [InlineData("example.org:80", "example.org")]
    [InlineData("example.org:443", "example.org")]
    [InlineData("example.org.:0443", "example.org")]
    [InlineData("example.org:", "example.org")]
    [InlineData("example.org:8080", "example.org:8080")]
    [InlineData("[::1]", "[::1]")]
    [InlineData("[::1]:443", "[::1]")]
    [InlineData("[::A]:81", "[::a]:81")]
    [InlineData("", "")]
    public void Host_is_canonical(string host, string expected) => Assert.Equal(expected + "/a", Key(Default, host, "/a").ToString());

    [Fact]
    public void Hosts_share_a_key_through_an_alias_only()
    {
        var policy = new CachePolicy
        {
            Key = { HostAliases = new Dictionary<string, string> { ["WWW.example.org"] = "Example.org", ["a.test:8080"] = "example.org" } },
        };

        var canonical = Key(policy, "example.org", "/a");
        Assert.Equal(canonical, Key(policy, "www.example.org", "/a"));
        Assert.Equal(canonical, Key(policy, "www.EXAMPLE.org.:443", "/a"));
        Assert.Equal(canonical, Key(policy, "a.test:8080", "/a"));
        Assert.NotEqual(canonical, Key(policy, "a.test", "/a"));
        Assert.NotEqual(canonical, Key(policy, "www.example.org:8080", "/a"));
        Assert.NotEqual(Key(Default, "example.org", "/a"), Key(Default, "www.example.org", "/a"));
    }

    [Theory]
    [InlineData(QueryKeyMode.None, "", "?a=1", "")]
    [InlineData(QueryKeyMode.Deny, "utm_*", "?b=2&%75tm_x=1&a=1", "?a=1&b=2")]
    [InlineData(QueryKeyMode.Deny, "utm_*", "?utm_x=1;b=2", "?utm_x=1;b=2")]
    [InlineData(QueryKeyMode.Allow, "a", "?b=1&a=2&a=%20", "?a=2&a=%20")]
    [InlineData(QueryKeyMode.Allow, "a", "?b=1", "")]
    public void The_origin_gets_the_query_of_the_key(QueryKeyMode mode, string names, string query, string expected)
    {
        var policy = new CachePolicy { Key = { Query = mode, QueryParameters = names.Length == 0 ? [] : [names], SortQuery = mode == QueryKeyMode.Deny } };

        var composed = KeyComposer.QueryOf(policy.Key.Plan, new QueryString(query));

        Assert.Equal(expected, composed.Value ?? "");
        Assert.True(policy.Key.Plan.RewritesQuery);
        Assert.Equal(Key(policy, "h", "/a", query), Key(policy, "h", "/a", composed.Value ?? ""));
    }

    [Fact]
    public void Path_is_that_of_the_whole_application_in_its_letter_case()
    {
        Assert.Equal(Key(Default, "h", "/a/b"), Key(Default, "h", "/b", pathBase: "/a"));
        Assert.NotEqual(Key(Default, "h", "/a"), Key(Default, "h", "/A"));
        Assert.NotEqual(Key(Default, "h", "/ä"), Key(Default, "h", "/a"));
        Assert.Equal("h/ä?q", Key(Default, "h", "/ä", "?q").ToString());
    }

    [Theory]
    [InlineData(QueryKeyMode.All, "", "", "")]
    [InlineData(QueryKeyMode.All, "", "?", "?")]
    [InlineData(QueryKeyMode.All, "", "?b=1&a=2&&%61=3", "?b=1&a=2&&%61=3")]
    [InlineData(QueryKeyMode.None, "", "?a=1", "")]
    [InlineData(QueryKeyMode.Allow, "a", "?b=1&a=2&c&a=3", "?a=2&a=3")]
    [InlineData(QueryKeyMode.Allow, "a", "?b=1", "")]
    [InlineData(QueryKeyMode.Allow, "a", "?", "")]
    [InlineData(QueryKeyMode.Allow, "a", "", "")]
    [InlineData(QueryKeyMode.Allow, "a", "?%61=1&A=2&ab=3", "?%61=1")]
    [InlineData(QueryKeyMode.Allow, "a b", "?a+b=1&a%20b=2", "?a+b=1&a%20b=2")]
    [InlineData(QueryKeyMode.Allow, "ä", "?%C3%A4=1", "?%C3%A4=1")]
    [InlineData(QueryKeyMode.Deny, "utm_*,fbclid", "?utm_source=x&id=1&fbclid=y&fbclid2=z", "?id=1&fbclid2=z")]
    [InlineData(QueryKeyMode.Deny, "utm_*", "?%75tm_source=x&u%74m%5Fmedium&id=1", "?id=1")]
    [InlineData(QueryKeyMode.Deny, "utm_*", "?utm=1&%zz=1&%7", "?utm=1&%zz=1&%7")]
    [InlineData(QueryKeyMode.Deny, "a", "?a=1;admin=2&b", "?a=1;admin=2&b")] // two parameters to some origins
    public void Query_is_composed(QueryKeyMode mode, string names, string query, string expected)
    {
        var policy = new CachePolicy { Key = { Query = mode, QueryParameters = names.Split(',', StringSplitOptions.RemoveEmptyEntries) } };

        Assert.Equal("h/" + expected, Key(policy, "h", "/", query).ToString());
    }

    [Theory]
    [InlineData("?b=1&a=2", "?a=2&b=1")]
    [InlineData("?b=2&a=1&b=1", "?a=1&b=2&b=1")] // one name keeps its order
    [InlineData("?b&%61=2&a=1", "?%61=2&a=1&b")]
    [InlineData("?", "?")]
    public void Query_is_sorted_by_name(string query, string expected)
    {
        var policy = new CachePolicy { Key = { SortQuery = true } };

        Assert.Equal("h/" + expected, Key(policy, "h", "/", query).ToString());
    }

    [Fact]
    public void Sorting_copes_with_many_parameters()
    {
        var policy = new CachePolicy { Key = { SortQuery = true } };
        var pairs = Enumerable.Range(0, 500).Select(static i => $"p{i % 50:D2}={i:D3}").ToArray();
        var expected = pairs.OrderBy(static p => p[..3], StringComparer.Ordinal);

        Assert.Equal("h/?" + string.Join('&', expected), Key(policy, "h", "/", "?" + string.Join('&', pairs)).ToString());
    }

    [Fact]
    public void Keys_are_equal_exactly_where_host_path_and_query_are()
    {
        var text = Gen.Char["ab/?=&%\u00FF\u00E9"].Array[0, 4].Select(static c => new string(c));
        var url = Gen.Select(Gen.Char["aAb.:8"].Array[0, 4].Select(static c => new string(c)), text, text);
        Gen.Select(url, url).Sample((x, y) =>
        {
            var same = CanonicalHost.Of(x.Item1) == CanonicalHost.Of(y.Item1) && x.Item2 == y.Item2 && x.Item3 == y.Item3;
            var a = Key(Default, x.Item1, "/" + x.Item2, x.Item3.Length == 0 ? "" : "?" + x.Item3);
            var b = Key(Default, y.Item1, "/" + y.Item2, y.Item3.Length == 0 ? "" : "?" + y.Item3);

            Assert.Equal(same, a.Equals(b));
            Assert.Equal(same, a.Hash == b.Hash);
            if (same)
                Assert.Equal(a.GetHashCode(), b.GetHashCode());
        });
    }

    [Fact]
    public void Any_text_makes_the_same_key_in_scratch_of_any_size()
    {
        CachePolicy[] policies =
        [
            Default,
            new() { Key = { SortQuery = true } },
            new() { Key = { Query = QueryKeyMode.Deny, QueryParameters = ["a*"] } },
        ];
        Gen.Select(Gen.String, Gen.String, Gen.String, Gen.Int[0, 64]).Sample((host, path, query, size) =>
        {
            foreach (var policy in policies)
                Assert.Equal(Key(policy, host, "/" + path, "?" + query), Key(policy, host, "/" + path, "?" + query, size: size));
        });
    }

    [Fact]
    public void Composed_and_permanent_keys_have_the_same_bytes_and_hash()
    {
        var composer = KeyComposer.Compose(Default, new HostString("h"), default, "/a", default, stackalloc byte[64]);
        var key = composer.ToKey();

        Assert.True(composer.Bytes.SequenceEqual(key.Bytes));
        Assert.Equal(composer.Hash, key.Hash);
        Assert.InRange(key.ManagedBytes, key.Bytes.Length, key.Bytes.Length + 128);
        composer.Dispose();
    }

    [Fact]
    public void Composing_the_common_key_allocates_nothing()
    {
        Span<byte> scratch = stackalloc byte[512];
        Compose(scratch);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            Compose(scratch);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [InlineData("http://h/%C3%A4%20c", "/ä c", "")]
    [InlineData("http://h/a%2fb/%C3%A4%20c%25", "/a%2Fb/%C3%A4%20c%25", "")] // see EscapedPath
    [InlineData("https://H:443/a/../b?x=%20y", "/b", "?x=%20y")]
    [InlineData("http://h", "/", "")]
    public void Key_of_a_URI_is_that_of_a_request_for_it(string uri, string path, string query) =>
        Assert.Equal(Key(Default, "h", path, query), CacheKey.Of(Default, new Uri(uri)));

    private static void Compose(Span<byte> scratch) =>
        KeyComposer.Compose(Default, new HostString("www.example.org"), default, "/some/path", new QueryString("?a=b&c=d"), scratch).Dispose();

    private static CacheKey Key(CachePolicy policy, string host, string path, string query = "", string pathBase = "", int size = 512)
    {
        var composer = KeyComposer.Compose(policy, new HostString(host), new PathString(pathBase), new PathString(path), new QueryString(query), new byte[size]);
        var key = composer.ToKey();
        composer.Dispose();
        return key;
    }
}
