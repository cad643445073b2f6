using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>
/// Walks the members of Accept-Encoding or Accept-Language: a value and its weight (RFC 9110 §12.4.2), over any number of
/// lines, without allocating. Stops at the first member that is neither; <see cref="IsMalformed"/> tells.
/// </summary>
internal ref struct WeightedList(StringValues lines)
{
    /// <summary>Weight of a member that has none: weights are thousandths.</summary>
    internal const int FullWeight = 1000;

    private int _next;

    /// <summary>Index of the line that the current member is on.</summary>
    internal int Line { get; private set; }

    /// <summary>Where in its line the current member's value begins.</summary>
    internal int Start { get; private set; }

    internal ReadOnlySpan<char> Value { get; private set; }

    /// <summary>0 (not acceptable) to 1000.</summary>
    internal int Weight { get; private set; }

    internal bool IsMalformed { get; private set; }

    internal bool MoveNext()
    {
        while (Line < lines.Count && !IsMalformed)
        {
            var line = lines[Line].AsSpan();
            while (_next < line.Length && line[_next] is ' ' or '\t' or ',')
                _next++;
            if (_next == line.Length)
            {
                (Line, _next) = (Line + 1, 0);
                continue;
            }

            var length = line[_next..].IndexOf(',');
            var member = length < 0 ? line[_next..] : line.Slice(_next, length);
            var semicolon = member.IndexOf(';');
            Start = _next;
            Value = (semicolon < 0 ? member : member[..semicolon]).TrimEnd(" \t");
            _next += member.Length;

            var weight = FullWeight;
            IsMalformed = Value.IsEmpty
                || Value.ContainsAny(" \t\"")
                || (semicolon >= 0 && !TryParseWeight(member[(semicolon + 1)..].Trim(" \t"), out weight));
            Weight = weight;
            return !IsMalformed;
        }

        return false;
    }

    /// <summary><c>q=0.8</c>: 0 or 1 with at most three decimals, never above 1.</summary>
    private static bool TryParseWeight(ReadOnlySpan<char> parameter, out int weight)
    {
        weight = 0;
        if (parameter.Length < 3 || (parameter[0] | 0x20) != 'q' || parameter[1] != '=')
            return false;

        var digits = parameter[2..];
        if (digits.Length > 5 || digits[0] is not ('0' or '1') || (digits.Length > 1 && digits[1] != '.'))
            return false;

        weight = (digits[0] - '0') * FullWeight;
        var scale = FullWeight / 10;
        for (var i = 2; i < digits.Length; i++, scale /= 10)
        {
            if (!char.IsAsciiDigit(digits[i]))
                return false;
            weight += (digits[i] - '0') * scale;
        }

        return weight <= FullWeight;
    }
}
