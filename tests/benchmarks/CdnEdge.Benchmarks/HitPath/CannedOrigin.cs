using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Yarp.ReverseProxy.Forwarder;

namespace CdnEdge.Benchmarks.HitPath;

/// <summary>
/// An origin in memory: text of as many bytes as the path's last segment says, fresh for a day. Under <c>/text/</c> it can be
/// compressed; elsewhere that's tried and given up.
/// </summary>
internal sealed class CannedOrigin : IForwarderHttpClientFactory
{
    public static string ETagOf(int size) => string.Create(CultureInfo.InvariantCulture, $"\"{size:x}\"");

    public HttpMessageInvoker CreateClient(ForwarderHttpClientContext context) => new(new Answering());

    private sealed class Answering : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var size = int.Parse(request.RequestUri!.Segments[^1], CultureInfo.InvariantCulture);
            var body = new byte[size];
            if (request.RequestUri.Segments[1] != "text/")
                new Random(size).NextBytes(body);
            var response = new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(body) };
            response.Headers.CacheControl = new CacheControlHeaderValue { Public = true, MaxAge = TimeSpan.FromDays(1) };
            response.Headers.ETag = new EntityTagHeaderValue(ETagOf(size));
            response.Headers.Date = TimeProvider.System.GetUtcNow();
            response.Content.Headers.ContentType = new MediaTypeHeaderValue("text/plain");
            response.Content.Headers.LastModified = DateTimeOffset.UnixEpoch;
            return Task.FromResult(response);
        }
    }
}
