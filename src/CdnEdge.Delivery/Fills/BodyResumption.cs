using CdnEdge.Storage;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Fills;

/// <summary>
/// Goes on with a body of which the second tier gave only the beginning: upstream is asked for the whole, and as far as it says
/// the same, byte for byte, the readers get on. No validator promises as much.
/// </summary>
internal sealed class BodyResumption(Fill fill, long length) : IResponseSink
{
    private readonly GrowingBody _body = fill.Body!;
    private CapturedResponse? _response;
    private long _compared;
    private bool _differs;

    /// <summary>The body is whole: upstream's is the same.</summary>
    internal bool IsWhole => !_differs && _body.Length == length;

    public ValueTask OnHeadAsync(CapturedResponse response, bool bodyFollows)
    {
        _response = response;
        if (response.StatusCode != StatusCodes.Status200OK || (response.Headers.ContentLength is { } promised && promised != length))
        {
            GiveUp();
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask OnBodyAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        if (_differs)
        {
            return ValueTask.CompletedTask;
        }

        while (!bytes.IsEmpty && _compared < _body.Length)
        {
            var known = _body.Read(_compared, bytes.Length).Span;
            if (!known.SequenceEqual(bytes.Span[..known.Length]))
            {
                GiveUp();
                return ValueTask.CompletedTask;
            }

            _compared += known.Length;
            bytes = bytes[known.Length..];
        }

        if (bytes.IsEmpty)
        {
            return ValueTask.CompletedTask;
        }

        if (_body.Length + bytes.Length > length)
        {
            GiveUp();
            return ValueTask.CompletedTask;
        }

        fill.Append(bytes.Span);
        _compared = _body.Length;

        // Of the last byte the readers hear when the whole is in memory.
        return _body.Length < length ? fill.PublishBytesAsync(cancellation) : ValueTask.CompletedTask;
    }

    private void GiveUp()
    {
        _differs = true;
        _response!.Abort();
    }
}
