using CdnEdge.Upstream.Failures;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace CdnEdge.Delivery.Fills;

/// <summary>
/// A route's <c>Timeout</c> or <c>TimeoutPolicy</c>, for a fill: ASP.NET's middleware has set it for the client's request,
/// which the fill outlives, so the fill has one of its own. YARP refuses a route whose timeout nobody has set.
/// </summary>
internal sealed class FillTimeout : IHttpRequestTimeoutFeature, IDisposable
{
    private readonly CancellationTokenSource _elapsed;
    private readonly int _status;

    private FillTimeout(TimeSpan timeout, int status, TimeProvider time)
    {
        _elapsed = new CancellationTokenSource(timeout, time);
        _status = status;
    }

    public CancellationToken RequestTimeoutToken => _elapsed.Token;

    internal bool HasElapsed => _elapsed.IsCancellationRequested;

    /// <summary>What a client is told when the time is over.</summary>
    internal ProxyStatus Failure => ProxyStatus.ResponseTimeout with { StatusCode = _status };

    /// <summary>The timeout of the endpoint as ASP.NET's middleware finds it; null for none.</summary>
    internal static FillTimeout? For(Endpoint endpoint, IServiceProvider services, TimeProvider time)
    {
        var options = services.GetRequiredService<IOptionsMonitor<RequestTimeoutOptions>>().CurrentValue;
        var (timeout, policy) = Find(endpoint.Metadata, options);
        return timeout is { } finite && finite != Timeout.InfiniteTimeSpan
            ? new FillTimeout(
                finite,
                policy?.TimeoutStatusCode ?? options.DefaultPolicy?.TimeoutStatusCode ?? StatusCodes.Status504GatewayTimeout,
                time)
            : null;
    }

    public void DisableTimeout() => _elapsed.CancelAfter(Timeout.InfiniteTimeSpan);

    public void Dispose() => _elapsed.Dispose();

    private static (TimeSpan? Timeout, RequestTimeoutPolicy? Policy) Find(EndpointMetadataCollection metadata, RequestTimeoutOptions options)
    {
        if (metadata.GetMetadata<RequestTimeoutPolicy>() is { } own)
        {
            return (own.Timeout, own);
        }

        if (metadata.GetMetadata<RequestTimeoutAttribute>() is not { } attribute)
        {
            return (options.DefaultPolicy?.Timeout, options.DefaultPolicy);
        }

        return attribute.PolicyName is { } name && options.Policies.TryGetValue(name, out var named)
            ? (named.Timeout, named)
            : (attribute.Timeout, null);
    }
}
