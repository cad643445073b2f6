using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace CdnEdge.Control;

/// <summary><c>POST /purge</c> and <c>GET /purges/{id}</c>.</summary>
internal static class PurgeEndpoints
{
    private const int DefaultTimeout = 30;
    private const int MaxTimeout = 300;
    private const int MaxKeyLength = 256;

    internal static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapPost("/purge", PurgeAsync)
            .WithMetadata(new RequiresScope(AdminScope.Purge))
            .WithSummary("Purge URLs, tags, prefixes, sites or everything")
            .WithDescription("In effect on this node when it answers: 200 if it is everywhere already, 202 while others still take it up. A body in which anything is wrong changes nothing.")
            .Produces<PurgeAnswer>()
            .Produces<PurgeAnswer>(StatusCodes.Status202Accepted)
            .WithProblems(400, 401, 403, 413, 415, 422, 429, 503);
        endpoints.MapGet("/purges/{id}", FindAsync)
            .WithMetadata(new RequiresScope(AdminScope.Read))
            .WithSummary("Who has a purge by now")
            .Produces<PurgeAnswer>()
            .WithProblems(401, 403, 404, 429, 503);
        endpoints.MapPost("/purges/replicate", (RequestDelegate)ReplicateAsync).WithMetadata(new RequiresScope(AdminScope.Purge), new IsReplication());
    }

    // What other PoPs send. Not a call for people: it isn't in the document.
    private static Task ReplicateAsync(HttpContext context) => context.RequestServices.GetService<PurgePropagation>() is { } propagation
        ? propagation.Receiver.HandleAsync(context)
        : AdminProblem.Of(
            StatusCodes.Status503ServiceUnavailable,
            "This node keeps no log, so purges of other PoPs can't be taken here: give it a Redis (CdnEdge:Redis:Connection) or a file (CdnEdge:Purge:LogFile).").WriteAsync(context);

    private static async Task<IResult> PurgeAsync(
        HttpContext context,
        IPurgeBus bus,
        IServedSites sites,
        AuditLog audit,
        [FromBody] PurgeBody body,
        [FromQuery, Description("Only say what would be hit on this node.")] string? dryRun,
        [FromQuery, Description("all: answer when every PoP that can be reached has it.")] string? wait,
        [FromQuery, Description("Seconds to wait at most, 1 to 300; 30 by default.")] string? timeout,
        [FromHeader(Name = "Idempotency-Key"), Description("A repeated call with the same key is answered with the first one's purge.")] string? idempotencyKey)
    {
        var wrong = new List<string>();
        var isDryRun = ReadFlag("dryRun", dryRun, wrong);
        if (wait is not (null or "all"))
            wrong.Add($"wait: '{wait}' is not all");
        if (!TryReadTimeout(timeout, out var deadline))
            wrong.Add($"timeout: '{timeout}' is not a whole number of seconds, 1 to {MaxTimeout}");
        if (idempotencyKey is not null && (idempotencyKey.Length is 0 or > MaxKeyLength || idempotencyKey.AsSpan().ContainsAnyExceptInRange(' ', '~')))
            wrong.Add($"Idempotency-Key: 1 to {MaxKeyLength} characters of ASCII");
        wrong.AddRange(context.Request.Query.Keys.Except(["dryRun", "wait", "timeout"], StringComparer.OrdinalIgnoreCase).Select(static key => $"{key}: unknown parameter; there are: dryRun, wait, timeout"));
        if (wrong.Count > 0)
            return Refuse(context, audit, AdminProblem.Of(StatusCodes.Status400BadRequest, string.Join("; ", wrong)));

        var errors = PurgeReview.Errors(body, sites, out var request);
        if (request is null)
            return Refuse(context, audit, AdminProblem.Of(StatusCodes.Status400BadRequest, $"Nothing was purged: {(errors.Count == 1 ? "an item is" : $"{errors.Count} items are")} wrong.", errors));
        if (isDryRun)
        {
            var estimate = bus.Estimate(request);
            return TypedResults.Ok(new EstimateAnswer(DryRun: true, estimate.Objects, estimate.Bytes));
        }

        PurgeReceipt receipt;
        try
        {
            receipt = await bus.AcceptAsync(request, AdminCaller.Of(context)!.Name, idempotencyKey, context.RequestAborted);
        }
        catch (Exception e)
        {
            audit.Write(context, "purge", $"failed: {e.Message}", request: body);
            throw e is PurgeLogUnavailableException ? new PurgeLogUnavailableException($"The purge wasn't accepted; try it again. {e.Message}", e) : e;
        }

        audit.Write(context, "purge", receipt.IsRepeat ? "accepted before" : "accepted", receipt.Id, body);
        var answer = await AnswerAsync(bus, receipt, request, wait is null ? null : deadline, context.RequestAborted);
        var location = $"/purges/{Uri.EscapeDataString(receipt.Id)}";
        context.Response.Headers.Location = location;
        return answer.Everywhere ? TypedResults.Ok(answer) : TypedResults.Accepted(location, answer);
    }

    // It is accepted, whatever can be told of it now.
    private static async Task<PurgeAnswer> AnswerAsync(IPurgeBus bus, PurgeReceipt receipt, PurgeRequest request, TimeSpan? wait, CancellationToken cancellation)
    {
        try
        {
            var status = wait is { } deadline
                ? await bus.WaitForAllAsync(receipt.Id, deadline, cancellation)
                : await bus.FindAsync(receipt.Id, cancellation);
            if (status is not null)
                return PurgeAnswer.Of(status, receipt.IsRepeat);
        }
        catch (Exception e) when (e is PurgeLogUnavailableException or KeyNotFoundException)
        {
            // Redis went away, or the log was trimmed or lost, since: who else has it isn't known.
        }

        return new PurgeAnswer(receipt.Id, receipt.AcceptedAt, receipt.IsRepeat, Everywhere: false, [], [], request);
    }

    private static async Task<IResult> FindAsync(string id, IPurgeBus bus, HttpContext context) =>
        await bus.FindAsync(id, context.RequestAborted) is { } status
            ? TypedResults.Ok(PurgeAnswer.Of(status, repeat: false))
            : AdminProblem.Of(StatusCodes.Status404NotFound, $"There is no purge {id}, or it's too long ago.").AsResult();

    // Without the body, which may be a megabyte of anything.
    private static IResult Refuse(HttpContext context, AuditLog audit, AdminProblem problem)
    {
        audit.Write(context, "purge", $"refused: {problem.Detail}");
        return problem.AsResult();
    }

    private static bool ReadFlag(string name, string? text, List<string> wrong)
    {
        if (text is null or "false")
            return false;
        if (text is not ("true" or ""))
            wrong.Add($"{name}: '{text}' is not true or false");
        return true;
    }

    private static bool TryReadTimeout(string? text, out TimeSpan timeout)
    {
        var isNumber = int.TryParse(text ?? $"{DefaultTimeout}", System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var seconds);
        timeout = TimeSpan.FromSeconds(seconds);
        return isNumber && seconds is >= 1 and <= MaxTimeout;
    }
}

/// <summary>A call by which another PoP hands on its purges: as often as it takes.</summary>
internal sealed record IsReplication;
