using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace CdnEdge.Delivery.Guard;

/// <summary>
/// Walks over the frames that a client of HTTP/2 sends (RFC 9113 §4.1), by their heads alone and wherever reads cut them, and counts
/// requests, resets, and frames that are neither one of these nor part of a body.
/// </summary>
internal struct Http2FrameScan
{
    private const int HeadLength = 9;
    private const byte Data = 0;
    private const byte Headers = 1;
    private const byte RstStream = 3;
    private const byte EndStream = 1;
    private const int PrefaceLength = 24;

    private HeadBytes _head;
    private int _headLength;
    private long _skip;

    public Http2FrameScan() => _skip = PrefaceLength;

    /// <summary>HEADERS frames seen in the last piece.</summary>
    internal int Requests { get; private set; }

    /// <summary>RST_STREAM frames seen in it.</summary>
    internal int Resets { get; private set; }

    /// <summary>Other frames seen in it, but for DATA with content.</summary>
    internal int Overhead { get; private set; }

    /// <summary>Goes on with the next piece of the stream.</summary>
    internal void Scan(in ReadOnlySequence<byte> bytes)
    {
        (Requests, Resets, Overhead) = (0, 0, 0);
        foreach (var segment in bytes)
        {
            Scan(segment.Span);
        }
    }

    private void Scan(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_skip > 0)
            {
                var skipped = (int)Math.Min(_skip, bytes.Length);
                _skip -= skipped;
                bytes = bytes[skipped..];
                continue;
            }

            if (_headLength == 0 && bytes.Length >= HeadLength)
            {
                Take(bytes);
                bytes = bytes[HeadLength..];
                continue;
            }

            _head[_headLength++] = bytes[0];
            bytes = bytes[1..];
            if (_headLength == HeadLength)
            {
                _headLength = 0;
                Take(_head);
            }
        }
    }

    private void Take(ReadOnlySpan<byte> head)
    {
        var length = BinaryPrimitives.ReadUInt16BigEndian(head) << 8 | head[2];
        _skip = length;
        switch (head[3])
        {
            case Headers when length > 0:
                Requests++;
                break;

            case RstStream:
                Resets++;
                break;

            case Data when length > 0 || (head[4] & EndStream) != 0:
                break;

            default:
                Overhead++;
                break;
        }
    }

    [InlineArray(HeadLength)]
    private struct HeadBytes
    {
        private byte _first;
    }
}
