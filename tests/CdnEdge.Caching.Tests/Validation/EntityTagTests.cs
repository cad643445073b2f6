using CsCheck;

namespace CdnEdge.Caching.Tests.Validation;

public class EntityTagTests
{
    [Theory]
    [InlineData("\"abc\"", false)]
    [InlineData("\"\"", false)]
    [InlineData("W/\"abc\"", true)]
    [InlineData("  \"abc\" ", false)]
    [InlineData("\"a,b\"", false)]
    [InlineData("\"a b\"", false)]
    [InlineData("\"abcdefü\"", false)]
    [InlineData("abc", true)]
    [InlineData("w/\"abc\"", true)]
    [InlineData("W\\\"abc\"", true)]
    public void Parses(string text, bool isWeak)
    {
        Assert.True(EntityTag.TryParse(text, out var tag));
        Assert.Equal(text.Trim(), tag.Text);
        Assert.Equal(isWeak, tag.IsWeak);
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("*")]
    [InlineData("\"")]
    [InlineData("\"abc")]
    [InlineData("\"a\"b\"")]
    [InlineData("W/\"abc")]
    [InlineData("\"a\", \"b\"")]
    [InlineData("a b")]
    [InlineData("\"a\nb\"")]
    public void Refuses_what_is_no_entity_tag(string text) => Assert.False(EntityTag.TryParse(text, out _));

    // The table of RFC 9110 §8.8.3.2, and what is seen in the wild.
    [Theory]
    [InlineData("W/\"1\"", "W/\"1\"", false, true)]
    [InlineData("W/\"1\"", "W/\"2\"", false, false)]
    [InlineData("W/\"1\"", "\"1\"", false, true)]
    [InlineData("\"1\"", "\"1\"", true, true)]
    [InlineData("1", "1", false, true)]
    [InlineData("1", "\"1\"", false, false)]
    public void Compares(string x, string y, bool strong, bool weak)
    {
        var (a, b) = (Tag(x), Tag(y));

        Assert.Equal(strong, a.StrongEquals(b));
        Assert.Equal(strong, b.StrongEquals(a));
        Assert.Equal(weak, a.WeakEquals(b));
        Assert.Equal(weak, b.WeakEquals(a));
    }

    [Fact]
    public void Any_text_is_parsed_or_refused_but_never_thrown_at() =>
        Gen.String.Sample(text =>
        {
            if (!EntityTag.TryParse(text, out var tag))
                return;
            Assert.True(tag.WeakEquals(tag));
            Assert.True(EntityTagList.Contains(tag.Text, tag, strong: false));
        });

    internal static EntityTag Tag(string text) => EntityTag.TryParse(text, out var tag) ? tag : throw new ArgumentException(text);

    [Theory]
    [InlineData("\"a\"", "br", "\"a-br\"")]
    [InlineData("W/\"a\"", "gzip", "W/\"a-gzip\"")]
    [InlineData("\"\"", "br", "\"-br\"")]
    [InlineData("a", "br", "a-br")] // unquoted, as seen in the wild
    [InlineData("\"a-br\"", "br", "\"a-br-br\"")] // an origin's own that looks like one of ours
    public void In_a_coding_it_is_another_tag_and_as_weak_as_before(string text, string coding, string expected)
    {
        Assert.True(EntityTag.TryParse(text, out var tag));

        var coded = tag.InCoding(coding);

        Assert.True(EntityTag.TryParse(expected, out var parsed));
        Assert.Equal(parsed, coded);
        Assert.True(tag.WeakEqualsInCoding(coded.Text, coding));
        Assert.True(tag.WeakEqualsInCoding("W/" + coded.Text, coding) || !coded.Text.StartsWith('"'));
        Assert.True(EntityTag.TryTakeOffCoding(coded.Text, coding, out var plain));
        Assert.Equal(text, plain);
    }

    [Theory]
    [InlineData("\"a\"")]
    [InlineData("\"a-gzip\"")]
    [InlineData("\"a_br\"")]
    [InlineData("\"b-br\"")]
    [InlineData("\"a-bx\"")]
    [InlineData("\"aa-br\"")]
    [InlineData("\"a-br\"x")]
    [InlineData("a-br")]
    [InlineData("")]
    public void Another_tag_is_not_equal_to_it(string text)
    {
        Assert.True(EntityTag.TryParse("\"a\"", out var tag));

        Assert.False(tag.WeakEqualsInCoding(text, "br"));
    }

    [Theory]
    [InlineData("\"a\"")]
    [InlineData("\"a-gzip\"")]
    [InlineData("\"abr\"")]
    [InlineData("\"br\"")]
    [InlineData("*")]
    [InlineData("")]
    [InlineData("\"")]
    public void What_is_not_in_the_coding_stays_as_it_is(string text)
    {
        Assert.False(EntityTag.TryTakeOffCoding(text, "br", out _));
    }
}
