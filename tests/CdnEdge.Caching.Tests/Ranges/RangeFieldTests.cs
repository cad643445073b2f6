using System.Globalization;
using CsCheck;

namespace CdnEdge.Caching.Tests.Ranges;

public class RangeFieldTests
{
    [Theory]
    [InlineData("bytes=0-0", true)]
    [InlineData("bytes=0-0,1-1", true)]
    [InlineData("bytes=5-6,0-4", true)]
    [InlineData("bytes=0-0,-1", true)]
    [InlineData("bytes=0-0,5-", true)]
    [InlineData("bytes=0-9223372036854775807", true)]
    [InlineData("bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,30-30", true)]
    [InlineData("bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,30-30,32-32", false)]
    [InlineData("bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,30-30,-1", false)]
    [InlineData("bytes=0-1,1-2", false)]
    [InlineData("bytes=0-99999999999999999999,5-5", false)]
    [InlineData("bytes=0-,1-", false)]
    [InlineData("bytes=-1,-1", false)]
    [InlineData("bytes=0-,-1", false)]
    [InlineData("bytes=1-0", false)]
    [InlineData("bytes=", false)]
    [InlineData("bytes", false)]
    [InlineData("seconds=1-2,1-2", true)]
    public void Is_modest_where_no_byte_is_asked_for_twice(string range, bool expected) => Assert.Equal(expected, RangeField.IsModest(range));

    [Fact]
    public void On_two_lines_it_is_none_and_not_modest() => Assert.False(RangeField.IsModest(new Microsoft.Extensions.Primitives.StringValues(["bytes=0-0", "bytes=1-1"])));

    [Theory]
    [InlineData("bytes=0-1", "0-1")]
    [InlineData("bytes=1-", "1-9")]
    [InlineData("bytes=-1", "9-9")]
    [InlineData("bytes=-5", "5-9")]
    [InlineData("bytes=-50", "0-9")]
    [InlineData("bytes=0-99", "0-9")]
    [InlineData("bytes=9-9", "9-9")]
    [InlineData("BYTES=0-0", "0-0")]
    [InlineData(" bytes=0-0 ", "0-0")]
    [InlineData("bytes= 0-0 , 5-6", "0-0,5-6")]
    [InlineData("bytes=,0-0,,5-6,", "0-0,5-6")]
    [InlineData("bytes=5-6,0-0", "0-0,5-6")] // sorted
    [InlineData("bytes=0-3,2-5", "0-5")] // overlapping
    [InlineData("bytes=0-3,4-5", "0-5")] // adjacent
    [InlineData("bytes=0-9,2-3,1-8", "0-9")]
    [InlineData("bytes=0-0,20-30", "0-0")] // past the end
    [InlineData("bytes=-0,0-0", "0-0")]
    [InlineData("bytes=0-99999999999999999999999", "0-9")]
    [InlineData("bytes=-99999999999999999999999", "0-9")]
    [InlineData("bytes=0-9223372036854775807", "0-9")]
    [InlineData("bytes=0-0,99999999999999999999999-", "0-0")]
    public void Is_satisfied(string range, string expected)
    {
        Assert.Equal(RangeOutcome.Satisfiable, RangeField.Resolve(range, 10, out var ranges));
        Assert.Equal(expected, string.Join(',', ranges.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Offset}-{r.End - 1}"))));
    }

    [Theory]
    [InlineData("bytes=10-")]
    [InlineData("bytes=10-20")]
    [InlineData("bytes=-0")]
    [InlineData("bytes=-0,10-,20-30")]
    [InlineData("bytes=9223372036854775807-9223372036854775807")]
    [InlineData("bytes=99999999999999999999999-")]
    public void Is_unsatisfiable(string range)
    {
        Assert.Equal(RangeOutcome.Unsatisfiable, RangeField.Resolve(range, 10, out var ranges));
        Assert.Empty(ranges);
    }

    [Theory]
    [InlineData("")]
    [InlineData("bytes")]
    [InlineData("bytes=")]
    [InlineData("bytes=,")]
    [InlineData("bytes=-")]
    [InlineData("bytes=1")]
    [InlineData("bytes=2-1")]
    [InlineData("bytes=0-0,2-1")]
    [InlineData("bytes=0-0,x")]
    [InlineData("bytes=+1-2")]
    [InlineData("bytes=--1")]
    [InlineData("bytes=1-2-3")]
    [InlineData("bytes=1 - 2")]
    [InlineData("bytes =0-1")]
    [InlineData("bytes=٠-١")] // digits, but not HTTP's
    [InlineData("items=0-1")]
    [InlineData("bytes:0-1")]
    public void Is_ignored(string range) => Assert.Equal(RangeOutcome.Ignore, RangeField.Resolve(range, 10, out _));

    [Fact]
    public void Is_ignored_when_absent_or_on_two_lines()
    {
        Assert.Equal(RangeOutcome.Ignore, RangeField.Resolve(default, 10, out _));
        Assert.Equal(RangeOutcome.Ignore, RangeField.Resolve(new[] { "bytes=0-1", "bytes=2-3" }, 10, out _));
    }

    [Theory]
    [InlineData("bytes=0-")]
    [InlineData("bytes=-1")]
    [InlineData("bytes=5-6")]
    public void Is_ignored_for_an_empty_representation(string range) => Assert.Equal(RangeOutcome.Ignore, RangeField.Resolve(range, 0, out _));

    [Theory]
    [InlineData(RangeField.MaxRanges, true)]
    [InlineData(RangeField.MaxRanges + 1, false)]
    public void Of_many_ranges_is_ignored(int count, bool honoured)
    {
        var range = "bytes=" + string.Join(',', Enumerable.Range(0, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"{i * 10}-{i * 10 + 1}")));

        Assert.Equal(honoured, RangeField.Resolve(range, 1000, out var ranges) == RangeOutcome.Satisfiable);
        Assert.Equal(honoured ? count : 0, ranges.Length);
    }

    [Theory]
    [InlineData("bytes=0-1", 0L, 1L)]
    [InlineData("Bytes=5-", 5L, null)]
    [InlineData("bytes=-7", null, 7L)]
    public void Single_range_is_parsed_without_a_length(string range, long? first, long? last)
    {
        Assert.True(RangeField.TryParseSingle(range, out var f, out var l));
        Assert.Equal((first, last), (f, l));
    }

    [Theory]
    [InlineData("bytes=0-1,2-3")]
    [InlineData("bytes=-0")]
    [InlineData("bytes=2-1")]
    [InlineData("bytes=-")]
    [InlineData("bytes=0-99999999999999999999999")]
    [InlineData("items=0-1")]
    [InlineData("")]
    public void Anything_else_is_no_single_range(string range) => Assert.False(RangeField.TryParseSingle(range, out _, out _));

    [Fact]
    public void Agrees_with_marking_each_byte()
    {
        var spec = Gen.Select(Gen.Int[-1, 25], Gen.Int[-1, 25]).Where(s => s.Item1 >= 0 || s.Item2 >= 0);
        Gen.Select(spec.Array[1, 6], Gen.Int[1, 20]).Sample((specs, length) =>
        {
            var invalid = specs.Any(s => s.Item1 >= 0 && s.Item2 >= 0 && s.Item1 > s.Item2);
            var wanted = new bool[length];
            for (var i = 0; i < length; i++)
                wanted[i] = specs.Any(s => s.Item1 < 0 ? i >= length - s.Item2 : i >= s.Item1 && (s.Item2 < 0 || i <= s.Item2));

            var outcome = RangeField.Resolve("bytes=" + string.Join(", ", specs.Select(s => Number(s.Item1) + "-" + Number(s.Item2))), length, out var ranges);

            Assert.Equal(invalid ? RangeOutcome.Ignore : wanted.Contains(true) ? RangeOutcome.Satisfiable : RangeOutcome.Unsatisfiable, outcome);
            if (outcome != RangeOutcome.Satisfiable)
                return;
            var got = new bool[length];
            var end = -1L;
            foreach (var range in ranges)
            {
                Assert.True(range.Offset > end && range.Length > 0 && range.End <= length);
                got.AsSpan((int)range.Offset, (int)range.Length).Fill(true);
                end = range.End;
            }

            Assert.Equal(wanted, got);
        });
    }

    [Fact]
    public void Nothing_that_a_client_writes_throws()
    {
        var anything = Gen.OneOf(Gen.String, Gen.String[Gen.Char["bytes=0123456789-, \t"], 0, 40].Select(s => "bytes=" + s));
        Gen.Select(anything, Gen.Long[0, long.MaxValue]).Sample((range, length) =>
        {
            _ = RangeField.TryParseSingle(range, out _, out _);
            _ = ContentRange.TryParse(range, out _);
            RangeField.Resolve(range, length, out var ranges);
            Assert.All(ranges, r => Assert.True(r.Offset >= 0 && r.Length > 0 && r.End <= length));
        });
    }

    private static string Number(int value) => value < 0 ? "" : value.ToString(CultureInfo.InvariantCulture);
}
