using System.Buffers;
using System.Buffers.Binary;

namespace CdnEdge.Caching;

/// <summary>Writes what <see cref="RecordReader"/> reads: little-endian numbers, counted texts and bytes. Not a format for the wire.</summary>
internal readonly struct RecordWriter(IBufferWriter<byte> output)
{
    internal void Byte(byte value) => Bytes([value]);

    internal void Int32(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(output.GetSpan(4), value);
        output.Advance(4);
    }

    internal void Int64(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(output.GetSpan(8), value);
        output.Advance(8);
    }

    internal void Optional(long? value)
    {
        Byte(value is null ? (byte)0 : (byte)1);
        if (value is { } number)
            Int64(number);
    }

    internal void Bytes(ReadOnlySpan<byte> bytes) => output.Write(bytes);

    /// <summary>
    /// A byte for each character while all fit, as those of fields do (a server reads them as Latin-1), else UTF-16: never
    /// UTF-8, which can't hold every string.
    /// </summary>
    internal void Text(string text)
    {
        var isWide = text.AsSpan().ContainsAnyExceptInRange('\0', '\xFF');
        Int32(text.Length << 1 | (isWide ? 1 : 0));
        var space = output.GetSpan(text.Length * 2);
        for (var i = 0; i < text.Length; i++)
        {
            if (isWide)
                BinaryPrimitives.WriteUInt16LittleEndian(space[(2 * i)..], text[i]);
            else
                space[i] = (byte)text[i];
        }

        output.Advance(isWide ? text.Length * 2 : text.Length);
    }

    internal void OptionalText(string? text)
    {
        Byte(text is null ? (byte)0 : (byte)1);
        if (text is not null)
            Text(text);
    }

    internal void Texts(IReadOnlyList<string> texts)
    {
        Int32(texts.Count);
        for (var i = 0; i < texts.Count; i++)
            Text(texts[i]);
    }
}
