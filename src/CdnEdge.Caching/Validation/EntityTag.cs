namespace CdnEdge.Caching;

/// <summary>An entity tag (RFC 9110 §8.8.3).</summary>
/// <param name="Text">The field's value as received, for If-None-Match.</param>
/// <param name="IsWeak">Whether it's marked <c>W/</c>.</param>
internal readonly record struct EntityTag(string Text, bool IsWeak)
{
    /// <summary>Parses one entity-tag; an unquoted one is kept as weak-compare-only text (seen in the wild).</summary>
    internal static bool TryParse(ReadOnlySpan<char> text, out EntityTag tag) => throw new NotImplementedException();
    internal bool StrongEquals(in EntityTag other) => throw new NotImplementedException();
    internal bool WeakEquals(in EntityTag other) => throw new NotImplementedException();
}
