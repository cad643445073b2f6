using CdnEdge.Upstream.Failures;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace CdnEdge.Delivery.Forwarding;

/// <summary>Tells the operator which upstream failed and how: what clients get says only how.</summary>
internal static partial class UpstreamReport
{
    /// <summary>After YARP's pipeline: logs its failure, if there was one and it wasn't the client who left.</summary>
    internal static void Failure(ILogger logger, HttpContext context)
    {
        if (context.Features.Get<IForwarderErrorFeature>() is { } error && ProxyStatus.From(error.Error, error.Exception) is { } failure)
            Failure(logger, context, failure, error.Exception);
    }

    internal static void Failure(ILogger logger, HttpContext context, ProxyStatus failure, Exception? exception)
    {
        var proxy = context.Features.Get<IReverseProxyFeature>();
        var cluster = proxy?.Cluster.Config.ClusterId ?? "none";
        var request = context.Request;
        if (failure.StatusCode < StatusCodes.Status500InternalServerError)
        {
            Log.ClientFailed(logger, exception, request.Method, request.Host.Value, request.Path.Value, failure.Error);
        }
        else if (failure.Hops.Count > 1)
        {
            Log.WayFailed(logger, cluster, request.Method, request.Host.Value, request.Path.Value, ProxyStatus.First<UpstreamFailedException>(exception)?.Message);
        }
        else if (proxy?.ProxiedDestination is { } destination)
        {
            var address = destination.Model.Config.Address;
            Log.UpstreamFailed(logger, exception, cluster, destination.DestinationId, address, failure.Error, request.Method, request.Host.Value, request.Path.Value);
        }
        else
        {
            Log.NoUpstream(logger, exception, cluster, failure.Error, request.Method, request.Host.Value, request.Path.Value);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(10, LogLevel.Warning, "Upstream {Cluster}/{Destination} ({Address}) failed: {Error}, at {Method} {Host}{Path}", EventName = "UpstreamFailed")]
        internal static partial void UpstreamFailed(
            ILogger logger, Exception? exception, string cluster, string destination, string address, string error, string method, string? host, string? path);

        [LoggerMessage(11, LogLevel.Warning, "No upstream of {Cluster} could be asked: {Error}, at {Method} {Host}{Path}", EventName = "NoUpstream")]
        internal static partial void NoUpstream(
            ILogger logger, Exception? exception, string cluster, string error, string method, string? host, string? path);

        [LoggerMessage(13, LogLevel.Warning, "Nobody on the way from {Cluster} gave a response, at {Method} {Host}{Path}. {Hops}", EventName = "WayFailed")]
        internal static partial void WayFailed(ILogger logger, string cluster, string method, string? host, string? path, string? hops);

        [LoggerMessage(12, LogLevel.Debug, "{Method} {Host}{Path} broke off: {Error}", EventName = "ClientFailed")]
        internal static partial void ClientFailed(ILogger logger, Exception? exception, string method, string? host, string? path, string error);
    }
}
