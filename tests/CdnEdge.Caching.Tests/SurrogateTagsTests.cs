using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching.Tests;

public class SurrogateTagsTests
{
    [Fact]
    public void Tags_come_from_both_fields_each_once()
    {
        var tags = Of(new() { ["Surrogate-Key"] = "a  b\tc a", ["Cache-Tag"] = new StringValues(["d e, f,", " ,b"]) });

        Assert.Equal(["a", "b\tc", "d e", "f", "b"], tags.Tags);
        Assert.Empty(tags.Groups);
    }

    [Fact]
    public void Groups_are_a_list_of_strings()
    {
        Assert.Equal(["one", "two \"2\""], Of(new() { ["Cache-Groups"] = new StringValues(["\"one\";x=1", "\"two \\\"2\\\"\", \"one\""]) }).Groups);
    }

    [Theory]
    [InlineData("one")]
    [InlineData("\"one\", 2")]
    [InlineData("\"one\",")]
    [InlineData("(\"one\")")]
    public void What_is_no_such_list_is_ignored(string field) => Assert.Same(SurrogateTags.None, Of(new() { ["Cache-Groups"] = field }));

    [Fact]
    public void Neither_is_nothing() => Assert.Same(SurrogateTags.None, Of(new() { ["Surrogate-Key"] = "  ", ["Cache-Tag"] = "," }));

    [Fact]
    public void Which_fields_there_are_is_the_policys_affair()
    {
        var tags = Of(new() { ["Surrogate-Key"] = "a", ["X-Tags"] = "b,c" }, new CachePolicy { TagFields = ["X-Tags"] });

        Assert.Equal(["b", "c"], tags.Tags);
    }

    [Fact]
    public void More_than_can_be_meant_are_not_kept()
    {
        var tags = Of(new() { ["Cache-Tag"] = string.Join(',', Enumerable.Range(0, 2 * SurrogateTags.MaxCount).Append(0)) + "," + new string('x', SurrogateTags.MaxLength + 1) });

        Assert.Equal(SurrogateTags.MaxCount, tags.Tags.Length);
    }

    [Fact]
    public void A_validation_replaces_those_that_it_names_and_keeps_the_others()
    {
        var stored = SurrogateTags.Of(["a"], ["g"]);
        var policy = new CachePolicy();

        Assert.Same(stored, stored.FreshenedBy(new HeaderDictionary(), policy));
        var freshened = stored.FreshenedBy(new HeaderDictionary { ["Cache-Tag"] = "b" }, policy);
        Assert.Equal((["b"], ["g"]), (freshened.Tags, freshened.Groups), (x, y) => x.Tags.SequenceEqual(y.Tags) && x.Groups.SequenceEqual(y.Groups));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_fields_are_stored_for_clients_only_if_they_are_to_have_them(bool strip)
    {
        var policy = new CachePolicy { StripTagFields = strip };
        var response = new HeaderDictionary { ["Cache-Tag"] = "a", ["Cache-Control"] = "max-age=60" };
        var directives = ResponseDirectives.Parse(response, policy);
        var freshness = Freshness.Of(200, response, directives, policy, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch);

        var head = StoredHead.Create(200, response, new HeaderDictionary(), directives, freshness, policy);

        Assert.Equal(["a"], head.Tags.Tags);
        Assert.Equal(!strip, head.Fields.Any(field => field.Name == "Cache-Tag"));
    }

    private static SurrogateTags Of(HeaderDictionary headers, CachePolicy? policy = null) => SurrogateTags.Of(headers, policy ?? new CachePolicy());
}
