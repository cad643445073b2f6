using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace CdnEdge.Contenders;

/// <summary>
/// What a hit would cost if looking up, judging and accounting cost nothing: one terminal middleware that answers
/// from byte arrays with the header fields of a cache hit. The distance between this and the cache is the cache's own.
/// </summary>
internal static class BareKestrel
{
    /// <summary>
    /// Serves every file of <paramref name="bodies"/> at <c>/b/{name of the file}</c> until it is told to stop: with a certificate over TLS,
    /// HTTP/1.1 and HTTP/2.
    /// </summary>
    public static async Task RunAsync(int port, string bodies, X509Certificate2? certificate)
    {
        var responses = Directory.EnumerateFiles(bodies).ToFrozenDictionary(
            file => "/b/" + Path.GetFileName(file),
            file => new StoredResponse(File.ReadAllBytes(file), File.GetLastWriteTimeUtc(file)),
            StringComparer.Ordinal);
        var age = new AgeInSeconds();

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().UseKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, port, endpoint =>
            {
                if (certificate is not null)
                    endpoint.UseHttps(certificate);
            });
        });
        await using var app = builder.Build();

        app.Run(async context =>
        {
            if (!responses.TryGetValue(context.Request.Path.Value!, out var stored))
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return;
            }

            var headers = context.Response.Headers;
            headers.ContentType = "text/plain";
            headers.ETag = stored.ETag;
            headers.LastModified = stored.LastModified;
            headers.CacheControl = "public, max-age=86400";
            headers.Age = age.Text;
            headers.ContentLength = stored.Body.Length;

            await context.Response.BodyWriter.WriteAsync(stored.Body);
        });

        await app.RunAsync();
    }

    private sealed class StoredResponse(byte[] body, DateTime lastModified)
    {
        public byte[] Body { get; } = body;

        public string ETag { get; } = string.Create(CultureInfo.InvariantCulture, $"\"{body.Length:x}\"");

        public string LastModified { get; } = lastModified.ToString("R", CultureInfo.InvariantCulture);
    }

    // Formatted once a second, as Kestrel formats Date.
    private sealed class AgeInSeconds
    {
        private readonly long _start = Environment.TickCount64;
        private volatile Formatted _current = new(0);

        public string Text
        {
            get
            {
                var seconds = (Environment.TickCount64 - _start) / 1000;
                var current = _current;
                if (current.Seconds != seconds)
                    _current = current = new Formatted(seconds);
                return current.Text;
            }
        }

        private sealed class Formatted(long seconds)
        {
            public long Seconds { get; } = seconds;

            public string Text { get; } = seconds.ToString(CultureInfo.InvariantCulture);
        }
    }
}
