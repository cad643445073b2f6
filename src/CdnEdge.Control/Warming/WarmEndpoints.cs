using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace CdnEdge.Control;

/// <summary><c>POST /warm</c>.</summary>
internal static class WarmEndpoints
{
    internal static void Map(IEndpointRouteBuilder endpoints) => endpoints.MapPost("/warm", Warm)
        .WithMetadata(new RequiresScope(AdminScope.Operate))
        .WithSummary("Fetch URLs, or those of a sitemap, into this node's tiers")
        .WithDescription("Server-sent events: begin with how many requests there will be, progress for each, end with the sum and the failures. Ends when the caller goes away.")
        .Produces<string>(StatusCodes.Status200OK, "text/event-stream")
        .WithProblems(400, 401, 403, 413, 415, 429);

    private static IResult Warm(HttpContext context, Warmer warmer, IServedSites sites, AuditLog audit, [FromBody] WarmBody body)
    {
        var errors = body.Errors(sites, out var order);
        if (order is null)
        {
            var problem = AdminProblem.Of(StatusCodes.Status400BadRequest, $"Nothing was asked for: {(errors.Count == 1 ? "an item is" : $"{errors.Count} items are")} wrong.", errors);
            audit.Write(context, "warm", $"refused: {problem.Detail}");
            return problem.AsResult();
        }

        if (warmer.TryBegin() is not { } run)
        {
            context.Response.Headers.RetryAfter = "10";
            var problem = AdminProblem.Of(StatusCodes.Status429TooManyRequests, $"{Warmer.MaxRuns} warmings run already; see Retry-After.");
            audit.Write(context, "warm", $"refused: {problem.Detail}");
            return problem.AsResult();
        }

        // Given back even if the answer never begins.
        context.Response.RegisterForDispose(run);
        audit.Write(context, "warm", $"begun: {order.Urls.Count} URL(s){(order.Sitemap is { } sitemap ? $" and {sitemap.OriginalString}" : "")}");
        return TypedResults.ServerSentEvents(EventsAsync(context, warmer, order, audit, context.RequestAborted));
    }

    private static async IAsyncEnumerable<SseItem<string>> EventsAsync(
        HttpContext context, Warmer warmer, WarmOrder order, AuditLog audit, [EnumeratorCancellation] CancellationToken cancellation)
    {
        SseItem<string> last = default;
        try
        {
            // The head now: until a sitemap has been read there's no event, and the caller would think that nobody answers.
            await context.Response.Body.FlushAsync(cancellation);
            await foreach (var item in warmer.RunAsync(order, cancellation))
            {
                last = item;
                yield return item;
            }
        }
        finally
        {
            audit.Write(context, "warm", last.EventType == "end" ? "done" : "broken off");
        }
    }
}
