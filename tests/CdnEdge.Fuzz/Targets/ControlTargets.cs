using System.Text;
using System.Text.Json;
using CdnEdge.Caching;
using CdnEdge.Control;
using CdnEdge.Delivery.Guard;
using CdnEdge.Fuzz.Engine;
using CdnEdge.Hosting;
using CdnEdge.Storage;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Fuzz.Targets;

/// <summary>What operators, plug-ins and other places ask of a node, and the logs that it's kept in.</summary>
internal static class ControlTargets
{
    private static readonly string[] Urls =
        ["http://", "https://example.org", "/", "..", "%2e", "%2F", "?", "#", "@", ":8080", "[::1]", "\u00fc", "xn--", "\\", "example.org:", "."];

    private static readonly string[] Json =
    [
        "{", "}", "[", "]", ":", ",", "\"", "null", "true", "\"urls\":", "\"tags\":", "\"prefixes\":", "\"sites\":", "\"everything\":true", "\"soft\":true", "\"http://example.org/a\"",
        "\\u0000", "\\ud800", "\"request\":", "\"origin\":\"a\"", "\"scopes\":\"AAAA\"", "\"at\":\"2026-11-26T12:00:00+00:00\"", "\"id\":\"1-0\"", "\"previous\":\"0-0\"", "\"log\":\"l\"", "\"entry\":", "\"from\":\"b\"",
        "\"entries\":", "\"distrust\":true", "\"sitemap\":", "\"requests\":", "\"concurrency\":8", "\"Accept\":\"a\"", "//", "/**/",
    ];

    private static readonly CachePolicy[] Policies =
        [Given.Plain, new() { Key = new KeyPolicy { SortQuery = true, Query = QueryKeyMode.Deny, QueryParameters = ["utm_*"], HostAliases = new Dictionary<string, string> { ["www.example.org"] = "example.org" } } }];

    internal static IEnumerable<FuzzTarget> All() =>
    [
        new("purge-body", Body) { Words = [.. Json, .. Urls], BytesPerByte = 500 },
        new("purge-url", Url) { Words = Urls, BytesPerByte = 2000 }, // a byte that is no UTF-8 is escaped in nine characters
        new("purge-host", Host) { Words = Urls, BytesPerByte = 300 },
        new("purge-entry", Entry) { Words = [.. Json, .. Urls], BytesPerByte = 1000 },
        new("purge-log-file", LogFile) { Words = [.. Json, "\n"], Inputs = 300, MaxLength = 1500, BytesPerByte = 4000, FreeBytes = 512 * 1024 },
        new("purge-ledger-file", LedgerFile) { Words = [.. Json, "\"cursor\":1", "\"error\":\"a\""], Inputs = 500, BytesPerByte = 200 },
        new("replication-batch", Batch) { Words = [.. Json, .. Urls], BytesPerByte = 1000 },
        new("purge-method", Method) { Words = [.. Urls, "PURGE ", "/.*", "\n", "Host: a", "X-Purge-Method: regex", "Surrogate-Key: a b", "Cache-Tag: c", "Fastly-Soft-Purge: 1", "X-Magento-Tags-Pattern: x", "*"], BytesPerByte = 600 },
        new("warm-body", Warm) { Words = [.. Json, .. Urls], BytesPerByte = 500 },
        new("sitemap", Map)
        {
            Words = ["<urlset>", "</urlset>", "<url>", "<loc>", "</loc>", "</url>", "<sitemapindex>", "<sitemap>", "xmlns=\"a\"", "<!DOCTYPE a [<!ENTITY b \"c\">]>", "&b;", "&#65;", "<![CDATA[", "]]>", "<?xml version=\"1.0\" encoding=\"utf-16\"?>", "<!--", "-->", " a=\"b\""],
            FreeBytes = 1 << 20,
            BytesPerByte = 400,
        },
        new("admin-credentials", Credentials) { Words = ["Bearer ", "bearer", "cdnedge_", "sha256:", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", " "] },
    ];

    /// <summary>What is accepted is in the log as it was meant, and can be put in effect.</summary>
    private static int Body(byte[] input)
    {
        if (Read(input, AdminJson.Default.PurgeBody) is not { } body)
            return 0;
        var errors = PurgeReview.Errors(body, new EverySite(), out var request);
        Claim.Holds(request is null == errors.Count > 0);
        if (request is null)
            return 1 + Math.Min(errors.Count, 20);
        Accept(request);
        return 32 + (request.Urls.Count > 0 ? 1 : 0) + (request.Tags.Count > 0 ? 2 : 0) + (request.Prefixes.Count > 0 ? 4 : 0) + (request.Sites.Count > 0 ? 8 : 0);
    }

    private static void Accept(PurgeRequest request)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(new PurgeEntry { Origin = "a", Request = request, At = Given.Now }, PurgeJson.Default.PurgeEntry);
        var entry = PurgeJson.ReadEntry(json);
        Claim.Holds(entry is not null && entry.Request.Urls.SequenceEqual(request.Urls) && entry.Request.Tags.SequenceEqual(request.Tags)
            && entry.Request.Prefixes.SequenceEqual(request.Prefixes) && entry.Request.Sites.SequenceEqual(request.Sites) && entry.Request.Everything == request.Everything);
        var epochs = new PurgeEpochs();
        new PurgeApplier(epochs, static () => Policies).Apply(entry, 5);
        Claim.Holds(epochs.TrustedFrom == 0);
    }

    private static int Url(byte[] input)
    {
        var text = Encoding.UTF8.GetString(input);
        if (!PurgeUrl.TryRead(text, out var url, out var mistake))
            return mistake.Length;
        Claim.Holds(Ascii.IsValid(url.OriginalString));
        Claim.Holds(url.OriginalString.Length > PurgeUrl.MaxLength || (PurgeUrl.TryRead(url.OriginalString, out var again, out _) && again.OriginalString == url.OriginalString));
        Accept(new PurgeRequest { Urls = [url.OriginalString] });
        foreach (var policy in Policies)
            _ = CacheKey.Of(policy, url);
        return 1000 + (url.IsDefaultPort ? 0 : 1) + (url.Query.Length > 0 ? 2 : 0);
    }

    private static int Host(byte[] input)
    {
        if (!PurgeUrl.TryReadHost(Encoding.UTF8.GetString(input), out var host, out _))
            return 0;
        Claim.Holds(PurgeUrl.TryReadHost(host, out var again, out _) && again == host);
        Accept(new PurgeRequest { Sites = [host] });
        return host.Contains(':', StringComparison.Ordinal) ? 2 : 1;
    }

    /// <summary>Other programs and versions write into a log too: whatever can be read can be put in effect.</summary>
    private static int Entry(byte[] input)
    {
        var entry = PurgeJson.ReadEntry(input);
        var epochs = new PurgeEpochs();
        new PurgeApplier(epochs, static () => Policies).Apply(entry, 5);
        if (entry is null)
            return 0;
        var written = JsonSerializer.SerializeToUtf8Bytes(entry, PurgeJson.Default.PurgeEntry);
        Claim.Holds(PurgeJson.ReadEntry(written) is { } again && JsonSerializer.SerializeToUtf8Bytes(again, PurgeJson.Default.PurgeEntry).AsSpan().SequenceEqual(written));
        return 1 + (entry.Distrust ? 1 : 0) + (entry.Scopes is null ? 0 : 2) + (entry.Request.Urls.Count > 0 ? 4 : 0) + (entry.Request.Sites.Count > 0 ? 8 : 0) + (epochs.TrustedFrom > 0 ? 16 : 0);
    }

    private static int LogFile(byte[] input)
    {
        using var file = new ScratchFile(input);
        var count = Records(file.Path);

        // What can't be read at its end is gone then, and the rest is as it was.
        Claim.Holds(Records(file.Path) == count && new FileInfo(file.Path).Length <= input.Length);
        return Math.Min(count, 20);
    }

    private static int Records(string path)
    {
        var log = new FilePurgeLog(path, 1 << 20, TimeProvider.System);
        var records = log.ReadAsync(0, int.MaxValue, CancellationToken.None).GetAwaiter().GetResult();
        log.DisposeAsync().AsTask().GetAwaiter().GetResult();
        return records.Count;
    }

    private static int LedgerFile(byte[] input)
    {
        using var file = new ScratchFile(input);
        var ledger = new FilePurgeLedger(file.Path);
        var state = ledger.PeerAsync("b", CancellationToken.None).GetAwaiter().GetResult();
        return state is null ? 0 : 1;
    }

    private static int Batch(byte[] input)
    {
        if (Read(input, PurgeJson.Default.ReplicationBatch) is not { } batch)
            return 0;
        var applied = 0;
        foreach (var purge in batch.Entries)
        {
            if (purge is not { Entry: { IsWhole: true, Scopes: null } entry } || !PurgeMoment.TryParse(purge.Id, out _))
                return 1;
            new PurgeApplier(new PurgeEpochs(), static () => Policies).Apply(entry, 5);
            applied++;
        }

        return 2 + Math.Min(applied, 20);
    }

    private static int Method(byte[] input)
    {
        var asked = Given.Request(input).Request;
        if (!HostGuard.IsReadable(asked))
            return -1;
        var body = PurgeMethodRequest.Read(asked, out var mistake);
        Claim.Holds(body is null == mistake is not null);
        if (body is null)
            return 0;
        PurgeReview.Errors(body, new EverySite(), out var request);
        if (request is null)
            return 1;
        Accept(request);
        return 2 + (request.Prefixes.Count > 0 ? 1 : 0) + (request.Tags.Count > 0 ? 2 : 0) + (request.Soft ? 4 : 0);
    }

    private static int Warm(byte[] input)
    {
        if (Read(input, AdminJson.Default.WarmBody) is not { } body)
            return 0;
        var errors = body.Errors(new EverySite(), out var order);
        Claim.Holds(order is null == errors.Count > 0);
        return order is null ? 1 + Math.Min(errors.Count, 20) : 32 + Math.Min(order.Urls.Count, 8) + (order.Sitemap is null ? 0 : 16);
    }

    private static int Map(byte[] input)
    {
        try
        {
            var found = Sitemap.Read(new MemoryStream(input), out var isIndex);
            return 1 + Math.Min(found.Count, 20) + (isIndex ? 32 : 0);
        }
        catch (InvalidDataException)
        {
            return 0;
        }
    }

    private static int Credentials(byte[] input)
    {
        var token = AdminAuthentication.BearerOf(Given.Lines(input));
        Claim.Holds(token is null || AdminToken.IsPlausible(token));
        var isHash = AdminToken.TryReadHash(Given.Text(input), out var digest);
        Claim.Holds(!isHash || digest.Length == 32);
        return (token is null ? 0 : 1) + (isHash ? 2 : 0);
    }

    private static T? Read<T>(byte[] json, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(json, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private sealed class EverySite : IServedSites
    {
        public IEnumerable<NamedPolicy> Policies => [new("default", Given.Plain)];

        public bool Serves(HostString host) => UnknownSite.ServesHost(["*.example.org", "example.org:8080", "*:99"], host) || host.HasValue;
    }
}
