using System.Buffers;
using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Caching;

/// <summary>A key composed on the stack, to look one up without allocating; <see cref="ToKey"/> makes it permanent.</summary>
/// <remarks>
/// <para>The path is PathBase and Path as ASP.NET decoded them, in UTF-8, or escaped where that would be ambiguous (see
/// <see cref="EscapedPath"/>). YARP re-encodes exactly that for the origin, so two spellings of a path share a key only
/// where the origin can't tell them apart either.</para>
/// <para>The query is kept as sent, its <c>?</c> included: <c>/a</c> and <c>/a?</c> are different URLs (RFC 3986 §6.2.3)
/// and the origin sees the difference, so under <see cref="QueryKeyMode.All"/> they're different keys. In the other modes
/// a query of which nothing is left is the same as none.</para>
/// </remarks>
internal ref struct KeyComposer
{
    private static readonly long Seed = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long)));

    private Span<byte> _buffer;
    private byte[]? _rented;
    private int _length;

    /// <summary>Seeded per process (hash flooding).</summary>
    internal UInt128 Hash { get; private set; }

    /// <summary>The exact bytes; valid until <see cref="Dispose"/>.</summary>
    internal readonly ReadOnlySpan<byte> Bytes => _buffer[.._length];

    /// <summary>Composes into <paramref name="scratch"/>, renting where it's too small; <see cref="Dispose"/> returns it.</summary>
    internal static KeyComposer Compose(CachePolicy policy, HostString host, PathString pathBase, PathString path, QueryString query, Span<byte> scratch)
    {
        var key = new KeyComposer { _buffer = scratch };
        var plan = policy.Key.Plan;

        // 1. The authority, in its canonical form, or that of the host whose cache it shares.
        key.AppendHost(host.Value, plan);

        // 2. The path.
        key.Append(CacheKey.Separator);
        key.Append(pathBase.Value);
        key.Append(path.Value);

        // 3. What the policy leaves of the query.
        key.Append(CacheKey.Separator);
        if (plan.KeepsQueryAsSent)
            key.Append(query.Value);
        else if (!plan.IgnoresQuery)
            QueryComposition.Append(ref key, query.Value, plan);

        key.Hash = XxHash128.HashToUInt128(key.Bytes, Seed);
        return key;
    }

    /// <summary>The query as the key has it: for the origin, which then sees nothing that the key doesn't.</summary>
    internal static QueryString QueryOf(KeyPlan plan, QueryString query)
    {
        if (plan.IgnoresQuery)
            return QueryString.Empty;

        var key = new KeyComposer { _buffer = stackalloc byte[512] };
        QueryComposition.Append(ref key, query.Value, plan);
        var composed = new QueryString(Encoding.UTF8.GetString(key.Bytes));
        key.Dispose();
        return composed;
    }

    /// <summary>Makes it permanent: the one allocation.</summary>
    internal readonly CacheKey ToKey() => new(Bytes, Hash);

    /// <summary>Returns what was rented. The bytes are gone afterwards.</summary>
    internal void Dispose()
    {
        if (_rented is not null)
            ArrayPool<byte>.Shared.Return(_rented);
        this = default;
    }

    /// <summary>Appends as UTF-8; lone surrogates become U+FFFD, as they do on the way to the origin.</summary>
    internal void Append(scoped ReadOnlySpan<char> text)
    {
        int written;
        while (Utf8.FromUtf16(text, _buffer[_length..], out _, out written) == OperationStatus.DestinationTooSmall)
            Ensure(Encoding.UTF8.GetMaxByteCount(text.Length));
        _length += written;
    }

    internal void Append(byte value)
    {
        Ensure(1);
        _buffer[_length++] = value;
    }

    private void Append(scoped ReadOnlySpan<byte> bytes)
    {
        Ensure(bytes.Length);
        bytes.CopyTo(_buffer[_length..]);
        _length += bytes.Length;
    }

    private void AppendHost(ReadOnlySpan<char> host, KeyPlan plan)
    {
        CanonicalHost.Split(host, out var name, out var port);
        Append(name);
        Ascii.ToLowerInPlace(_buffer[.._length], out _);
        if (!port.IsEmpty)
        {
            Append((byte)':');
            Append(port);
        }

        if (plan.TryGetCanonicalHost(Bytes, out var canonical))
        {
            _length = 0;
            Append(canonical);
        }
    }

    private void Ensure(int more)
    {
        if (_buffer.Length - _length >= more)
            return;

        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_length + more, _buffer.Length * 2));
        Bytes.CopyTo(larger);
        if (_rented is not null)
            ArrayPool<byte>.Shared.Return(_rented);
        _buffer = _rented = larger;
    }
}
