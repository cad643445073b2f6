using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using CdnEdge.Caching;
using StackExchange.Redis;

namespace CdnEdge.Storage.Redis;

/// <summary>
/// The names of what is stored of a URL. A hash stands in them, not the URL; in braces, so that a cluster keeps all of a URL in
/// one slot.
/// </summary>
internal readonly struct RedisNames
{
    private readonly string _base;
    private readonly CacheKey _key;

    internal RedisNames(string prefix, CacheKey key)
    {
        _key = key;
        _base = $"{prefix}:{{{Base64Url.EncodeToString(SHA256.HashData(key.Bytes))}}}";
    }

    /// <summary>The response where nothing varies, else what it varies by.</summary>
    internal RedisKey Resource => _base;

    /// <param name="varyId">The object id of the record that says what it varies by. With that record all its variants are out of reach, for good.</param>
    /// <param name="selecting">The selecting key.</param>
    internal RedisKey Variant(ReadOnlySpan<byte> varyId, string selecting) => $"{_base}:v:{Base64Url.EncodeToString(varyId)}:{HashOf(selecting)}";

    internal RedisKey Chunk(ReadOnlySpan<byte> objectId, int index) =>
        string.Create(CultureInfo.InvariantCulture, $"{_base}:c:{Base64Url.EncodeToString(objectId)}:{index}");

    internal RedisKey Lease(string selecting) => $"{_base}:l:{HashOf(selecting)}";

    /// <summary>Where a value belongs, exactly: what a hash only stands for.</summary>
    /// <param name="selecting">Of a variant and its chunks; else empty.</param>
    /// <param name="length">Of the body that a chunk is of; else -1.</param>
    internal byte[] Place(string selecting, long length)
    {
        var text = MemoryMarshal.AsBytes(selecting.AsSpan());
        var place = new byte[4 + _key.Bytes.Length + 4 + text.Length + 8];
        BinaryPrimitives.WriteInt32LittleEndian(place, _key.Bytes.Length);
        _key.Bytes.CopyTo(place.AsSpan(4));
        var rest = place.AsSpan(4 + _key.Bytes.Length);
        BinaryPrimitives.WriteInt32LittleEndian(rest, text.Length);
        text.CopyTo(rest[4..]);
        BinaryPrimitives.WriteInt64LittleEndian(rest[(4 + text.Length)..], length);
        return place;
    }

    private static string HashOf(string text) => Base64Url.EncodeToString(SHA256.HashData(MemoryMarshal.AsBytes(text.AsSpan())).AsSpan(0, 16));
}
