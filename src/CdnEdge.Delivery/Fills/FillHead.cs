using CdnEdge.Caching;
using CdnEdge.Storage;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Fills;

/// <summary>What a fill's answer came to.</summary>
internal enum FillResult
{
    /// <summary>A response, from upstream or the second tier.</summary>
    Response,

    /// <summary>304: the stored response is good; <see cref="FillHead.Validated"/> holds it, freshened.</summary>
    Validated,

    /// <summary>No usable response; <see cref="Fill.Failure"/> says why.</summary>
    Failure,

    /// <summary>It gave way to what is in memory by now, or had nothing to look for further.</summary>
    Superseded,
}

/// <summary>The head of a fill's answer, and what may be done with it.</summary>
internal sealed record FillHead
{
    internal required FillResult Result { get; init; }

    /// <summary>Status of the final response; for failures the one to answer with.</summary>
    internal required int Status { get; init; }

    /// <summary>The fields for the client that started the fill.</summary>
    internal IHeaderDictionary Headers { get; init; } = EmptyHeaders;

    /// <summary>Null unless the answer may be stored and so shared.</summary>
    internal StoredHead? Stored { get; init; }

    internal NoStoreReason Reason { get; init; }

    /// <summary>It comes from the second tier: upstream wasn't asked.</summary>
    internal bool IsFromTier { get; init; }

    internal long? ContentLength { get; init; }

    /// <summary>Where another node answered: how long before the fill asked it that node had asked the origin.</summary>
    internal TimeSpan FetchedBefore { get; init; }

    /// <summary>A trailer section follows the body.</summary>
    internal bool AnnouncesTrailers { get; init; }

    /// <summary>The stored response that a 304 confirmed; the fill holds it only by name, readers acquire its body themselves.</summary>
    internal StoredResponse? Validated { get; init; }

    private static readonly HeaderDictionary EmptyHeaders = new() { IsReadOnly = true };
}
