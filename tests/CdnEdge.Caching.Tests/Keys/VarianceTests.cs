using CsCheck;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Caching.Tests.Keys;

public class VarianceTests
{
    private static readonly CachePolicy Default = new();

    [Theory]
    [InlineData("Foo", true, "Foo: 1", "Foo: 1")]
    [InlineData("Foo", false, "Foo: 1", "Foo: 2")]
    [InlineData("Foo", false, "", "Foo: 1")]
    [InlineData("Foo", false, "Foo: 1", "")]
    [InlineData("Foo", false, "Foo:", "")] // absent matches only absent
    [InlineData("Foo", true, "Foo: 1|Other: 2", "Foo: 1|Other: 3")]
    [InlineData("foo, BAR", true, "Foo: 1|Bar: abc", "Bar: abc|FOO: 1")]
    [InlineData("Foo, Bar", false, "Foo: 1|Bar: abc", "Foo: 2|Bar: abc")]
    [InlineData("Foo, Bar", false, "Foo: 1|Bar: abc", "")]
    [InlineData("Foo, Bar, Baz", false, "Foo: 1|Bar: abc|Baz: 789", "Foo: 1|Baz: 789|Bar: abcde")]
    [InlineData("Foo, Bar, Baz", true, "Foo: 1|Baz: 789", "Foo: 1|Baz: 789")]
    [InlineData("Foo|Bar", false, "Foo: 1|Bar: 1", "Foo: 1|Bar: 2")] // on two lines
    [InlineData(",Foo,,", false, "Foo: 1", "Foo: 2")]
    [InlineData("", true, "Foo: 1", "Foo: 2")]
    [InlineData("Foo", true, "Foo: 1, 2", "Foo: 1|Foo: 2")]
    [InlineData("Foo", true, "Foo: 1,2", "Foo:  1, 2 ")]
    [InlineData("Foo", true, "Foo: 1\t,2", "Foo: 1 , 2")]
    [InlineData("Foo", false, "Foo: 1,2", "Foo: 2,1")]
    [InlineData("Foo", false, "Foo: 1,2", "Foo: 1,,2")]
    [InlineData("Foo", false, "Foo: a b", "Foo: ab")]
    [InlineData("Foo", false, "Foo: \"1, 2\"", "Foo: \"1,2\"")] // not the list's comma
    [InlineData("Foo", false, "Foo: \"\\\", 2\"", "Foo: \"\\\",2\"")]
    [InlineData("Foo", true, "Foo: \"1, 2\", 3", "Foo: \"1, 2\",3")]
    [InlineData("Foo", false, "Foo: a", "Foo: A")]
    [InlineData("Cookie", true, "Cookie: a=1; b=2", "Cookie: a=1;b=2")]
    [InlineData("Cookie", true, "Cookie: a=1; b=2", "Cookie: a=1|Cookie: b=2")]
    [InlineData("Cookie", false, "Cookie: a=1; b=2", "Cookie: a=1")]
    public void Of_any_field(string vary, bool matches, string stored, string presented) =>
        Assert.Equal(matches, Vary(vary, stored).Matches(Default, Head(presented)));

    [Theory]
    [InlineData("*")]
    [InlineData("*, *")]
    [InlineData("*|*")]
    [InlineData(", *")]
    [InlineData("|*")]
    [InlineData("*, Foo")]
    [InlineData("Foo, *")]
    [InlineData("Foo|Bar, *")]
    [InlineData("Foo Bar")] // no field name: nobody knows what it depends on
    public void Star_matches_nothing(string vary)
    {
        var variance = Vary(vary, "Foo: 1");

        Assert.True(variance.IsStar);
        Assert.False(variance.Matches(Default, Head("Foo: 1")));
        Assert.NotEqual(variance.SelectingKey(Default, Head("Foo: 1")), variance.SelectingKey(Default, Head("Foo: 1")));
    }

    // The stored request's field, the response's Content-Encoding, and a later request's.
    [Theory]
    [InlineData(true, "gzip, br", "gzip", "br,gzip")] // order says nothing
    [InlineData(true, "gzip, br", "gzip", "br;q=1.0 , GZIP ; Q=1")]
    [InlineData(true, "x-gzip", "gzip", "gzip")]
    [InlineData(true, "gzip, br", "gzip", "gzip")] // fewer, but the chosen one
    [InlineData(true, "gzip, br", "x-gzip", "gzip")]
    [InlineData(true, "gzip, br;q=0", "gzip", "gzip")]
    [InlineData(true, "gzip, br", "", "gzip")] // wasn't encoded with more on offer
    [InlineData(true, "gzip, br", "", "")]
    [InlineData(false, "gzip, br", "", null)] // absent matches only absent
    [InlineData(true, "gzip, br", "identity", "")]
    [InlineData(true, null, "", null)]
    [InlineData(true, null, "gzip", null)] // a curious origin, but the same request
    [InlineData(false, null, "", "")]
    [InlineData(true, "br, gzip;q=0.8, deflate;q=0.5", "br", "br;q=0.9, gzip;q=0.1")] // same order
    [InlineData(false, "gzip, br", "br", "gzip")] // not acceptable
    [InlineData(false, "gzip, br", "gzip", "")]
    [InlineData(false, "gzip, br", "gzip", null)]
    [InlineData(false, "gzip", "gzip", "gzip, br")] // might prefer the other
    [InlineData(false, "gzip", "", "gzip, br")]
    [InlineData(false, null, "gzip", "")]
    [InlineData(false, null, "", "gzip")]
    [InlineData(false, "gzip, br", "gzip", "gzip;q=0, br")]
    [InlineData(false, "gzip, br", "gzip", "gzip;q=0.5, br")] // another preference
    [InlineData(false, "gzip, br;q=0.5", "gzip", "gzip, br")]
    [InlineData(false, "gzip, br", "gzip, br", "gzip")] // two codings at once
    [InlineData(false, "gzip, br", "pack200", "gzip")]
    [InlineData(false, "gzip, identity", "", "gzip")] // plain was as welcome there
    [InlineData(true, "*", "gzip", "*")]
    [InlineData(false, "*", "gzip", "gzip")]
    [InlineData(false, "gzip", "gzip", "*")]
    [InlineData(false, "gzip, identity;q=0", "", "gzip")] // identity refused
    [InlineData(false, "gzip, br", "", "gzip, identity;q=0")]
    [InlineData(false, "gzip, br", "gzip", "gzip;q=nonsense")]
    [InlineData(false, "gzip, br", "gzip", "gzip, sdch")]
    [InlineData(true, "gzip,sdch", "gzip", "gzip, sdch")]
    public void Of_codings(bool matches, string? stored, string contentEncoding, string? presented)
    {
        var variance = Variance.Create(Default, AcceptEncoding(stored), Fields.Of(["Vary: accept-encoding", .. contentEncoding.Length == 0 ? Array.Empty<string>() : ["Content-Encoding: " + contentEncoding]]));

        Assert.Equal(matches, variance.Matches(Default, AcceptEncoding(presented)));
    }

    [Theory]
    [InlineData(true, "en, de", "", "de, en")]
    [InlineData(true, "en, de", "", "eN, De")]
    [InlineData(true, "en, de", "", " en ,   de")]
    [InlineData(true, "en;q=0.8, de", "", "de;q=1.0, en;q=0.2")] // same order
    [InlineData(true, "en, de", "de", "fr;q=0.5, de;q=1.0")] // the one that is wanted most
    [InlineData(true, "en, de", "DE", "de")]
    [InlineData(true, "en, de, fr", "de", "de, fr")] // fewer, but the chosen one
    [InlineData(true, "de-AT, en;q=0.5, fr;q=0.2", "en", "de-AT;q=0.3, en;q=0.2")]
    [InlineData(true, "en, fr", "en-GB", "en")]
    [InlineData(true, "*", "en", "*")]
    [InlineData(true, "en, de, *;q=0.1", "de", "de, *;q=0.5")]
    [InlineData(true, "one two", "", "one two")]
    [InlineData(false, "en, de", "", "de")] // unknown which it is
    [InlineData(false, "en, de", "", "en, de;q=0.5")]
    [InlineData(false, "en, de", "de", "en")] // doesn't accept it
    [InlineData(false, "en, de", "de", "fr")]
    [InlineData(false, "en, de", "de", "")]
    [InlineData(false, "en, de", "de", null)]
    [InlineData(false, null, "de", "en")]
    [InlineData(false, null, "de", "de")] // absent matches only absent
    [InlineData(false, "en, de", "de", "en, fr")]
    [InlineData(false, "en, de", "de", "de, fr")] // might prefer fr
    [InlineData(false, "en, de", "de", "fr, de;q=0.5")]
    [InlineData(false, "en, de", "de", "en, de;q=0.5")]
    [InlineData(false, "en, de", "de, en", "de")] // two languages
    [InlineData(false, "en, de", "de", "*")]
    [InlineData(false, "en, de", "de-AT", "de;q=0.5, de-AT;q=0, en;q=0.5")]
    [InlineData(false, "en, de", "de", "de;q=0, en")]
    [InlineData(false, "en, de", "de", "de;q=0")]
    [InlineData(false, "en, de", "de", "dex")]
    [InlineData(false, "en, de", "de", "de;q=1, de;q=0")] // contradicts itself
    [InlineData(false, "en, de", "de", "de;q=2, fr")]
    [InlineData(false, "one two", "one", "one")]
    public void Of_languages(bool matches, string? stored, string contentLanguage, string? presented)
    {
        var variance = Variance.Create(Default, AcceptLanguage(stored), Fields.Of(["Vary: Accept-Language", .. contentLanguage.Length == 0 ? Array.Empty<string>() : ["Content-Language: " + contentLanguage]]));

        Assert.Equal(matches, variance.Matches(Default, AcceptLanguage(presented)));
    }

    [Theory]
    [InlineData(true, "session=1; theme=dark", "theme=dark; session=2")]
    [InlineData(false, "session=1; theme=dark", "session=1; theme=light")]
    [InlineData(false, "theme=dark", "")]
    [InlineData(false, "theme=", "")]
    [InlineData(false, "theme=dark", "theme=dark; theme=light")]
    [InlineData(false, "theme=dark", "Theme=dark")] // cookies' names have letter case
    [InlineData(true, "session=1", "session=2")]
    [InlineData(true, "xtheme=1", "theme2=1")]
    public void Of_the_policys_cookies(bool matches, string stored, string presented)
    {
        var policy = new CachePolicy { Key = { Cookies = ["theme"] } };
        var variance = Variance.Create(policy, Fields.Of("Cookie: " + stored), Fields.Of());

        Assert.Equal(matches, variance.Matches(policy, Fields.Of("Cookie: " + presented)));
        Assert.Equal(matches, Variance.PolicyKey(policy, Fields.Of("Cookie: " + stored)) == Variance.PolicyKey(policy, Fields.Of("Cookie: " + presented)));
    }

    [Fact]
    public void Of_the_policys_headers_without_any_Vary()
    {
        var policy = new CachePolicy { Key = { Headers = ["X-Device"] } };
        var variance = Variance.Create(policy, Fields.Of("x-device: phone"), Fields.Of());

        Assert.True(variance.Matches(policy, Fields.Of("X-Device: phone")));
        Assert.False(variance.Matches(policy, Fields.Of("X-Device: tablet")));
        Assert.False(variance.Matches(policy, Fields.Of()));
        Assert.NotEqual("", Variance.PolicyKey(policy, Fields.Of()));
    }

    [Fact]
    public void Of_a_policy_that_has_changed_since_matches_nothing()
    {
        var before = new CachePolicy { Key = { Headers = ["A"] } };
        var after = new CachePolicy { Key = { Headers = ["A"], Cookies = ["b"] } };
        var request = Fields.Of("A: 1");

        Assert.False(Variance.Create(before, request, Fields.Of()).Matches(after, request));
        Assert.False(Variance.Create(after, request, Fields.Of()).Matches(before, request));
        Assert.False(Variance.None.Matches(after, request));
    }

    [Fact]
    public void Of_nothing_is_the_one_that_matches_everything_for_free()
    {
        var request = Fields.Of("Accept-Encoding: gzip", "Foo: 1");
        var variance = Variance.Create(Default, request, Fields.Of("Content-Type: text/plain"));

        Assert.Same(Variance.None, variance);
        Assert.Equal("", variance.SelectingKey(Default, request));
        Assert.Equal("", Variance.PolicyKey(Default, request));
        Assert.Equal(0, variance.ManagedBytes);
        Assert.Equal(0, Allocated(() => variance.Matches(Default, request)));
    }

    [Fact]
    public void Matching_allocates_nothing()
    {
        var stored = Fields.Of("Accept-Encoding: gzip, br", "Accept-Language: en, de", "Foo: 1, 2", "Cookie: a=1; b=2");
        var request = Fields.Of("Accept-Encoding: br, gzip", "Accept-Language: de, en", "Foo: 1,2", "Cookie: b=3; a=1");
        var policy = new CachePolicy { Key = { Cookies = ["a"] } };
        var variance = Variance.Create(policy, stored, Fields.Of("Vary: Accept-Encoding, Accept-Language, Foo"));

        Assert.True(variance.Matches(policy, request));
        Assert.Equal(0, Allocated(() => variance.Matches(policy, request)));
        Assert.InRange(variance.ManagedBytes, 100, 1000);
    }

    [Theory]
    [InlineData(true, "Foo", "Foo: 1", "Foo", "Foo: 1")]
    [InlineData(false, "Foo", "Foo: 1", "Foo", "Foo: 2")]
    [InlineData(true, "Foo", "Foo: 1", "", "")] // the newer one answers whatever Foo is
    [InlineData(false, "", "", "Foo", "Foo: 1")]
    [InlineData(true, "Foo, Bar", "Foo: 1|Bar: 2", "Foo", "Foo: 1")]
    [InlineData(false, "Foo, Bar", "Foo: 1|Bar: 2", "Foo", "Foo: 2")]
    [InlineData(true, "*", "", "Foo", "Foo: 2")]
    [InlineData(false, "Foo", "Foo: 1", "*", "Foo: 1")]
    [InlineData(true, "Accept-Encoding", "Accept-Encoding: gzip", "Accept-Encoding", "Accept-Encoding: gzip, br")]
    [InlineData(false, "Accept-Encoding", "Accept-Encoding: gzip, br", "Accept-Encoding", "Accept-Encoding: gzip")]
    [InlineData(false, "Accept-Encoding", "Accept-Encoding: gzip, br", "Accept-Encoding", "Accept-Encoding: *")]
    [InlineData(true, "Accept-Language", "Accept-Language: de", "Accept-Language", "Accept-Language: en, de")]
    [InlineData(false, "Accept-Language", "Accept-Language: fr", "Accept-Language", "Accept-Language: en, de")]
    [InlineData(true, "Accept-Language", "Accept-Language: de, en;q=0.5", "Accept-Language", "Accept-Language: fr")]
    public void Is_replaced_by_a_newer_one_that_answers_the_same(bool expected, string vary, string stored, string newerVary, string newerStored)
    {
        var older = Vary(vary, stored, "Content-Encoding: gzip", "Content-Language: de");
        var newer = Vary(newerVary, newerStored, "Content-Encoding: gzip", "Content-Language: de");

        Assert.Equal(expected, older.IsReplacedBy(newer));
    }

    [Fact]
    public void Is_not_replaced_where_the_origin_chose_otherwise()
    {
        var older = Vary("Accept-Encoding", "Accept-Encoding: gzip", "Content-Encoding: gzip");

        Assert.False(older.IsReplacedBy(Vary("Accept-Encoding", "Accept-Encoding: gzip, br", "Content-Encoding: br")));
        Assert.True(older.IsReplacedBy(Vary("Accept-Encoding", "Accept-Encoding: gzip"))); // the same request, now answered plainly
    }

    [Fact]
    public void Is_not_replaced_where_it_also_answers_who_asks_for_the_language_at_large()
    {
        var older = Vary("Accept-Language", "Accept-Language: de-at, de;q=0.5", "Content-Language: de-at");
        var atLarge = Fields.Of("Accept-Language: de");
        Assert.True(older.Matches(Default, atLarge));

        foreach (var (stored, replaces) in new[] { ("en", false), ("de-at", false), ("de-at, de;q=0.7, en;q=0.5", true) })
        {
            var newer = Vary("Accept-Language", "Accept-Language: " + stored, "Content-Language: de-at");
            Assert.Equal(replaces, older.IsReplacedBy(newer));
            Assert.Equal(replaces, newer.Matches(Default, atLarge));
        }
    }

    [Theory]
    [InlineData("Foo", true, "Foo: 1, 2", "Foo: 1|Foo: 2")]
    [InlineData("Foo", false, "Foo:", "")]
    [InlineData("Foo, Bar", false, "Foo: 1", "Bar: 1")]
    [InlineData("Foo, Bar", false, "Foo: 1\nfield bar=1:1", "Foo: 1|Bar: 1")]
    [InlineData("Accept-Encoding", true, "Accept-Encoding: gzip, br", "Accept-Encoding: br;q=0.5,gzip;q=0.5")]
    [InlineData("Accept-Encoding", false, "Accept-Encoding: gzip, br", "Accept-Encoding: gzip")]
    [InlineData("Accept-Encoding", false, "Accept-Encoding:", "")]
    [InlineData("Accept-Language", true, "Accept-Language: en, de", "Accept-Language: DE,EN")]
    public void Selecting_keys_are_equal_where_a_fill_may_be_shared(string vary, bool equal, string x, string y)
    {
        var variance = Vary(vary, x);

        Assert.Equal(equal, variance.SelectingKey(Default, Head(x)) == variance.SelectingKey(Default, Head(y)));
    }

    [Fact]
    public void Selecting_key_doesnt_depend_on_the_order_of_Vary()
    {
        var request = Fields.Of("Foo: 1", "Bar: 2");

        Assert.Equal(Vary("Foo, Bar", "").SelectingKey(Default, request), Vary("bar,foo", "").SelectingKey(Default, request));
    }

    [Fact]
    public void Every_request_matches_what_was_stored_for_it_and_equal_keys_match_each_other()
    {
        var policy = new CachePolicy { Key = { Cookies = ["a"], Headers = ["X"] } };
        var value = Gen.OneOf(
            Gen.String,
            Gen.String[Gen.Char["abx=; ,\"\\q0.5*-"], 0, 12],
            Gen.OneOfConst("gzip", "br, gzip", "gzip;q=0.5, br", "*", "identity;q=0", "en, de;q=0.3", "de", "a=1; b", "a=2"));
        var lines = value.Array[0, 2];
        var request = Gen.Select(lines, lines, lines, lines).Select(static l => (IHeaderDictionary)new HeaderDictionary
        {
            ["Accept-Encoding"] = l.Item1,
            ["Accept-Language"] = l.Item2,
            ["Cookie"] = l.Item3,
            ["X"] = l.Item4,
        });
        Gen.Select(request, request, value, value).Sample((x, y, encoding, language) =>
        {
            var response = new HeaderDictionary
            {
                ["Vary"] = "Accept-Encoding, Accept-Language, Cookie, X",
                ["Content-Encoding"] = encoding,
                ["Content-Language"] = language,
            };
            var ofX = Variance.Create(policy, x, response);
            var ofY = Variance.Create(policy, y, response);

            Assert.True(ofX.Matches(policy, x));
            Assert.True(ofX.IsReplacedBy(ofX));
            if (ofX.SelectingKey(policy, x) == ofX.SelectingKey(policy, y))
            {
                Assert.True(ofX.Matches(policy, y));
                Assert.True(ofX.IsReplacedBy(ofY));
            }
        });
    }

    [Fact]
    public void What_is_replaced_answers_no_request_that_its_replacement_doesnt()
    {
        var codings = Gen.OneOfConst("gzip", "br", "zstd", "identity", "deflate")
            .SelectMany(c => Gen.OneOfConst("", ";q=0", ";q=0.5", ";q=0.7").Select(q => c + q)).Array[0, 4].Select(a => string.Join(',', a));
        var languages = Gen.OneOfConst("en", "de", "de-at", "fr", "*")
            .SelectMany(c => Gen.OneOfConst("", ";q=0", ";q=0.5", ";q=0.7").Select(q => c + q)).Array[0, 4].Select(a => string.Join(',', a));
        var request = Gen.Select(codings, languages).Select(static v => Fields.Of("Accept-Encoding: " + v.Item1, "Accept-Language: " + v.Item2));
        var response = Gen.Select(Gen.OneOfConst("gzip", "br", "identity"), Gen.OneOfConst("en", "de", "de-at"))
            .Select(static v => Fields.Of("Vary: Accept-Encoding, Accept-Language", "Content-Encoding: " + v.Item1, "Content-Language: " + v.Item2));
        Gen.Select(request, response, request, response, request).Sample((olderRequest, olderResponse, newerRequest, newerResponse, later) =>
        {
            var older = Variance.Create(Default, olderRequest, olderResponse);
            var newer = Variance.Create(Default, newerRequest, newerResponse);
            var answeredAlike = olderResponse.ContentEncoding == newerResponse.ContentEncoding && olderResponse.ContentLanguage == newerResponse.ContentLanguage;
            if (answeredAlike && older.IsReplacedBy(newer) && older.Matches(Default, later))
                Assert.True(newer.Matches(Default, later));
        }, iter: 20_000);
    }

    [Fact]
    public void No_request_gets_a_coding_or_language_that_it_doesnt_accept()
    {
        string[] codings = ["gzip", "br", "identity"];
        string[] tags = ["en", "de", "fr"];
        var weights = Gen.Int[-1, 2].Array[3];
        Gen.Select(weights, weights, weights, weights, Gen.Select(Gen.Int[0, 2], Gen.Int[0, 2])).Sample((storedCodings, storedTags, askedCodings, askedTags, chosen) =>
        {
            var variance = Variance.Create(
                Default,
                Fields.Of("Accept-Encoding: " + List(codings, storedCodings), "Accept-Language: " + List(tags, storedTags)),
                Fields.Of("Vary: Accept-Encoding, Accept-Language", "Content-Encoding: " + codings[chosen.Item1], "Content-Language: " + tags[chosen.Item2]));
            if (!variance.Matches(Default, Fields.Of("Accept-Encoding: " + List(codings, askedCodings), "Accept-Language: " + List(tags, askedTags))))
                return;

            // Where the request asks the same as the stored one did, an origin's odd answer is its own affair.
            if (!Alike(Implied(storedCodings), Implied(askedCodings)))
                Assert.True(askedCodings[chosen.Item1] > 0 || (codings[chosen.Item1] == "identity" && askedCodings[chosen.Item1] < 0));
            if (!Alike(storedTags, askedTags))
                Assert.True(askedTags[chosen.Item2] > 0);
        }, iter: 20_000);

        // Unnamed, identity is acceptable, but less than anything that's named.
        static int[] Implied(int[] weights) => [.. weights.Select(static w => w * 10).SkipLast(1), weights[2] < 0 ? 1 : weights[2] * 10];

        static bool Alike(int[] x, int[] y)
        {
            if (x.SequenceEqual(y))
                return true;
            for (var i = 0; i < x.Length; i++)
            {
                if (x[i] > 0 != y[i] > 0)
                    return false;
                for (var j = 0; j < i; j++)
                {
                    if (x[i] > 0 && x[j] > 0 && x[i].CompareTo(x[j]) != y[i].CompareTo(y[j]))
                        return false;
                }
            }

            return true;
        }

        static string List(string[] names, int[] weights) =>
            string.Join(", ", names.Zip(weights).Where(static n => n.Second >= 0).Select(static n => n.Second == 2 ? n.First : $"{n.First};q=0.{n.Second * 5}"));
    }

    private static Variance Vary(string vary, string request, params string[] response)
    {
        var head = Fields.Of(response);
        if (vary.Length != 0)
            head.Vary = vary.Split('|');
        return Variance.Create(Default, Head(request), head);
    }

    private static IHeaderDictionary Head(string lines) => Fields.Of(lines.Split('|', StringSplitOptions.RemoveEmptyEntries));

    private static IHeaderDictionary AcceptEncoding(string? value) => value is null ? Fields.Of() : Fields.Of("Accept-Encoding: " + value);

    private static IHeaderDictionary AcceptLanguage(string? value) => value is null ? Fields.Of() : Fields.Of("Accept-Language: " + value);

    private static long Allocated(Func<bool> action)
    {
        action();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            action();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
