using System.Globalization;
using System.Text;

namespace CdnEdge.EndToEnd.Tests.Harness;

/// <summary>
/// Reads HTTP/1.1 off a connection, byte by byte where it must and believing nothing: a test wants to see what is
/// really on the wire, broken transfers included, which an ordinary client would hide.
/// </summary>
internal sealed class HttpReader(Stream stream)
{
    private readonly byte[] _buffer = new byte[16 * 1024];
    private int _start;
    private int _end;

    /// <summary>The lines up to the empty one. Null: the connection ended before the first byte.</summary>
    /// <exception cref="EndOfStreamException">It ended within the head.</exception>
    internal async Task<List<string>?> ReadHead()
    {
        var lines = new List<string>();
        while (true)
        {
            var line = await ReadLine(atStart: lines.Count == 0);
            if (line is null)
                return null;
            if (line.Length == 0)
                return lines;
            lines.Add(line);
        }
    }

    /// <summary>What has arrived, at most <paramref name="most"/> bytes; empty at the end of the connection.</summary>
    internal async Task<ReadOnlyMemory<byte>> ReadSome(long most)
    {
        if (most == 0 || (_start == _end && !await Fill()))
            return default;
        var count = (int)Math.Min(most, _end - _start);
        var piece = _buffer.AsMemory(_start, count).ToArray();
        _start += count;
        return piece;
    }

    /// <summary>What stood behind the size of the last chunk that was read.</summary>
    internal string ChunkExtension { get; private set; } = "";

    /// <summary>The size of the next chunk and, at the last one (0), the trailers behind it.</summary>
    /// <exception cref="EndOfStreamException">The connection ended first.</exception>
    internal async Task<(long Size, List<string> Trailers)> ReadChunkHead()
    {
        var line = await ReadLine() ?? throw new EndOfStreamException();
        var extension = line.IndexOf(';', StringComparison.Ordinal);
        ChunkExtension = extension < 0 ? "" : line[extension..];
        var size = long.Parse(extension < 0 ? line : line[..extension], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        return (size, size == 0 ? await ReadHead() ?? throw new EndOfStreamException() : []);
    }

    /// <summary>The line break behind a chunk.</summary>
    internal async Task ReadChunkEnd()
    {
        if (await ReadLine() is not "")
            throw new EndOfStreamException();
    }

    private async Task<string?> ReadLine(bool atStart = false)
    {
        var line = new StringBuilder();
        while (true)
        {
            if (_start == _end && !await Fill())
                return atStart && line.Length == 0 ? null : throw new EndOfStreamException();
            var octet = (char)_buffer[_start++];
            if (octet == '\n')
                return line.Length > 0 && line[^1] == '\r' ? line.ToString(0, line.Length - 1) : line.ToString();
            line.Append(octet);
        }
    }

    private async Task<bool> Fill()
    {
        _start = 0;
        _end = await stream.ReadAsync(_buffer);
        return _end > 0;
    }
}
