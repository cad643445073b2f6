using System.Buffers.Text;
using System.Text;

namespace CdnEdge.Upstream.Interim;

/// <summary>
/// Finds the interim responses in the bytes that come before a final response, however they are cut into reads.
/// It only watches: whether a head is well-formed is for SocketsHttpHandler to say, which gets the same bytes.
/// </summary>
internal sealed class InterimHeadParser
{
    /// <summary>Bytes of one interim head above which it's no longer watched; SocketsHttpHandler's own limit is 64 KiB.</summary>
    public const int MaxHeadBytes = 64 * 1024;

    // "HTTP/1.1 103"
    private const int StatusEnd = 12;

    private byte[] _head = [];
    private int _count;

    /// <summary>Forgets a head begun.</summary>
    public void Reset() => _count = 0;

    /// <summary>
    /// Takes the next bytes. Found interim heads are appended to <paramref name="found"/> (created when there's the
    /// first). False: a final head has begun (or something that is no HTTP/1 head), and nothing more is to be watched.
    /// </summary>
    public bool Advance(ReadOnlySpan<byte> bytes, ref List<InterimHead>? found)
    {
        while (!bytes.IsEmpty)
        {
            // The usual case, decided by one look: the final head in one read.
            if (_count == 0 && bytes.Length >= StatusEnd && !IsInterim(bytes)) return false;

            var before = _count;
            var taken = TakeToEndOfHead(bytes, out var complete);
            if (before + taken > MaxHeadBytes) return Stop();

            Append(bytes[..taken]);
            bytes = bytes[taken..];
            if (_count >= StatusEnd && !IsInterim(_head)) return Stop();
            if (_count < StatusEnd && !CouldBeInterim(_head.AsSpan(0, _count))) return Stop();
            if (!complete) continue;

            if (InterimHead.TryParse(_head.AsSpan(0, _count), out var head)) (found ??= []).Add(head);
            _count = 0;
        }

        return true;
    }

    private bool Stop()
    {
        _count = 0;
        // An oversized head isn't kept with the connection.
        if (_head.Length > 4096) _head = [];
        return false;
    }

    // 1xx, but for 101: that is the final response on this connection as HTTP.
    private static bool IsInterim(ReadOnlySpan<byte> head) =>
        CouldBeInterim(head[..StatusEnd]) && Utf8Parser.TryParse(head[9..StatusEnd], out int status, out var length)
        && length == 3 && status is >= 100 and < 200 and not 101;

    private static bool CouldBeInterim(ReadOnlySpan<byte> start)
    {
        var pattern = "HTTP/1.x 1"u8;
        for (var i = 0; i < Math.Min(start.Length, pattern.Length); i++)
        {
            if (i == 7 ? !char.IsAsciiDigit((char)start[i]) : start[i] != pattern[i]) return false;
        }

        return true;
    }

    /// <summary>
    /// How many of the bytes belong to the head under way. An empty line ends it; like SocketsHttpHandler this takes a
    /// bare LF for a line's end (RFC 9112 §2.2).
    /// </summary>
    private int TakeToEndOfHead(ReadOnlySpan<byte> bytes, out bool complete)
    {
        complete = false;
        var at = 0;
        while (at < bytes.Length)
        {
            var lf = bytes[at..].IndexOf((byte)'\n');
            if (lf < 0) return bytes.Length;

            at += lf + 1;
            if (LineIsEmptyBefore(bytes, at - 1))
            {
                complete = true;
                return at;
            }
        }

        return at;
    }

    // Whether the LF at this place ends an empty line: LF LF or LF CR LF, looking back into what was kept.
    private bool LineIsEmptyBefore(ReadOnlySpan<byte> bytes, int lf)
    {
        var previous = lf - 1;
        if (ByteAt(bytes, previous) == '\r') previous--;
        return ByteAt(bytes, previous) == '\n';
    }

    private int ByteAt(ReadOnlySpan<byte> bytes, int index) =>
        index >= 0 ? bytes[index] : _count + index >= 0 ? _head[_count + index] : -1;

    private void Append(ReadOnlySpan<byte> bytes)
    {
        if (_head.Length < _count + bytes.Length)
            Array.Resize(ref _head, Math.Min(MaxHeadBytes, Math.Max(512, Math.Max(_head.Length * 2, _count + bytes.Length))));
        bytes.CopyTo(_head.AsSpan(_count));
        _count += bytes.Length;
    }
}

/// <summary>An interim response.</summary>
/// <param name="Status">100 to 199, but not 101.</param>
/// <param name="Fields">Its fields, in order.</param>
internal readonly record struct InterimHead(int Status, IReadOnlyList<KeyValuePair<string, string>> Fields)
{
    /// <summary>
    /// Reads a whole head, up to its empty line. Lines that are no fields (without a name, or folded) are left out.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> head, out InterimHead parsed)
    {
        parsed = default;
        if (head.Length < 12 || !Utf8Parser.TryParse(head[9..12], out int status, out var length) || length != 3) return false;

        var fields = new List<KeyValuePair<string, string>>();
        var first = true;
        while (!head.IsEmpty)
        {
            var lf = head.IndexOf((byte)'\n');
            var line = (lf < 0 ? head : head[..lf]).TrimEnd((byte)'\r');
            head = lf < 0 ? default : head[(lf + 1)..];
            var colon = line.IndexOf((byte)':');
            if (!first && colon > 0 && line[0] is not ((byte)' ' or (byte)'\t'))
            {
                fields.Add(new(
                    Encoding.Latin1.GetString(line[..colon]),
                    Encoding.Latin1.GetString(line[(colon + 1)..].Trim(" \t"u8))));
            }

            first = false;
        }

        parsed = new InterimHead(status, fields);
        return true;
    }
}
