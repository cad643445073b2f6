using System.ComponentModel;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Control;

/// <summary>The body of <c>POST /warm</c>, as it comes.</summary>
internal sealed class WarmBody
{
    /// <summary>Most URLs of one call; a sitemap may name more (<see cref="Sitemap.MaxUrls"/>).</summary>
    internal const int MaxUrls = 1000;
    internal const int MaxRequestSets = 10;
    internal const int DefaultConcurrency = 8;
    internal const int MaxConcurrency = 64;

    internal static readonly string[] Members = ["urls", "sitemap", "requests", "concurrency"];

    // What browsers offer: the variant that they will ask for.
    private static readonly Dictionary<string, string?>[] AsBrowsers = [new() { ["Accept-Encoding"] = "gzip, deflate, br, zstd" }];

    // What frames the message, is about another message, or would have the answer not stored whole.
    private static readonly string[] NotToBeSet =
    [
        "Host", "Connection", "Content-Length", "Transfer-Encoding", "Keep-Alive", "Upgrade", "TE", "Trailer", "Expect", "Authorization", "Range",
        "If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "CDN-Loop",
    ];

    [Description("Absolute URLs of sites that are served here.")]
    public IReadOnlyList<string?>? Urls { get; init; }

    [Description("The URL of a sitemap (or an index of sitemaps, also gzipped) of a site that is served here.")]
    public string? Sitemap { get; init; }

    [Description("Each URL is asked for once with each of these sets of request fields: one for each variant. Left out: once, as a browser asks.")]
    public IReadOnlyList<Dictionary<string, string?>?>? Requests { get; init; }

    [Description("Requests at a time, 1 to 64; 8 by default.")]
    public int? Concurrency { get; init; }

    /// <summary>Looks it through; what is wrong with each item.</summary>
    internal List<AdminProblemItem> Errors(IServedSites sites, out WarmOrder? order)
    {
        order = null;
        var errors = new List<AdminProblemItem>();
        var urls = new List<Uri>();
        if (Urls is not { Count: > 0 } && Sitemap is null)
            errors.Add(new("", "nothing to warm; give urls or a sitemap"));
        if (Urls is { Count: > MaxUrls })
            return [new("/urls", $"{Urls.Count} URLs; at most {MaxUrls} a call, or a sitemap")];
        for (var i = 0; i < Urls?.Count; i++)
        {
            if (Read(Urls[i], sites, out var mistake) is { } url)
                urls.Add(url);
            else
                errors.Add(new($"/urls/{i}", mistake!));
        }

        Uri? sitemap = null;
        if (Sitemap is not null && (sitemap = Read(Sitemap, sites, out var wrong)) is null)
            errors.Add(new("/sitemap", wrong!));
        if (Concurrency is < 1 or > MaxConcurrency)
            errors.Add(new("/concurrency", $"{Concurrency} is not from 1 to {MaxConcurrency}"));
        if (Requests is { Count: 0 or > MaxRequestSets })
            errors.Add(new("/requests", $"{Requests.Count} sets; 1 to {MaxRequestSets}, or leave it out"));
        for (var i = 0; i < Requests?.Count; i++)
            ReviewFields($"/requests/{i}", Requests[i], errors);
        if (errors.Count == 0)
            order = new WarmOrder(urls, sitemap, Requests ?? AsBrowsers, Concurrency ?? DefaultConcurrency);
        return errors;
    }

    /// <summary>A URL of a site that is served here; null, with what is wrong, for anything else.</summary>
    internal static Uri? Read(string? text, IServedSites sites, out string? mistake)
    {
        if (text is null)
        {
            mistake = "null; a string belongs here";
            return null;
        }

        if (!PurgeUrl.TryRead(text, out var url, out mistake))
            return null;
        mistake = sites.Serves(new HostString(url.Authority)) ? null : $"no site of the host {url.Authority} here";
        return mistake is null ? url : null;
    }

    private static void ReviewFields(string pointer, Dictionary<string, string?>? fields, List<AdminProblemItem> errors)
    {
        if (fields is null)
            errors.Add(new(pointer, "null; an object of fields belongs here, such as { \"Accept-Encoding\": \"br\" }"));
        using var request = new HttpRequestMessage();
        foreach (var (name, value) in fields ?? [])
        {
            if (!Caching.Token.IsToken(name))
                errors.Add(new($"{pointer}/{name}", "not the name of a field"));
            else if (NotToBeSet.Contains(name, StringComparer.OrdinalIgnoreCase))
                errors.Add(new($"{pointer}/{name}", "not to be set here; it would have the answer not stored, or not be a request of its own"));
            else if (value is null || value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
                errors.Add(new($"{pointer}/{name}", "a value is a text of printable ASCII"));
            else if (!request.Headers.TryAddWithoutValidation(name, value))
                errors.Add(new($"{pointer}/{name}", "a field of a body, which a GET has none of"));
        }
    }
}

/// <summary>What is to be warmed, checked.</summary>
/// <param name="Urls">URLs of sites that are served here.</param>
/// <param name="Sitemap">Where more of them are listed; null: nowhere.</param>
/// <param name="Requests">The fields of each request for a URL.</param>
/// <param name="Concurrency">Requests at a time.</param>
internal sealed record WarmOrder(IReadOnlyList<Uri> Urls, Uri? Sitemap, IReadOnlyList<Dictionary<string, string?>?> Requests, int Concurrency);
