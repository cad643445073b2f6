using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace CdnEdge.EndToEnd.Tests.Harness;

/// <summary>An origin that speaks HTTP/2 without TLS (prior knowledge). It answers "hello", which isn't to be stored, and notes what it saw.</summary>
internal sealed class Http2Origin : IAsyncDisposable
{
    private readonly ConcurrentQueue<Http2Seen> _requests = new();
    private readonly WebApplication _app;

    private Http2Origin()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestHeadersTotalSize = 1 << 20;
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        builder.Logging.ClearProviders();
        _app = builder.Build();
        _app.Run(Answer);
    }

    internal string Url => _app.Urls.Single();

    /// <summary>Every request of which the whole arrived.</summary>
    internal IReadOnlyCollection<Http2Seen> Requests => _requests;

    internal static async Task<Http2Origin> Start()
    {
        var origin = new Http2Origin();
        await origin._app.StartAsync();
        return origin;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private async Task Answer(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var request = context.Request;
        _requests.Enqueue(new Http2Seen(
            request.Method,
            context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget,
            string.Join('\n', request.Headers.Select(field => string.Create(CultureInfo.InvariantCulture, $"{field.Key}: {field.Value}"))),
            System.Text.Encoding.Latin1.GetString(body.ToArray())));
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.WriteAsync("hello");
    }
}

/// <summary>A request as it came.</summary>
internal sealed record Http2Seen(string Method, string Target, string Fields, string Body);
