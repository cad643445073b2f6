using CdnEdge.Caching;
using CdnEdge.Storage;

namespace CdnEdge.Delivery.Fills;

/// <summary>What a fill asks upstream for.</summary>
internal enum FillKind
{
    /// <summary>The whole response.</summary>
    Plain,

    /// <summary>The whole response, unless what is stored is still good (If-None-Match, If-Modified-Since).</summary>
    Revalidate,

    /// <summary>The one range that is missing of a response stored in parts.</summary>
    Complete,

    /// <summary>The rest of a body that broke off, if the response is still the same (If-Range), else the whole.</summary>
    Resume,
}

/// <summary>What a fill looks for in the second tier, where there is one, before it asks upstream.</summary>
internal enum TierUse
{
    /// <summary>What answers the request as it is, or what upstream may confirm or stand in for with an error.</summary>
    Any,

    /// <summary>What answers the request as it is: what else there is was taken into memory already.</summary>
    FreshOnly,

    /// <summary>As <see cref="Any"/>, and upstream isn't asked at all.</summary>
    NothingElse,
}

/// <summary>What a fill asks for, and about which stored response.</summary>
internal readonly record struct FillPlan(FillKind Kind, StoredResponse? Stored, ByteRange Missing)
{
    /// <summary>What it looks for in the second tier.</summary>
    internal TierUse Tier { get; init; }

    /// <summary>What the client that started it demands of a stored response; none for a revalidation in the background.</summary>
    internal RequestDirectives Directives { get; init; }

    /// <summary>Of <see cref="FillKind.Resume"/>: the strong validator of the response that broke off; null: none, ask for the whole.</summary>
    internal EntityTag? Validator { get; init; }

    /// <summary>The same, asking for what is missing from <paramref name="offset"/> on.</summary>
    internal FillPlan Resuming(long offset, EntityTag? validator) =>
        this with { Kind = FillKind.Resume, Missing = new ByteRange(offset, 0), Validator = validator };

    /// <summary>The same, asking for the whole.</summary>
    internal FillPlan AskingPlainly => this with { Kind = FillKind.Plain };

    /// <summary>Chooses by what is stored (null: nothing) for a request that it can't answer.</summary>
    internal static FillPlan For(StoredResponse? stored)
    {
        var plain = new FillPlan(FillKind.Plain, stored, default);
        if (stored is null)
        {
            return plain;
        }

        if (stored.Body is PartialBody { IsComplete: false } partial)
        {
            // Parts with a weak validator are never put together (RFC 9111 §3.4): their rest is of no use. Those with none
            // aren't either, but the public suite has a cache ask, and an origin without ranges sends the whole then.
            return stored.Head.ETag is not { IsWeak: true } && MissingRange(partial) is { } missing
                ? new FillPlan(FillKind.Complete, stored, missing)
                : plain;
        }

        return stored.Head.ETag is not null || stored.Head.LastModified is not null
            ? new FillPlan(FillKind.Revalidate, stored, default)
            : plain;
    }

    /// <summary>The gap, if there's exactly one; several would cost several requests.</summary>
    private static ByteRange? MissingRange(PartialBody partial)
    {
        var length = partial.Length;
        if (length <= 0 || partial.Held.Count is 0 or > 2)
        {
            return null;
        }

        var first = partial.Held[0];
        if (partial.Held.Count == 1)
        {
            return first.Offset == 0 ? new ByteRange(first.End, length - first.End)
                : first.End == length ? new ByteRange(0, first.Offset)
                : null;
        }

        var last = partial.Held[1];
        return first.Offset == 0 && last.End == length ? new ByteRange(first.End, last.Offset - first.End) : null;
    }
}
