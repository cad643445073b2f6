namespace CdnEdge.Caching;

/// <summary>
/// Compares names of query parameters as an origin decodes them (<c>%75</c> is <c>u</c>, <c>+</c> a space), so that
/// another spelling can't pass a parameter by the policy. Nothing is decoded into memory.
/// </summary>
internal static class PercentEncoding
{
    private const int End = -1;

    /// <summary>Whether <paramref name="raw"/> decodes to exactly <paramref name="name"/> (UTF-8).</summary>
    internal static bool DecodedEquals(ReadOnlySpan<char> raw, ReadOnlySpan<byte> name) =>
        TryMatchPrefix(raw, name, out var position) && position == raw.Length;

    /// <summary>Whether <paramref name="raw"/> decodes to something that starts with <paramref name="prefix"/> (UTF-8).</summary>
    internal static bool DecodedStartsWith(ReadOnlySpan<char> raw, ReadOnlySpan<byte> prefix) => TryMatchPrefix(raw, prefix, out _);

    /// <summary>Orders by the decoded octets.</summary>
    internal static int CompareDecoded(ReadOnlySpan<char> x, ReadOnlySpan<char> y)
    {
        var (i, j) = (0, 0);
        while (true)
        {
            var a = Next(x, ref i);
            var b = Next(y, ref j);
            if (a != b)
                return a.CompareTo(b);
            if (a == End)
                return 0;
        }
    }

    private static bool TryMatchPrefix(ReadOnlySpan<char> raw, ReadOnlySpan<byte> prefix, out int position)
    {
        position = 0;
        foreach (var expected in prefix)
        {
            if (Next(raw, ref position) != expected)
                return false;
        }

        return true;
    }

    /// <summary>The next decoded octet; a percent sign that begins no triplet stands for itself.</summary>
    private static int Next(ReadOnlySpan<char> raw, ref int position)
    {
        if (position >= raw.Length)
            return End;

        var c = raw[position];
        if (c == '%' && position + 2 < raw.Length
            && char.IsAsciiHexDigit(raw[position + 1]) && char.IsAsciiHexDigit(raw[position + 2]))
        {
            Span<byte> octet = stackalloc byte[1];
            Convert.FromHexString(raw.Slice(position + 1, 2), octet, out _, out _);
            position += 3;
            return octet[0];
        }

        position++;
        return c == '+' ? ' ' : c;
    }
}
