using Microsoft.AspNetCore.Http;

namespace CdnEdge.Caching;

/// <summary>
/// The primary cache key: canonical host, path and the query as the policy composes it; scheme-less, method-less.
/// Equality compares the exact bytes, the 128-bit hash only finds the bucket: a collision never serves another URL's body.
/// </summary>
internal sealed class CacheKey : IEquatable<CacheKey>
{
    /// <summary>Seeded per process (hash flooding).</summary>
    internal UInt128 Hash { get; }
    /// <summary>The exact bytes.</summary>
    internal ReadOnlySpan<byte> Bytes => throw new NotImplementedException();
    public bool Equals(CacheKey? other) => throw new NotImplementedException();
    public override bool Equals(object? obj) => Equals(obj as CacheKey);
    public override int GetHashCode() => throw new NotImplementedException();
    /// <summary>Host and target for people: <c>example.org/a?b=c</c>.</summary>
    public override string ToString() => throw new NotImplementedException();
    internal int ManagedBytes => throw new NotImplementedException();
}

/// <summary>A key composed on the stack, to look one up without allocating; <see cref="ToKey"/> makes it permanent.</summary>
internal ref struct KeyComposer
{
    /// <summary>Composes into <paramref name="scratch"/>, renting where it's too small; <see cref="Dispose"/> returns it.</summary>
    internal static KeyComposer Compose(CachePolicy policy, HostString host, PathString pathBase, PathString path, QueryString query, Span<byte> scratch) => throw new NotImplementedException();
    internal UInt128 Hash { get; }
    internal ReadOnlySpan<byte> Bytes => throw new NotImplementedException();
    internal CacheKey ToKey() => throw new NotImplementedException();
    internal void Dispose() => throw new NotImplementedException();
}
