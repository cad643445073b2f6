using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;

namespace CdnEdge.Control;

/// <summary>Calls a second: by caller, and by address for those whom nobody knows.</summary>
internal static class AdminRateLimit
{
    /// <summary>Calls a second from an address without a token that is known.</summary>
    internal const int UnknownPerSecond = 10;

    internal static void Configure(RateLimiterOptions options, AdminInForce admin)
    {
        options.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
        options.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, (string, int)>(context =>
        {
            if (context.GetEndpoint()?.Metadata.GetMetadata<RequiresScope>() is null)
                return RateLimitPartition.GetNoLimiter(("", 0));
            if (context.GetEndpoint()!.Metadata.GetMetadata<IsReplication>() is not null && AdminCaller.Of(context) is { } peer && peer.Scopes.Contains(AdminScope.Purge))
                return RateLimitPartition.GetNoLimiter(("peer", 0));
            var (who, rate) = AdminCaller.Of(context) is { } caller
                ? ($"caller {caller.Name}", admin.RequestsPerSecond)
                : ($"address {context.Connection.RemoteIpAddress}", UnknownPerSecond);
            return RateLimitPartition.GetTokenBucketLimiter((who, rate), static key => new TokenBucketRateLimiterOptions
            {
                TokenLimit = key.Item2 * 10,
                TokensPerPeriod = key.Item2,
                ReplenishmentPeriod = TimeSpan.FromSeconds(1),
                QueueLimit = 0,
            });
        });
        options.OnRejected = static (rejected, _) =>
        {
            var wait = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? Math.Max(1, (int)Math.Ceiling(after.TotalSeconds)) : 1;
            rejected.HttpContext.Response.Headers.RetryAfter = wait.ToString(CultureInfo.InvariantCulture);
            return new ValueTask(AdminProblem.Of(StatusCodes.Status429TooManyRequests, "Too many calls; see Retry-After.").WriteAsync(rejected.HttpContext));
        };
    }
}
