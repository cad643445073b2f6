using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>The Age field of a received response (RFC 9111 §5.1).</summary>
internal static class AgeField
{
    /// <summary>
    /// Seconds. Of a list or of several lines the first member counts; one that isn't a number is ignored, so counts as
    /// zero; one that is too large is very old (§1.2.2). What follows a semicolon is skipped rather than making the whole
    /// invalid: the larger age is the safer reading.
    /// </summary>
    internal static long Parse(StringValues lines)
    {
        if (lines.Count == 0)
            return 0;
        var text = lines[0].AsSpan();
        var end = text.IndexOfAny(',', ';');
        return DeltaSeconds.TryParse((end < 0 ? text : text[..end]).Trim(" \t"), out var seconds) ? seconds : 0;
    }
}
