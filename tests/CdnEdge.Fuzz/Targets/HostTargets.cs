using System.Collections;
using System.Net;
using CdnEdge.Configuration;
using CdnEdge.Delivery;
using CdnEdge.Delivery.Compression;
using CdnEdge.Delivery.Configuration;
using CdnEdge.Fuzz.Engine;
using CdnEdge.Hosting;
using CdnEdge.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace CdnEdge.Fuzz.Targets;

/// <summary>What an operator writes: a slip in it is told, never a crash. Its cost is nobody else's doing.</summary>
internal static class HostTargets
{
    // The kernel's own bound of a path.
    private const int LongestGroup = 4096;

    private static readonly string[] Keys =
    [
        "CdnEdge:", "Policies:", "default:", "MaxTtl", "00:10:00", "Key:", "Query", "Allow", "QueryParameters:0", "Listen:0", "Memory:MaxBytes", "Redis:", "Connection", "Keys:", "Clusters:", "Peering:", "Forwarding:TrustedProxies:0",
        "Hedging:Percentile", "StatusTtl:404", "Timeouts:Total", "Name", "HostAliases:", "Retries:Statuses:0", "=", "\n", "true", "1.5", "127.0.0.1:6379", "10.0.0.0/8", " ", "\u00e9", "Probe:Body", "Failover", "Host",
    ];

    private static readonly string[] Json =
    [
        "{", "}", "[", "]", ":", ",", "\"", "null", "true", "0", "\"CdnEdge\":", "\"ReverseProxy\":", "\"Routes\":", "\"Clusters\":", "\"Listen\":[\"http://127.0.0.1:8080\"]", "\"Destinations\":", "\"Address\":\"http://127.0.0.1:9000\"",
        "\"Match\":", "\"Path\":\"/{**path}\"", "\"Hosts\":[\"a\"]", "\"ClusterId\":\"a\"", "\"Policies\":", "\"MaxTtl\":\"00:10:00\"", "\\ud800", "\\u0000", "//", "/**/", "\"Tls\":", "\"Purge\":", "\"Admin\":", "\"Origin\":\"http://a\"", "{*", "{a:int}",
    ];

    internal static IEnumerable<FuzzTarget> All() =>
    [
        new("listen-address", Listen) { Words = ["http://", "https://", "127.0.0.1", "*", "+", "[::]", "localhost", ":8080", ":0", "/", "unix:/", "pipe:/", "%", "[fe80::1%1]"] },
        new("served-host", Served) { Words = ["example.org", "*.", ":8080", "\n", "[::1]", ":", "*"] },
        new("configuration-values", Values) { Words = Keys, Inputs = 1500, FreeBytes = 1 << 20, BytesPerByte = 800, GrowsLinearly = false },
        new("configuration-file", File) { Words = Json, Inputs = 150, MaxLength = 1500, FreeBytes = 64 << 20, BytesPerByte = 20_000, GrowsLinearly = false },
        new("memory-limit", Limit) { Words = ["0::", "/", "\n", "5:memory:", ",", "memory", "some.slice"], Inputs = 500, MaxLength = 500, FreeBytes = 64 << 20, BytesPerByte = 2000, GrowsLinearly = false },
    ];

    private static int Listen(byte[] input)
    {
        if (!ListenAddress.TryParse(Given.Text(input), out var address, out var mistake))
            return mistake.Length > 0 ? 0 : -1;
        Claim.Holds(address.Host is "*" or "localhost" || IPAddress.TryParse(address.Host, out _));
        Claim.Holds(address.Port is >= 0 and <= 65535);
        _ = address.IsLoopback;
        _ = address.Overlaps(address);
        return 1 + (address.IsTls ? 1 : 0) + (address.IsLoopback ? 2 : 0);
    }

    private static int Served(byte[] input)
    {
        var text = Given.Text(input);
        var cut = text.IndexOf('\n', StringComparison.Ordinal);
        var (pattern, host) = cut < 0 ? ("*.example.org", text) : (text[..cut], text[(cut + 1)..]);
        return UnknownSite.ServesHost([pattern, "example.org:8080"], new HostString(host)) ? 1 : 0;
    }

    /// <summary>Lines <c>path=value</c>.</summary>
    private static int Values(byte[] input)
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in Given.Text(input).Split('\n'))
        {
            var equals = line.IndexOf('=', StringComparison.Ordinal);
            values[equals < 0 ? line : line[..equals]] = equals < 0 ? null : line[(equals + 1)..];
        }

        var mistakes = new List<ConfigurationMistake>();
        var (serve, cache) = (new ServeOptions(), new CdnCacheOptions());
        ConfigurationReading.Into(new ConfigurationBuilder().AddInMemoryCollection(values).Build().GetSection("CdnEdge"), mistakes, serve, cache);
        var errors = CdnCacheOptionsValidation.Errors("CdnEdge", cache, 1L << 40, CompressionProviders.BuiltIn).Count();
        return Math.Min(mistakes.Count, 20) + (Math.Min(errors, 20) << 5);
    }

    private static int File(byte[] input)
    {
        var source = ConfigurationSource.From(null, null, [], new Hashtable());
        var review = ConfigurationReview.OfAsync(source, new ConfigurationSource.FileContent(input, null)).GetAwaiter().GetResult();
        return Math.Min(review.Errors.Count, 20) + (Math.Min(review.Warnings.Count, 20) << 5) + (review.Routes << 10);
    }

    private static int Limit(byte[] input)
    {
        var root = Path.Combine(ScratchFile.Folder, "root");
        Directory.CreateDirectory(Path.Combine(root, "proc/self"));
        Directory.CreateDirectory(Path.Combine(root, "sys/fs/cgroup/some.slice"));
        System.IO.File.WriteAllText(Path.Combine(root, "sys/fs/cgroup/some.slice/memory.max"), "4096");
        System.IO.File.WriteAllBytes(Path.Combine(root, "proc/self/cgroup"), input.AsSpan(0, Math.Min(input.Length, LongestGroup)));
        return ContainerMemory.Limit(root) is null ? 0 : 1;
    }
}
