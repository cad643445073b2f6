using System.Globalization;
using CsCheck;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching.Tests;

public class HttpDateTests
{
    [Theory]
    [InlineData("Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z")]
    [InlineData("Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z")]
    [InlineData("Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37Z")]
    [InlineData("Thu Aug 18 02:01:18 2050", "2050-08-18T02:01:18Z")]
    [InlineData("THU, 18 Aug 2050 02:01:18 GMT", "2050-08-18T02:01:18Z")]
    [InlineData("Thu, 18 AUG 2050 02:01:18 gMT", "2050-08-18T02:01:18Z")]
    [InlineData(" Sun, 21 Nov 2286 04:46:39 GMT ", "2286-11-21T04:46:39Z")]
    [InlineData("Sat, 31 Dec 2016 23:59:60 GMT", "2017-01-01T00:00:00Z")]
    [InlineData("Mon, 29 Feb 2016 00:00:00 GMT", "2016-02-29T00:00:00Z")]
    public void Reads_the_three_formats_in_any_letter_case(string text, string expected)
    {
        Assert.True(HttpDate.TryParse(text.AsSpan(), Given.Now, out var date));
        Assert.Equal(DateTimeOffset.Parse(expected, CultureInfo.InvariantCulture), date);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("now")]
    [InlineData("Thu, 18 Aug 2050 02:01:18 UTC")]
    [InlineData("Thu, 18 Aug 2050 02:01:18 AEST")]
    [InlineData("Thu, 18 Aug 2050 02:01:18")]
    [InlineData("Thu, 18 Aug 50 02:01:18 GMT")]
    [InlineData("Thu 18 Aug 2050 02:01:18 GMT")]
    [InlineData("Thu, 18  Aug  2050 02:01:18 GMT")]
    [InlineData("Thu, 18-Aug-2050 02:01:18 GMT")]
    [InlineData("Thu, 18 Aug 2050 02.01.18 GMT")]
    [InlineData("Thu, 18 Aug 2050 2:01:18 GMT")]
    [InlineData("Thu, 18 Aug 2050 24:01:18 GMT")]
    [InlineData("Thu, 18 Aug 2050 02:60:18 GMT")]
    [InlineData("Thu, 18 Aug 2050 02:01:61 GMT")]
    [InlineData("Thu, 30 Feb 2050 02:01:18 GMT")]
    [InlineData("Thu, 00 Aug 2050 02:01:18 GMT")]
    [InlineData("Thu, 18 Foo 2050 02:01:18 GMT")]
    [InlineData("Foo, 18 Aug 2050 02:01:18 GMT")]
    [InlineData("Thu, 18 Aug 0000 02:01:18 GMT")]
    [InlineData("Fri, 31 Dec 9999 23:59:60 GMT")]
    [InlineData("Thu Aug 8 02:01:18 2050")]
    [InlineData("Thursday, 18 Aug 2050 02:01:18 GMT")]
    public void Takes_nothing_else(string text) =>
        Assert.False(HttpDate.TryParse(text.AsSpan(), Given.Now, out _));

    [Theory]
    [InlineData("Thursday, 18-Aug-50 02:01:18 GMT", 2050)]
    [InlineData("Thursday, 18-Aug-76 02:01:18 GMT", 2076)]
    [InlineData("Thursday, 18-Aug-77 02:01:18 GMT", 1977)]
    [InlineData("Thursday, 18-Aug-99 02:01:18 GMT", 1999)]
    public void A_two_digit_year_is_at_most_fifty_years_ahead(string text, int year)
    {
        Assert.True(HttpDate.TryParse(text.AsSpan(), Given.Now, out var date));
        Assert.Equal(year, date.Year);
    }

    [Fact]
    public void Several_lines_are_no_date() =>
        Assert.False(HttpDate.TryParse(new StringValues([Given.Date(), Given.Date()]), Given.Now, out _));

    [Fact]
    public void What_dotnet_writes_is_read_back() =>
        Gen.DateTimeOffset.Sample(any =>
        {
            var second = new DateTimeOffset(any.UtcTicks - any.UtcTicks % TimeSpan.TicksPerSecond, TimeSpan.Zero);
            Assert.True(HttpDate.TryParse(second.UtcDateTime.ToString("R").AsSpan(), Given.Now, out var date));
            Assert.Equal(second, date);
        });

    [Fact]
    public void No_text_makes_it_throw() =>
        Gen.OneOf(Gen.String, Gen.String[Gen.Char["SunMothue, 0123456789:-GMT"], 0, 40])
            .Sample(text => HttpDate.TryParse(text.AsSpan(), Given.Now, out _) || true);
}
