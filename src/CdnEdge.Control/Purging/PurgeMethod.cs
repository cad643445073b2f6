using CdnEdge.Upstream.Forwarded;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace CdnEdge.Control;

/// <summary>
/// PURGE as plug-ins for Varnish, nginx and Fastly send it: of the URL that it asks for, of all below it, or of the tags in
/// <c>Surrogate-Key</c> or <c>Cache-Tag</c>; soft with <c>Fastly-Soft-Purge: 1</c>.
/// </summary>
internal sealed class PurgeMethod
{
    internal const string Name = "PURGE";

    private readonly PurgeMethodOptions _options;
    private readonly AddressList _allowed;
    private readonly AdminInForce _admin;
    private readonly IPurgeBus _bus;
    private readonly IServedSites _sites;
    private readonly AuditLog _audit;
    private readonly AdminErrors _errors;

    /// <param name="options">Checked ones.</param>
    /// <param name="admin">Whose tokens count.</param>
    /// <param name="bus">Takes the purges.</param>
    /// <param name="sites">What is served here.</param>
    /// <param name="audit">Where each is written down.</param>
    /// <param name="logger">Where a fault goes.</param>
    internal PurgeMethod(PurgeMethodOptions options, AdminInForce admin, IPurgeBus bus, IServedSites sites, AuditLog audit, ILogger<AdminErrors> logger)
    {
        (_options, _admin, _bus, _sites, _audit) = (options, admin, bus, sites, audit);
        _allowed = new AddressList(options.AllowFrom);
        _errors = new AdminErrors(HandleAsync, logger);
    }

    /// <summary>Answers a PURGE; nothing of it goes further.</summary>
    internal Task InvokeAsync(HttpContext context) => _errors.InvokeAsync(context);

    private async Task HandleAsync(HttpContext context)
    {
        // Nobody reads its body, so nothing behind it is taken for a request.
        if (context.Request.Headers.TransferEncoding.Count > 0 || context.Request.ContentLength > 0)
            context.Response.Headers.Connection = "close";
        if (Refusal(context) is { } refusal)
        {
            // Not in the audit log, as on the admin API: whoever can reach the port could fill it.
            await refusal.WriteAsync(context);
            return;
        }

        PurgeRequest? request = null;
        var body = PurgeMethodRequest.Read(context.Request, out var mistake);
        if (body is not null)
            mistake = string.Join("; ", PurgeReview.Errors(body, _sites, out request).Select(static error => error.Detail));
        if (request is null)
        {
            var problem = AdminProblem.Of(StatusCodes.Status400BadRequest, $"Nothing was purged: {mistake}");
            _audit.Write(context, Name, $"refused: {problem.Detail}");
            await problem.WriteAsync(context);
            return;
        }

        PurgeReceipt receipt;
        try
        {
            receipt = await _bus.AcceptAsync(request, AdminCaller.Of(context)!.Name, idempotencyKey: null, context.RequestAborted);
        }
        catch (Exception e)
        {
            _audit.Write(context, Name, $"failed: {e.Message}", request: body);
            throw;
        }

        _audit.Write(context, Name, "accepted", receipt.Id, body);
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.WriteAsJsonAsync(new PurgeMethodAnswer("ok", receipt.Id), AdminJson.Default.PurgeMethodAnswer, cancellationToken: context.RequestAborted);
    }

    /// <summary>Why it may not; who calls is known otherwise.</summary>
    private AdminProblem? Refusal(HttpContext context)
    {
        if (_options.AllowFrom.Count > 0 && !_allowed.Contains(context.Connection.RemoteIpAddress))
            return AdminProblem.Of(StatusCodes.Status403Forbidden, $"PURGE may not come from {context.Connection.RemoteIpAddress}.");
        var caller = TokenOf(context.Request.Headers) is { } token ? _admin.Callers.Find(token) : null;
        if (caller is null && _options.RequireToken)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer realm=\"cdnedge purge\"";
            return AdminProblem.Of(StatusCodes.Status401Unauthorized, "PURGE takes a token that this node knows: Authorization: Bearer TOKEN, or Fastly-Key: TOKEN.");
        }

        context.Features.Set(caller ?? new AdminCaller("address", AdminCaller.Local.Scopes));
        return !_options.RequireToken || caller!.Scopes.Contains(AdminScope.Purge)
            ? null
            : AdminProblem.Of(StatusCodes.Status403Forbidden, $"'{caller.Name}' lacks the scope purge.");
    }

    private static string? TokenOf(IHeaderDictionary headers) =>
        headers["Fastly-Key"] is [{ } key] && AdminToken.IsPlausible(key) ? key : AdminAuthentication.BearerOf(headers.Authorization);
}

/// <summary>What PURGE is answered with.</summary>
internal sealed record PurgeMethodAnswer(string Status, string Id);
