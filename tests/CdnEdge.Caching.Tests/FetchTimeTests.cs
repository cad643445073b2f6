using CsCheck;

namespace CdnEdge.Caching.Tests;

/// <summary>How long ago the origin was asked: what a purge is compared with, and no age of HTTP's.</summary>
public class FetchTimeTests
{
    private static readonly CachePolicy Policy = new();

    private static Freshness Of(double requested, double came, double fetchedAgo = 0, params string[] lines)
    {
        var headers = Given.Headers(["Cache-Control: max-age=9999", .. lines]);
        return Freshness.Of(
            200, headers, ResponseDirectives.Parse(headers, Policy), Policy,
            Given.Now.AddSeconds(requested), Given.Now.AddSeconds(came), TimeSpan.FromSeconds(fetchedAgo));
    }

    [Theory]
    [InlineData(0, 2, 0, 2, 2)]
    [InlineData(0, 2, 0, 12, 12)]
    [InlineData(0, 2, 30, 12, 42)]
    [InlineData(0, 2, 0, -5, 2)] // the clock was set back
    [InlineData(2, 0, 0, 0, 0)]
    [InlineData(0, 2, -9, 2, 2)]
    public void It_counts_from_the_request(double requested, double came, double fetchedAgo, double now, double expected) =>
        Assert.Equal(expected, Of(requested, came, fetchedAgo).FetchedAgo(Given.Now.AddSeconds(now)).TotalSeconds);

    [Fact]
    public void Neither_Age_nor_Date_has_a_say() =>
        Assert.Equal(12, Of(0, 2, 0, "Age: 500", "Date: " + Given.Date(-900)).FetchedAgo(Given.Now.AddSeconds(12)).TotalSeconds);

    [Fact]
    public void Of_two_together_the_older_counts() => Gen.Select(Gen.Int[0, 100], Gen.Int[0, 100], Gen.Int[0, 100], Gen.Int[0, 100]).Sample((a, waitedA, b, waitedB) =>
    {
        var (one, other) = (Of(a, a + waitedA), Of(b, b + waitedB));
        var now = Given.Now.AddSeconds(1000);
        var older = one.FetchedAgo(now) > other.FetchedAgo(now) ? one.FetchedAgo(now) : other.FetchedAgo(now);
        return one.FetchedWith(other).FetchedAgo(now) == older && other.FetchedWith(one).FetchedAgo(now) == older;
    });

    [Fact]
    public void A_validation_begins_it_anew()
    {
        var stored = Given.Stored("Cache-Control: max-age=10", "ETag: \"e\"");
        var freshened = stored.Freshen(Given.Headers("ETag: \"e\""), Policy, Given.Now.AddSeconds(50), Given.Now.AddSeconds(52), TimeSpan.FromSeconds(7));
        Assert.Equal(60, stored.Freshness.FetchedAgo(Given.Now.AddSeconds(60)).TotalSeconds);
        Assert.Equal(17, freshened.Freshness.FetchedAgo(Given.Now.AddSeconds(60)).TotalSeconds);
    }

    [Fact]
    public void A_soft_purge_changes_nothing_of_it()
    {
        var stored = Given.Stored("Cache-Control: max-age=10");
        var now = Given.Now.AddSeconds(5);
        Assert.Equal(5, stored.StaleSince(now).Freshness.FetchedAgo(now).TotalSeconds);
    }

    [Fact]
    public void What_ends_here_is_stored_apart_and_follows_validations()
    {
        var stored = Given.Stored("Cache-Control: max-age=10", "CdnEdge-CDN-Cache-Control: max-age=20", "Surrogate-Key: a b", "Cache-Tag: c", "X: y");
        var freshened = stored.Freshen(Given.Headers("Surrogate-Key: d"), Policy, Given.Now, Given.Now);

        Assert.Equal(["Cache-Tag", "CdnEdge-CDN-Cache-Control", "Surrogate-Key"], stored.Withheld.Select(static field => field.Name).Order(StringComparer.Ordinal));
        Assert.DoesNotContain(stored.Fields, field => stored.Withheld.Contains(field));
        Assert.Equal("d", StoredFields.Single(freshened.Withheld, "Surrogate-Key"));
        Assert.Equal("c", StoredFields.Single(freshened.Withheld, "Cache-Tag"));
        Assert.Equal(20, freshened.Freshness.Lifetime.TotalSeconds);
        Assert.True(Given.Stored("Surrogate-Key: " + new string('a', 1000)).ManagedBytes > Given.Stored("Surrogate-Key: a").ManagedBytes + 3000);
    }
}
