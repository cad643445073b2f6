using CdnEdge.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace CdnEdge.Control;

/// <summary>Looking at the node and operating it: statistics, configuration, draining, health.</summary>
internal static class NodeEndpoints
{
    internal static void Map(IEndpointRouteBuilder endpoints, DateTimeOffset since)
    {
        endpoints.MapGet("/stats", async (HttpContext context, IAdminNode node, CacheTally tally, MemoryTier memory, DrainState drain, UpstreamView upstreams, TimeProvider time) =>
                TypedResults.Ok(Stats(node, tally.Requests, memory, drain, since, time.GetUtcNow(), await PurgeStateAsync(context), upstreams.Clusters)))
            .WithMetadata(new RequiresScope(AdminScope.Read))
            .WithSummary("Requests by how they were answered, the hit ratio, memory, how the log of purges is followed, how the upstreams are")
            .Produces<StatsAnswer>()
            .WithProblems(401, 403, 429);
        endpoints.MapGet("/config", (IAdminNode node) => TypedResults.Ok(new ConfigAnswer(ConfigurationView.Of(node.Configuration))))
            .WithMetadata(new RequiresScope(AdminScope.Read))
            .WithSummary("The configuration in force, without its secrets")
            .Produces<ConfigAnswer>()
            .WithProblems(401, 403, 429);
        endpoints.MapPost("/config/reload", ReloadAsync)
            .WithMetadata(new RequiresScope(AdminScope.Operate))
            .WithSummary("Read the configuration file again now")
            .Produces<ReloadAnswer>()
            .WithProblems(401, 403, 409, 429);
        endpoints.MapPost("/drain", (HttpContext context, DrainState drain, AuditLog audit) => Drain(context, drain, audit, draining: true))
            .WithMetadata(new RequiresScope(AdminScope.Operate))
            .WithSummary("Take this node out: not ready, and connections are closed after the answer under way")
            .Produces<DrainAnswer>()
            .WithProblems(401, 403, 429);
        endpoints.MapPost("/undrain", (HttpContext context, DrainState drain, AuditLog audit) => Drain(context, drain, audit, draining: false))
            .WithMetadata(new RequiresScope(AdminScope.Operate))
            .WithSummary("Take this node in again")
            .Produces<DrainAnswer>()
            .WithProblems(401, 403, 429);
        endpoints.MapGet("/health/live", static () => TypedResults.Ok(new HealthAnswer("live")))
            .WithSummary("The process is there")
            .Produces<HealthAnswer>();
        endpoints.MapGet("/health/ready", static (HttpContext context, IAdminNode node, DrainState drain) => Ready(context, node, drain))
            .WithSummary("It wants traffic: 503 while it drains or stops, and in its first seconds until it has read the log of purges")
            .Produces<HealthAnswer>()
            .WithProblems(503);
    }

    private static StatsAnswer Stats(
        IAdminNode node, SortedDictionary<string, long> requests, MemoryTier memory, DrainState drain, DateTimeOffset since, DateTimeOffset now, PurgeState? purge,
        IReadOnlyList<ClusterAnswer> upstreams)
    {
        // Of what a cache could have answered: what went past it, and errors, say nothing about it.
        var hits = Of("hit") + Of("stale");
        var asked = hits + Of("revalidated") + Of("miss");
        return new StatsAnswer(
            node.Name,
            node.Version,
            since,
            Math.Round((now - since).TotalSeconds, 1),
            drain.IsDraining,
            requests,
            requests.Values.Sum(),
            asked == 0 ? null : Math.Round((double)hits / asked, 4),
            new MemoryAnswer(memory.Count, memory.UsedBytes, memory.MaxBytes, memory.Evictions),
            purge,
            upstreams);

        long Of(string outcome) => requests.GetValueOrDefault(outcome);
    }

    private static async Task<PurgeState?> PurgeStateAsync(HttpContext context) =>
        context.RequestServices.GetService<PurgePropagation>() is { } propagation ? await propagation.StateAsync(context.RequestAborted) : null;

    private static async Task<IResult> ReloadAsync(HttpContext context, IAdminNode node, AuditLog audit)
    {
        var outcome = await node.ReloadAsync();
        if (outcome.Applied)
        {
            audit.Write(context, "config/reload", $"in force: {outcome.Contents}");
            return TypedResults.Ok(new ReloadAnswer(Applied: true, outcome.Contents, outcome.NeedsRestart));
        }

        audit.Write(context, "config/reload", $"refused: {outcome.Errors.Count} mistake(s)");
        return AdminProblem.Of(
            StatusCodes.Status409Conflict,
            "The configuration has mistakes; the one before it stays in force.",
            [.. outcome.Errors.Select(static error => new AdminProblemItem("", error))]).AsResult();
    }

    private static Ok<DrainAnswer> Drain(HttpContext context, DrainState drain, AuditLog audit, bool draining)
    {
        var changed = drain.Set(draining);
        audit.Write(context, draining ? "drain" : "undrain", changed ? "done" : "was so already");
        return TypedResults.Ok(new DrainAnswer(draining, changed));
    }

    private static IResult Ready(HttpContext context, IAdminNode node, DrainState drain) =>
        NodeReadiness.WhyNot(node, drain, context.RequestServices.GetService<PurgePropagation>()) is { } whyNot
            ? AdminProblem.Of(StatusCodes.Status503ServiceUnavailable, whyNot).AsResult()
        : TypedResults.Ok(new HealthAnswer("ready"));
}
