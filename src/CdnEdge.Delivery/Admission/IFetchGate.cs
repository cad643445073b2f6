using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Admission;

/// <summary>
/// Says whether upstream may be asked for a request now. Hits never come here: they are served to the last.
/// </summary>
internal interface IFetchGate
{
    /// <summary>Takes a place among those that wait for upstream, to be given back by <see cref="Leave"/>. Not null: there is none for this one.</summary>
    FetchRefusal? TryEnter(HttpContext context, FetchPriority priority);

    /// <summary>Gives the place back.</summary>
    void Leave();
}

/// <summary>How important a route's misses are where not all can be served: its metadata <see cref="CdnCacheMetadata.Priority"/>.</summary>
internal enum FetchPriority
{
    /// <summary>Refused first.</summary>
    Low,

    /// <summary>As any.</summary>
    Normal,

    /// <summary>Refused last.</summary>
    High,
}

/// <summary>Why a request isn't taken upstream now.</summary>
/// <param name="StatusCode">429 where it's the client's doing, else 503.</param>
/// <param name="Reason">A sentence for the client.</param>
/// <param name="Detail">A token for Cache-Status.</param>
/// <param name="RetryAfter">When to come again.</param>
internal sealed record FetchRefusal(int StatusCode, string Reason, string Detail, TimeSpan RetryAfter)
{
    /// <summary>Whoever came would be refused: something stale is better than that.</summary>
    internal bool IsOverload => StatusCode == StatusCodes.Status503ServiceUnavailable;
}
