namespace CdnEdge.Upstream.Failures;

/// <summary>Nobody on the way gave a response. Its message is the operator's, <see cref="Failure"/> is what a client may know.</summary>
internal sealed class UpstreamFailedException(ProxyStatus failure, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>In the words of Proxy-Status.</summary>
    internal ProxyStatus Failure { get; } = failure;
}
