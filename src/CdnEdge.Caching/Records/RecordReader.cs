using System.Buffers.Binary;
using System.Text;

namespace CdnEdge.Caching;

/// <summary>
/// Reads what <see cref="RecordWriter"/> wrote, from bytes that may be anybody's: what isn't there reads as zero, and from then
/// on the whole is spoilt (<see cref="IsGood"/>). Never throws, and never makes more than the bytes at hand account for.
/// </summary>
internal ref struct RecordReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;
    private bool _isSpoilt;

    /// <summary>Whether all that was read so far was there and made sense.</summary>
    internal readonly bool IsGood => !_isSpoilt;

    /// <summary>Good, and nothing is left.</summary>
    internal readonly bool IsAtEnd => !_isSpoilt && _rest.IsEmpty;

    /// <summary>Says that what was read makes no sense.</summary>
    internal void Spoil() => _isSpoilt = true;

    internal byte Byte() => Bytes(1) is [var value] ? value : default;

    /// <summary>0 or 1.</summary>
    internal bool Flag()
    {
        var value = Byte();
        if (value > 1)
            Spoil();
        return value == 1;
    }

    internal int Int32() => Bytes(4) is { Length: 4 } four ? BinaryPrimitives.ReadInt32LittleEndian(four) : 0;

    internal long Int64() => Bytes(8) is { Length: 8 } eight ? BinaryPrimitives.ReadInt64LittleEndian(eight) : 0;

    internal long? Optional() => Flag() ? Int64() : null;

    /// <summary>A number from 0 to <paramref name="max"/>.</summary>
    internal long Within(long max)
    {
        var value = Int64();
        if (value >= 0 && value <= max)
            return value;
        Spoil();
        return 0;
    }

    /// <summary>The number of things that follow, each of at least <paramref name="leastBytes"/>.</summary>
    internal int Count(int leastBytes)
    {
        var count = Int32();
        if (!_isSpoilt && count >= 0 && count <= _rest.Length / leastBytes)
            return count;
        Spoil();
        return 0;
    }

    internal ReadOnlySpan<byte> Bytes(int count)
    {
        if (_isSpoilt || (uint)count > (uint)_rest.Length)
        {
            Spoil();
            return default;
        }

        var bytes = _rest[..count];
        _rest = _rest[count..];
        return bytes;
    }

    /// <summary>All that is left.</summary>
    internal ReadOnlySpan<byte> Rest() => Bytes(_rest.Length);

    internal string Text()
    {
        var header = Int32();
        if (header < 0)
            Spoil();
        var length = header >> 1;
        if ((header & 1) == 0)
            return Encoding.Latin1.GetString(Bytes(length));
        if (length > _rest.Length / 2)
            Spoil();
        return _isSpoilt ? "" : string.Create(length, Bytes(length * 2), static (text, from) =>
        {
            for (var i = 0; i < text.Length; i++)
                text[i] = (char)BinaryPrimitives.ReadUInt16LittleEndian(from[(2 * i)..]);
        });
    }

    internal string? OptionalText() => Flag() ? Text() : null;

    internal string[] Texts(int most)
    {
        var count = Count(leastBytes: 4);
        if (count > most)
            Spoil();
        if (_isSpoilt || count == 0)
            return [];
        var texts = new string[count];
        for (var i = 0; i < count; i++)
            texts[i] = Text();
        return texts;
    }
}
