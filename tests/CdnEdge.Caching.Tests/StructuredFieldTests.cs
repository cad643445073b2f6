using System.Text;
using CsCheck;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching.Tests;

public class StructuredFieldTests
{
    private static bool IsDictionary(params string[] lines) => StructuredField.TryParseDictionary(lines, out _);

    [Theory]
    [InlineData("a=1", SfKind.Integer, 1L, null)]
    [InlineData("a=-15", SfKind.Integer, -15L, null)]
    [InlineData("a=999999999999999", SfKind.Integer, 999999999999999L, null)]
    [InlineData("a=1.5", SfKind.Decimal, 1500L, null)]
    [InlineData("a=-1.005", SfKind.Decimal, -1005L, null)]
    [InlineData("a=\"x \\\"y\\\\\"", SfKind.String, 0L, "x \"y\\")]
    [InlineData("a=to:k/en*", SfKind.Token, 0L, "to:k/en*")]
    [InlineData("a=:aGk=:", SfKind.ByteSequence, 0L, "aGk=")]
    [InlineData("a", SfKind.Boolean, 1L, null)]
    [InlineData("a=?0", SfKind.Boolean, 0L, null)]
    [InlineData("a;p;q=1", SfKind.Boolean, 1L, null)]
    [InlineData("a=2; p=\"x\";q", SfKind.Integer, 2L, null)]
    [InlineData("a=@1659578233", SfKind.Date, 1659578233L, null)]
    [InlineData("a=%\"f%c3%bc\"", SfKind.DisplayString, 0L, "fü")]
    [InlineData("a=(1 \"b\";c d)", SfKind.InnerList, 3L, null)]
    [InlineData("a=( )", SfKind.InnerList, 0L, null)]
    [InlineData("a=1, b , a=2", SfKind.Integer, 2L, null)]
    [InlineData("  a=1  ", SfKind.Integer, 1L, null)]
    public void A_member_has_its_type_and_value(string text, object kind, long number, string? value)
    {
        Assert.True(StructuredField.TryParseDictionary(text, out var members));
        Assert.Equal(new SfItem((SfKind)kind, number, value), members["a"]);
    }

    [Theory]
    [InlineData("A=1")]
    [InlineData("a=1,")]
    [InlineData(",a=1")]
    [InlineData("a=1,,b")]
    [InlineData("a =1")]
    [InlineData("a= 1")]
    [InlineData("a=")]
    [InlineData("a b")]
    [InlineData("a=1, &&&&&")]
    [InlineData("a=1000000000000000")]
    [InlineData("a=1.")]
    [InlineData("a=1.2345")]
    [InlineData("a=1234567890123.1")]
    [InlineData("a=--1")]
    [InlineData("a=-")]
    [InlineData("a=.5")]
    [InlineData("a=\"x")]
    [InlineData("a=\"\\x\"")]
    [InlineData("a=\"ü\"")]
    [InlineData("a=?2")]
    [InlineData("a=:a b:")]
    [InlineData("a=:a")]
    [InlineData("a=(1")]
    [InlineData("a=(1,2)")]
    [InlineData("a=(1\t2)")]
    [InlineData("a;")]
    [InlineData("a;P")]
    [InlineData("a;p=")]
    [InlineData("a=@1.5")]
    [InlineData("a=%\"%C3%BC\"")]
    [InlineData("a=%\"%c3\"")]
    [InlineData("a=%\"%c\"")]
    [InlineData("a=1\n")]
    public void Any_deviation_fails(string text) => Assert.False(IsDictionary(text));

    [Fact]
    public void Lines_are_one_dictionary()
    {
        Assert.True(StructuredField.TryParseDictionary(new StringValues(["a=1", "", "b=2", "a=3"]), out var members));
        Assert.Equal((3, 2), (members["a"].Number, members["b"].Number));
    }

    [Theory]
    [InlineData("?1", true)]
    [InlineData("?1;a=b", true)]
    [InlineData("?0", false)]
    [InlineData("1", false)]
    [InlineData("?1, ?1", false)]
    [InlineData("", false)]
    public void An_item_stands_alone(string text, bool isTrue) =>
        Assert.Equal(isTrue, StructuredField.TryParseItem(text, out var item) && item.IsTrue);

    [Theory]
    [InlineData("CdnEdge", "CdnEdge")]
    [InlineData("edge-1.example.org", "edge-1.example.org")]
    [InlineData("1edge", "\"1edge\"")]
    [InlineData("an \"edge\"", "\"an \\\"edge\\\"\"")]
    [InlineData("", "\"\"")]
    [InlineData("kö\r\nln", "\"k???ln\"")]
    public void Texts_are_tokens_where_they_can_be(string text, string expected)
    {
        var target = new StringBuilder();
        StructuredField.AppendTokenOrString(target, text);
        Assert.Equal(expected, target.ToString());
    }

    [Fact]
    public void What_is_written_is_read_back() =>
        Gen.String[Gen.Char[' ', '~']].Sample(text =>
        {
            var target = new StringBuilder();
            StructuredField.AppendTokenOrString(target, text);
            Assert.True(StructuredField.TryParseItem(target.ToString(), out var item));
            Assert.Equal(text, item.Text);
        });

    [Fact]
    public void The_last_of_equal_members_counts() =>
        Gen.Select(Gen.String[Gen.Char["ab"], 1, 1], Gen.Int[-1000, 1000]).Array[1, 8].Sample(pairs =>
        {
            Assert.True(StructuredField.TryParseDictionary(string.Join(", ", pairs.Select(p => $"{p.Item1}={p.Item2}")), out var members));
            foreach (var group in pairs.GroupBy(p => p.Item1))
                Assert.Equal(group.Last().Item2, members[group.Key].Number);
        });

    [Fact]
    public void No_text_makes_it_throw() =>
        Gen.OneOf(Gen.String, Gen.String[Gen.Char["ab=;,()\"\\?01.-:@%cf* \t"], 0, 40])
            .Sample(text => IsDictionary(text) || true);
}
