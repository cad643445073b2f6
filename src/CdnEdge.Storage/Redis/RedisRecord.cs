using System.Buffers;
using CdnEdge.Caching;

namespace CdnEdge.Storage.Redis;

/// <summary>What the sealed values hold, by the kinds of their envelopes.</summary>
internal static class RedisRecord
{
    internal const byte Response = 1;
    internal const byte Vary = 2;
    internal const byte Chunk = 3;

    /// <summary>Bytes of a body in one value: Redis copies a value whole, and one thread serves everybody.</summary>
    internal const int ChunkBytes = 256 * 1024;

    /// <summary>A shorter body stands in the record itself, and is there with the first answer.</summary>
    internal const int InlineBytes = 64 * 1024;

    /// <summary>No longer body is ever written. Whoever claims one would have this node ask for chunks without end.</summary>
    internal const long MaxBytes = 512L * 1024 * 1024;

    internal static int ChunksOf(long length) => length <= InlineBytes ? 0 : (int)((length + ChunkBytes - 1) / ChunkBytes);

    /// <param name="length">Of the body; -1: none.</param>
    /// <param name="inline">The body, packed, where it stands in the record.</param>
    internal static byte[] Write(StoredHead head, long moment, long length, ReadOnlySpan<byte> inline)
    {
        var bytes = new ArrayBufferWriter<byte>(1024 + inline.Length);
        var to = new RecordWriter(bytes);
        to.Int64(moment);
        to.Int64(length);
        HeadRecord.Write(head, to);
        to.Bytes(inline);
        return bytes.WrittenSpan.ToArray();
    }

    /// <returns>Null: no record.</returns>
    internal static (StoredHead Head, long Moment, long Length, ReadOnlyMemory<byte> Inline)? Read(ReadOnlyMemory<byte> bytes)
    {
        var from = new RecordReader(bytes.Span);
        var moment = from.Int64();
        var length = from.Int64();
        if (length is < -1 or > MaxBytes)
            from.Spoil();
        var head = HeadRecord.Read(ref from);
        var rest = from.Rest().Length;
        if (head is null || !from.IsGood)
            return null;

        var packed = bytes[^rest..];
        if (length is < 0 or > InlineBytes)
            return rest == 0 ? (head, moment, length, default) : null;
        return Packing.TryUnpack(packed, (int)length, out var inline) ? (head, moment, length, inline) : null;
    }

    internal static byte[] WriteVary(SelectorName[] names)
    {
        var bytes = new ArrayBufferWriter<byte>(256);
        var to = new RecordWriter(bytes);
        to.Int32(names.Length);
        foreach (var name in names)
            name.Write(to);
        return bytes.WrittenSpan.ToArray();
    }

    /// <returns>Null: no such record.</returns>
    internal static SelectorName[]? ReadVary(ReadOnlySpan<byte> bytes)
    {
        var from = new RecordReader(bytes);
        var names = new SelectorName[from.Count(leastBytes: 5)];
        for (var i = 0; i < names.Length && from.IsGood; i++)
            names[i] = SelectorName.Read(ref from);
        return from.IsAtEnd ? names : null;
    }
}
