using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Http.Features;

namespace CdnEdge.Benchmarks.HitPath;

/// <summary>A server without sockets: it hands requests to the application as Kestrel does, reusing what Kestrel reuses.</summary>
internal sealed class InMemoryServer : IServer
{
    private Func<RequestFeatures, Exchange>? _open;

    public IFeatureCollection Features { get; } = new FeatureCollection();

    public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
        where TContext : notnull
    {
        _open = request => new Exchange<TContext>(application, request);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>A connection that sends the same request again and again.</summary>
    public Exchange Open(string path, string method = "GET", (string Name, string Value)? field = null)
    {
        var request = new RequestFeatures(method, path);
        if (field is var (name, value)) request.Headers[name] = value;
        return (_open ?? throw new InvalidOperationException("The server hasn't been started."))(request);
    }

    public void Dispose()
    {
    }

    /// <summary>
    /// As over a connection of Kestrel's, the application finds the host context of the request before, and makes no
    /// new HttpContext.
    /// </summary>
    private sealed class Exchange<TContext>(IHttpApplication<TContext> application, RequestFeatures request)
        : Exchange(request), IHostContextContainer<TContext>
        where TContext : notnull
    {
        public TContext? HostContext { get; set; }

        protected override async Task ProcessAsync()
        {
            var context = application.CreateContext(this);
            await application.ProcessRequestAsync(context);
            await Response.CompleteAsync();
            application.DisposeContext(context, null);
        }
    }
}
