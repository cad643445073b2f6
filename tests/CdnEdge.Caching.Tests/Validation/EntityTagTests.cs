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
}
