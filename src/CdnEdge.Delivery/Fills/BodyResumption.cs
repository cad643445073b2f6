using CdnEdge.Caching;
using CdnEdge.Storage;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Fills;

/// <summary>
/// Goes on with a body that broke off, for readers who have its beginning: with the rest of it, where a strong validator says that
/// it's of the same response (RFC 9110 §13.1.5, §14.2); where the whole comes, with what follows as far as it says the same, byte for byte.
/// </summary>
/// <param name="fill">The fill, its head published.</param>
/// <param name="length">How long the whole is; null: not known yet.</param>
/// <param name="validator">The strong validator of what broke off; null: it has none.</param>
/// <param name="maxBytes">The most that the body may come to.</param>
internal sealed class BodyResumption(Fill fill, long? length, EntityTag? validator, long maxBytes) : IResponseSink
{
    private readonly GrowingBody _body = fill.Body!;
    private CapturedResponse? _response;
    private long _compared;
    private bool _differs;

    /// <summary>The length of the whole, as far as it's known by now.</summary>
    internal long? Length { get; private set; } = length;

    /// <summary>The body is whole.</summary>
    internal bool IsWhole => !_differs && _body.Length == Length;

    /// <summary>It's another response by now, or none: asking once more is of no use.</summary>
    internal bool IsHopeless => _differs;

    /// <summary>The validator of a response that may be resumed with a part; null: of one that may not.</summary>
    internal static EntityTag? ValidatorOf(FillHead head)
    {
        if (head.Status != StatusCodes.Status200OK)
            return null;
        if (head.Stored is { ETag: var stored })
            return stored is { IsWeak: false } ? stored : null;
        return head.Headers.ETag.Count == 1 && EntityTag.TryParse(head.Headers.ETag.ToString(), out var tag) && !tag.IsWeak ? tag : null;
    }

    public ValueTask OnHeadAsync(CapturedResponse response, bool bodyFollows)
    {
        _response = response;
        if (!(response.StatusCode == StatusCodes.Status206PartialContent ? TakesPart(response.Headers) : TakesWhole(response)))
            GiveUp();
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

        if (_body.Length + bytes.Length > (Length ?? maxBytes))
        {
            GiveUp();
            return ValueTask.CompletedTask;
        }

        fill.Append(bytes.Span);
        _compared = _body.Length;

        // Of the last byte the readers hear when the whole is in memory.
        return _body.Length == Length ? ValueTask.CompletedTask : fill.PublishBytesAsync(cancellation);
    }

    /// <summary>After an answer of unknown length that came to its end: that is where it ends.</summary>
    internal void EndHere() => Length ??= _compared;

    private bool TakesPart(IHeaderDictionary headers)
    {
        if (validator is null
            || headers.ETag.Count != 1 || !EntityTag.TryParse(headers.ETag.ToString(), out var tag) || !tag.StrongEquals(validator.Value)
            || !ContentRange.TryParse(headers.ContentRange, out var part)
            || part.Range.Offset != _body.Length
            || part.CompleteLength is not { } complete || part.Range.End != complete
            || (Length is { } promised && promised != complete)
            || complete > maxBytes)
        {
            return false;
        }

        Length = complete;
        _compared = _body.Length;
        return true;
    }

    private bool TakesWhole(CapturedResponse response)
    {
        // A body that is read through a window has let go of its beginning: nothing is left to compare with.
        if (response.StatusCode != StatusCodes.Status200OK || fill.Head is { Stored: null })
            return false;
        if (response.Headers.ContentLength is not { } whole)
            return true;
        if (Length is { } promised && promised != whole)
            return false;
        Length = whole;
        return whole <= maxBytes;
    }

    private void GiveUp()
    {
        _differs = true;
        _response!.Abort();
    }
}
