using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>Dates of HTTP (RFC 9110 §5.6.7): IMF-fixdate, RFC 850 and asctime.</summary>
internal static class HttpDate
{
    /// <summary>Parses one date; two-digit years are taken to be at most 50 years after <paramref name="now"/>.</summary>
    internal static bool TryParse(ReadOnlySpan<char> text, DateTimeOffset now, out DateTimeOffset date) => throw new NotImplementedException();

    /// <summary>Parses a singleton field: more than one line is no date.</summary>
    internal static bool TryParse(StringValues lines, DateTimeOffset now, out DateTimeOffset date) => throw new NotImplementedException();
}
