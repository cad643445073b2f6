using System.Collections.Concurrent;
using System.Reflection;
using System.Text;
using CdnEdge.Upstream.Calls;
using CdnEdge.Upstream.Clusters;
using CdnEdge.Upstream.Uploads;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Forwarder;

namespace CdnEdge.Upstream.Interim;

/// <summary>
/// YARP's client factory with an <see cref="InterimStream"/> around HTTP/1.1 connections, an <see cref="UploadFlushingHandler"/>
/// before them, and the <see cref="UpstreamHandler"/> before that. Everything else is decided by the factory that was registered before (YARP's own, or one with the application's ConfigureHttpClient).
/// </summary>
internal sealed class InterimHttpClientFactory(ForwarderHttpClientFactory inner, UpstreamParts parts, ILoggerFactory loggers)
    : ForwarderHttpClientFactory(loggers.CreateLogger<ForwarderHttpClientFactory>())
{
    // Extension points of a public class: open delegates call the most derived override, which C# itself doesn't allow
    // on another instance than this.
    private static readonly Action<ForwarderHttpClientFactory, ForwarderHttpClientContext, SocketsHttpHandler> InnerConfigure =
        Open<Action<ForwarderHttpClientFactory, ForwarderHttpClientContext, SocketsHttpHandler>>(nameof(ConfigureHandler));

    private static readonly Func<ForwarderHttpClientFactory, ForwarderHttpClientContext, HttpMessageHandler, HttpMessageHandler> InnerWrap =
        Open<Func<ForwarderHttpClientFactory, ForwarderHttpClientContext, HttpMessageHandler, HttpMessageHandler>>(nameof(WrapHandler));

    private static readonly Func<ForwarderHttpClientFactory, ForwarderHttpClientContext, bool> InnerCanReuse =
        Open<Func<ForwarderHttpClientFactory, ForwarderHttpClientContext, bool>>(nameof(CanReuseOldClient));

    // By cluster: what its client was made with.
    private readonly ConcurrentDictionary<string, string> _made = new(StringComparer.OrdinalIgnoreCase);

    private readonly ILogger _logger = loggers.CreateLogger<InterimStream>();

    /// <summary>
    /// Puts this factory around the one registered last. A factory that isn't made from YARP's
    /// <see cref="ForwarderHttpClientFactory"/> offers no place to stand in: it stays as it is, and interim responses
    /// aren't seen.
    /// </summary>
    public static void Decorate(IServiceCollection services)
    {
        var registered = services.LastOrDefault(service => service.ServiceType == typeof(IForwarderHttpClientFactory) && !service.IsKeyedService)
            ?? throw new InvalidOperationException("AddReverseProxy() comes before.");
        services.AddSingleton<IForwarderHttpClientFactory>(provider =>
        {
            var loggers = provider.GetRequiredService<ILoggerFactory>();
            var factory = registered.ImplementationInstance
                ?? registered.ImplementationFactory?.Invoke(provider)
                ?? ActivatorUtilities.CreateInstance(provider, registered.ImplementationType!);
            return factory is ForwarderHttpClientFactory forwarder
                ? new InterimHttpClientFactory(forwarder, provider.GetRequiredService<UpstreamParts>(), loggers)
                : (IForwarderHttpClientFactory)factory;
        });
    }

    protected override bool CanReuseOldClient(ForwarderHttpClientContext context) =>
        InnerCanReuse(inner, context)
        && _made.GetValueOrDefault(context.ClusterId) == ClusterConnections.SignatureOf(parts.Upstreams.OptionsOf(context.ClusterId));

    protected override HttpMessageHandler WrapHandler(ForwarderHttpClientContext context, HttpMessageHandler handler) =>
        new UpstreamHandler(parts, context.ClusterId, new UploadFlushingHandler(InnerWrap(inner, context, handler)));

    protected override void ConfigureHandler(ForwarderHttpClientContext context, SocketsHttpHandler handler)
    {
        InnerConfigure(inner, context, handler);
        var options = parts.Upstreams.OptionsOf(context.ClusterId);
        ClusterConnections.Configure(handler, options);
        _made[context.ClusterId] = ClusterConnections.SignatureOf(options);

        // Octets of field values pass as they are (RFC 9110 §5.5): what Kestrel read as Latin-1 goes out as Latin-1. .NET's
        // own default, ASCII, fails the request.
        handler.RequestHeaderEncodingSelector ??= static (_, _) => Encoding.Latin1;

        var applications = handler.PlaintextStreamFilter;
        handler.PlaintextStreamFilter = async (connection, cancellationToken) =>
        {
            var stream = applications is null
                ? connection.PlaintextStream
                : await applications(connection, cancellationToken);
            // HTTP/2 frames many exchanges into one stream; there is no head to be seen in it.
            return connection.NegotiatedHttpVersion.Major == 1 ? new InterimStream(stream, _logger) : stream;
        };
    }

    private static TDelegate Open<TDelegate>(string method)
        where TDelegate : Delegate =>
        typeof(ForwarderHttpClientFactory).GetMethod(method, BindingFlags.Instance | BindingFlags.NonPublic)!.CreateDelegate<TDelegate>();
}
