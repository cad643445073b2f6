namespace CdnEdge.Upstream.Interim;

/// <summary>Who wants to know of the interim responses (1xx) to a request while its final response is awaited.</summary>
internal interface IInterimResponseSink
{
    /// <summary>
    /// An interim response came: 102, 103 or another 1xx, but neither 100 (which answers this node's own Expect) nor 101
    /// (which is final). Called one at a time and in order, and the final response waits for the returned task: a sink
    /// with slow readers hands on and returns. What it throws is logged and doesn't break the exchange.
    /// </summary>
    /// <param name="status">102 to 199.</param>
    /// <param name="fields">The fields as they came, in order, hop-by-hop ones too.</param>
    ValueTask OnInterimAsync(int status, IReadOnlyList<KeyValuePair<string, string>> fields);
}
