using System.ComponentModel;
using System.Globalization;
using CdnEdge.Caching;
using CdnEdge.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace CdnEdge.Control;

/// <summary><c>GET /objects?url=</c>: what is stored of a URL, and why it would or wouldn't be served.</summary>
internal static class ObjectEndpoints
{
    internal static void Map(IEndpointRouteBuilder endpoints) => endpoints.MapGet("/objects", FindAsync)
        .WithMetadata(new RequiresScope(AdminScope.Read))
        .WithSummary("What is stored of a URL, under each policy")
        .Produces<ObjectsAnswer>()
        .WithProblems(400, 401, 403, 429);

    private static async Task<IResult> FindAsync(
        [FromQuery, Description("An absolute URL of a site that is served here.")] string? url,
        [FromQuery(Name = "header"), Description("Fields of the request, such as 'Accept-Language: de', by which Redis finds a variant. Memory's are all shown.")] string[]? header,
        IServedSites sites, MemoryTier memory, SharedTier shared, TimeProvider time, CancellationToken cancellation)
    {
        var mistake = url is null ? "missing; /objects?url=https%3A%2F%2Fexample.org%2Fa" : null;
        Uri? read = null;
        if (mistake is null && PurgeUrl.TryRead(url!, out read, out mistake) && !sites.Serves(new HostString(read.Authority)))
            mistake = $"no site of the host {read.Authority} here";
        if (mistake is not null)
            return AdminProblem.Of(StatusCodes.Status400BadRequest, $"url: {mistake}").AsResult();
        if (!TryReadFields(header ?? [], out var fields, out mistake))
            return AdminProblem.Of(StatusCodes.Status400BadRequest, $"header: {mistake}").AsResult();

        var now = time.GetUtcNow();
        var stored = new List<StoredUrlAnswer>();
        foreach (var byKey in sites.Policies.Select(named => (named, Key: CacheKey.Of(named.Policy, read!))).GroupBy(static named => named.Key, static named => named.named))
        {
            var variants = (memory.Find(byKey.Key)?.Variants ?? []).Select(variant => Describe(byKey.Key, variant, memory.Epochs, now)).ToList();
            if (shared.Tier is { } tier)
            {
                await using var hit = await tier.FindAsync(byKey.Key, byKey.First().Policy, fields, static (_, _) => true, cancellation);
                if (hit is not null)
                    variants.Add(Describe(byKey.Key, hit, memory.Epochs, now));
            }

            if (variants.Count > 0)
                stored.Add(new StoredUrlAnswer(byKey.Key.ToString(), [.. byKey.Select(static named => named.Name)], variants));
        }

        return TypedResults.Ok(new ObjectsAnswer(read!.OriginalString, stored));
    }

    internal static bool TryReadFields(string[] lines, out HeaderDictionary fields, out string? mistake)
    {
        fields = [];
        mistake = null;

        // By name first: fields to which line after line is appended copy themselves each time.
        var read = new Dictionary<string, List<string>>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in lines)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon < 1 || !Token.IsToken(line.AsSpan(0, colon)))
            {
                mistake = $"'{line}' is not a field; a name, a colon and a value, such as 'Accept-Language: de'";
                return false;
            }

            if (!read.TryGetValue(line[..colon], out var values))
                read[line[..colon]] = values = [];
            values.Add(line[(colon + 1)..].Trim());
        }

        foreach (var (name, values) in read)
            fields[name] = values.ToArray();
        return true;
    }

    private static VariantAnswer Describe(CacheKey key, StoredResponse stored, PurgeEpochs epochs, DateTimeOffset now)
    {
        var head = stored.Head;
        var verdict = epochs.Judge(key, head.Tags, stored.Epoch, out var softEpoch);

        // A soft purge that no request has met yet: what the first one will find.
        if (verdict == PurgeVerdict.Stale && softEpoch > stored.SoftEpoch)
            head = head.StaleSince(now);
        return Describe("memory", head, verdict, stored.Body?.Length ?? 0, stored.Body is PartialBody, stored.Charge, stored.Encoded, now);
    }

    private static VariantAnswer Describe(CacheKey key, TierHit hit, PurgeEpochs epochs, DateTimeOffset now)
    {
        var verdict = epochs.Judge(key, hit.Head.Tags, hit.Moment, out _);
        var head = verdict == PurgeVerdict.Stale ? hit.Head.StaleSince(now) : hit.Head;
        return Describe("redis", head, verdict, hit.Body?.Length ?? 0, isPart: false, counted: 0, encoded: [], now);
    }

    private static VariantAnswer Describe(string tier, StoredHead head, PurgeVerdict verdict, long bytes, bool isPart, long counted, EncodedBody[] encoded, DateTimeOffset now)
    {
        var (served, why) = Judge(head, isPart, verdict, now);
        return new VariantAnswer(
            Tier: tier,
            Status: head.Status,
            BodyBytes: bytes,
            Complete: !isPart,
            CountedBytes: counted,
            AgeSeconds: Seconds(head.Freshness.Age(now)),
            LifetimeSeconds: Seconds(head.Freshness.Lifetime),
            RemainingSeconds: Seconds(head.Freshness.Remaining(now)),
            FreshnessFrom: NameOf(head.Freshness.Source),
            StaleWhileRevalidateSeconds: Seconds(head.StaleWhileRevalidate),
            StaleIfErrorSeconds: Seconds(head.StaleIfError),
            GraceSeconds: Seconds(head.Grace),
            Tags: head.Tags.Tags,
            Groups: head.Tags.Groups,
            ETag: head.ETag?.Text,
            VariesBy: head.Variance.Names,
            ContentEncoding: StoredFields.Single(head.Fields, "Content-Encoding"),
            CompressedBytes: encoded.Where(static body => body.Body is not null).ToDictionary(static body => body.Coding, static body => body.Body!.Length),
            ContentLanguage: StoredFields.Single(head.Fields, "Content-Language"),
            ContentType: StoredFields.Single(head.Fields, "Content-Type"),
            Served: served,
            Why: why);
    }

    // Of a plain GET that the variant matches: the words of Cache-Status and the metrics, and a sentence.
    private static (string Served, string Why) Judge(StoredHead head, bool isPart, PurgeVerdict verdict, DateTimeOffset now)
    {
        if (verdict == PurgeVerdict.Gone)
            return ("miss", "purged; it goes with the next request for it");
        var remaining = Seconds(head.Freshness.Remaining(now)).ToString("0", CultureInfo.InvariantCulture);
        var part = isPart ? "; only parts of the body are stored: requests within them" : "";
        var softly = verdict == PurgeVerdict.Stale ? "made stale by a purge; " : "";
        return Reuse.Decide(head, default, hasAuthorization: false, now) switch
        {
            ReuseDecision.Fresh => ("hit", $"fresh for {remaining} s more{part}"),
            ReuseDecision.StaleWhileRevalidate => ("stale", $"{softly}within stale-while-revalidate: served, and validated in the background{part}"),
            _ when head.AlwaysRevalidate => ("revalidate", "no-cache: validated before each use"),
            _ => ("revalidate", $"{softly}{(softly.Length == 0 ? "no longer fresh; " : "")}validated first"),
        };
    }

    private static double Seconds(TimeSpan span) => Math.Round(span.TotalSeconds, 3);

    private static string NameOf(FreshnessSource source) => source switch
    {
        FreshnessSource.SMaxAge => "s-maxage",
        FreshnessSource.MaxAge => "max-age",
        FreshnessSource.Expires => "Expires",
        FreshnessSource.Heuristic => "heuristic",
        FreshnessSource.Policy => "policy",
        _ => "none",
    };
}
