namespace CdnEdge.Caching;

/// <summary>An entity tag (RFC 9110 §8.8.3).</summary>
/// <param name="Text">The field's value as received, for If-None-Match.</param>
/// <param name="IsWeak">Whether it's marked <c>W/</c>.</param>
internal readonly record struct EntityTag(string Text, bool IsWeak)
{
    /// <summary>
    /// Parses one entity-tag; an unquoted one is kept as weak-compare-only text (seen in the wild). A lone <c>*</c> is
    /// none: sent back in If-None-Match it would match anything.
    /// </summary>
    internal static bool TryParse(ReadOnlySpan<char> text, out EntityTag tag)
    {
        text = text.Trim(" \t");
        if (!IsWellFormed(text, out var isWeak))
        {
            tag = default;
            return false;
        }

        tag = new EntityTag(text.ToString(), isWeak);
        return true;
    }

    /// <summary>Strong comparison (RFC 9110 §8.8.3.2): both strong and identical.</summary>
    internal bool StrongEquals(in EntityTag other) =>
        !IsWeak && !other.IsWeak && string.Equals(Text, other.Text, StringComparison.Ordinal);

    /// <summary>Weak comparison (RFC 9110 §8.8.3.2): the opaque tags are identical.</summary>
    internal bool WeakEquals(in EntityTag other) => WeakEquals(other.Text);

    /// <summary>Strong comparison with an entity-tag that is still text.</summary>
    internal bool StrongEquals(ReadOnlySpan<char> other) => !IsWeak && other.SequenceEqual(Text);

    /// <summary>Weak comparison with an entity-tag that is still text.</summary>
    internal bool WeakEquals(ReadOnlySpan<char> other) => Opaque(Text).SequenceEqual(Opaque(other));

    /// <summary>
    /// The tag of the same representation in a content coding, which is another one (RFC 9110 §8.8.3.3): <c>"a"</c> in br is
    /// <c>"a-br"</c>; what is weak stays weak.
    /// </summary>
    internal EntityTag InCoding(string coding) =>
        this with { Text = Text.EndsWith('"') ? $"{Text.AsSpan(0, Text.Length - 1)}-{coding}\"" : $"{Text}-{coding}" };

    /// <summary>Weak comparison of <see cref="InCoding"/> with an entity-tag that is still text. Allocates nothing.</summary>
    internal bool WeakEqualsInCoding(ReadOnlySpan<char> other, string coding)
    {
        var plain = Opaque(Text);
        var quote = plain is [.., '"'] ? plain[^1..] : default;
        plain = plain[..^quote.Length];
        other = Opaque(other);
        return other.Length == plain.Length + 1 + coding.Length + quote.Length
            && other.StartsWith(plain)
            && other[plain.Length] == '-'
            && other[(plain.Length + 1)..].StartsWith(coding)
            && other.EndsWith(quote);
    }

    /// <summary>Whether text is a tag that <see cref="InCoding"/> may have made; then <paramref name="plain"/> is what it was made from.</summary>
    internal static bool TryTakeOffCoding(ReadOnlySpan<char> text, string coding, out string plain)
    {
        var quote = text is [.., '"'] ? "\"" : "";
        var tag = text[..^quote.Length];
        var isInCoding = tag.EndsWith(coding, StringComparison.Ordinal) && tag[..^coding.Length] is [.., '-'];
        plain = isInCoding ? $"{tag[..^(coding.Length + 1)]}{quote}" : "";
        return isInCoding;
    }

    /// <summary>The opaque-tag, quotes included: quoted and unquoted tags never compare equal.</summary>
    private static ReadOnlySpan<char> Opaque(ReadOnlySpan<char> text) =>
        text.StartsWith("W/\"", StringComparison.Ordinal) ? text[2..] : text;

    private static bool IsWellFormed(ReadOnlySpan<char> text, out bool isWeak)
    {
        isWeak = text.StartsWith("W/\"", StringComparison.Ordinal);
        var opaque = isWeak ? text[2..] : text;
        if (opaque is ['"', .. var quoted])
        {
            // A space isn't an etagc, but origins send it and comparison is by identity, so it does no harm.
            return quoted is [.. var inner, '"'] && !inner.Contains('"') && !ContainsControl(inner);
        }

        isWeak = true;
        return text.Length != 0 && text is not "*" && text.IndexOfAny(" \t,") < 0 && !ContainsControl(text);
    }

    private static bool ContainsControl(ReadOnlySpan<char> text) => text.IndexOfAnyInRange('\0', '\x1F') >= 0 || text.Contains('\x7F');
}
