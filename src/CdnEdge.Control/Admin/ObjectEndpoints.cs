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
    internal static void Map(IEndpointRouteBuilder endpoints) => endpoints.MapGet("/objects", Find)
        .WithMetadata(new RequiresScope(AdminScope.Read))
        .WithSummary("What is stored of a URL, under each policy")
        .Produces<ObjectsAnswer>()
        .WithProblems(400, 401, 403, 429);

    private static IResult Find(
        [FromQuery, Description("An absolute URL of a site that is served here.")] string? url, IServedSites sites, MemoryTier memory, TimeProvider time)
    {
        var mistake = url is null ? "missing; /objects?url=https%3A%2F%2Fexample.org%2Fa" : null;
        Uri? read = null;
        if (mistake is null && PurgeUrl.TryRead(url!, out read, out mistake) && !sites.Serves(new HostString(read.Authority)))
            mistake = $"no site of the host {read.Authority} here";
        if (mistake is not null)
            return AdminProblem.Of(StatusCodes.Status400BadRequest, $"url: {mistake}").AsResult();

        var now = time.GetUtcNow();
        var stored = sites.Policies
            .Select(named => (named.Name, Key: CacheKey.Of(named.Policy, read!)))
            .GroupBy(static named => named.Key, static named => named.Name)
            .Select(byKey => (byKey.Key, Policies: byKey.ToList(), Variants: memory.Find(byKey.Key)?.Variants ?? []))
            .Where(static found => found.Variants.Length > 0)
            .Select(found => new StoredUrlAnswer(
                found.Key.ToString(), found.Policies, [.. found.Variants.Select(variant => Describe(found.Key, variant, memory.Epochs, now))]));
        return TypedResults.Ok(new ObjectsAnswer(read!.OriginalString, [.. stored]));
    }

    private static VariantAnswer Describe(CacheKey key, StoredResponse stored, PurgeEpochs epochs, DateTimeOffset now)
    {
        var head = stored.Head;
        var verdict = epochs.Judge(key, head.Tags, stored.Epoch, out var softEpoch);

        // A soft purge that no request has met yet: what the first one will find.
        if (verdict == PurgeVerdict.Stale && softEpoch > stored.SoftEpoch)
            head = head.StaleSince(now);
        var (served, why) = Judge(head, stored, verdict, now);
        return new VariantAnswer(
            Tier: "memory",
            Status: head.Status,
            BodyBytes: stored.Body?.Length ?? 0,
            Complete: stored.Body is not PartialBody,
            CountedBytes: stored.Charge,
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
            ContentLanguage: StoredFields.Single(head.Fields, "Content-Language"),
            ContentType: StoredFields.Single(head.Fields, "Content-Type"),
            Served: served,
            Why: why);
    }

    // Of a plain GET that the variant matches: the words of Cache-Status and the metrics, and a sentence.
    private static (string Served, string Why) Judge(StoredHead head, StoredResponse stored, PurgeVerdict verdict, DateTimeOffset now)
    {
        if (verdict == PurgeVerdict.Gone)
            return ("miss", "purged; it goes with the next request for it");
        var remaining = Seconds(head.Freshness.Remaining(now)).ToString("0", CultureInfo.InvariantCulture);
        var part = stored.Body is PartialBody ? "; only parts of the body are stored: requests within them" : "";
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
