using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;

namespace CdnEdge.Control;

/// <summary>An error as the API tells it: problem details (RFC 9457), with a JSON pointer for each item that is wrong.</summary>
internal sealed class AdminProblem
{
    public required string Title { get; init; }

    public required int Status { get; init; }

    public required string Detail { get; init; }

    public IReadOnlyList<AdminProblemItem>? Errors { get; init; }

    internal static AdminProblem Of(int status, string detail, IReadOnlyList<AdminProblemItem>? errors = null) =>
        new() { Status = status, Title = ReasonPhrases.GetReasonPhrase(status), Detail = detail, Errors = errors };

    internal IResult AsResult() => new ProblemResult(this);

    internal Task WriteAsync(HttpContext context)
    {
        context.Response.StatusCode = Status;
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(this, AdminJson.Default.AdminProblem, "application/problem+json", context.RequestAborted);
    }

    private sealed class ProblemResult(AdminProblem problem) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => problem.WriteAsync(httpContext);
    }
}

/// <summary>An item that is wrong.</summary>
/// <param name="Pointer">Where it stands in the body (RFC 6901): <c>/urls/3</c>.</param>
/// <param name="Detail">What is wrong and what would be right.</param>
internal sealed record AdminProblemItem(string Pointer, string Detail);

/// <summary>Answers with problem details whatever went wrong further in.</summary>
internal sealed partial class AdminErrors(RequestDelegate next, ILogger<AdminErrors> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        AdminProblem problem;
        try
        {
            await next(context);
            if (context.Response.HasStarted || context.Response.StatusCode < 400 || context.Response.ContentLength is not null || context.Response.ContentType is not null)
                return;
            problem = AdminProblem.Of(context.Response.StatusCode, DetailOf(context.Response.StatusCode, context.Request));
        }
        catch (Exception e) when (!context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            problem = OfException(e, context.Request);
            if (e is PurgeLogUnavailableException)
                context.Response.Headers.RetryAfter = "1";
            if (problem.Status == StatusCodes.Status500InternalServerError)
                Log.Failed(logger, context.Request.Method, context.Request.Path, e);
        }

        await problem.WriteAsync(context);
    }

    private static AdminProblem OfException(Exception e, HttpRequest request) => e switch
    {
        BadHttpRequestException { InnerException: JsonException json } => OfJson(json),
        BadHttpRequestException { StatusCode: StatusCodes.Status415UnsupportedMediaType } =>
            AdminProblem.Of(StatusCodes.Status415UnsupportedMediaType, DetailOf(StatusCodes.Status415UnsupportedMediaType, request)),
        BadHttpRequestException bad => AdminProblem.Of(bad.StatusCode, bad.Message),
        PurgeConflictException => AdminProblem.Of(StatusCodes.Status422UnprocessableEntity, e.Message),
        PurgeLogUnavailableException => AdminProblem.Of(StatusCodes.Status503ServiceUnavailable, e.Message),
        _ => AdminProblem.Of(StatusCodes.Status500InternalServerError, "A fault of this node: see its log."),
    };

    internal static AdminProblem OfJson(JsonException json)
    {
        // "$.urls[3]" as a JSON pointer; unknown members come without their own name in the path, but the message has it.
        var pointer = (json.Path ?? "$").TrimStart('$').Replace("[", "/", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal).Replace('.', '/');
        var text = json.Message.IndexOf(" Path: ", StringComparison.Ordinal) is var at and >= 0 ? json.Message[..at] : json.Message;
        if (text.Contains("could not be mapped", StringComparison.Ordinal))
            text = $"unknown member; there are: {string.Join(", ", json.Message.Contains(nameof(WarmBody), StringComparison.Ordinal) ? WarmBody.Members : PurgeBody.Members)}";
        else if (text.Contains("could not be converted", StringComparison.Ordinal))
            text = "a value of another kind belongs here";
        return AdminProblem.Of(StatusCodes.Status400BadRequest, "The body is not what this call takes.", [new AdminProblemItem(pointer, text)]);
    }

    private static string DetailOf(int status, HttpRequest request) => status switch
    {
        StatusCodes.Status404NotFound => $"There is no {request.Path}; /docs shows what there is.",
        StatusCodes.Status405MethodNotAllowed => $"{request.Path} doesn't know {request.Method}; see Allow.",
        StatusCodes.Status415UnsupportedMediaType => "The body has to be JSON, with Content-Type: application/json.",
        _ => ReasonPhrases.GetReasonPhrase(status),
    };

    private static partial class Log
    {
        [LoggerMessage(201, LogLevel.Error, "admin: {Method} {Path} failed")]
        internal static partial void Failed(ILogger logger, string method, string path, Exception exception);
    }
}
